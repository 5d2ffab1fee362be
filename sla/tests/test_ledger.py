"""The ledger against a simulation written apart, from the rules: it counts minutes and knows neither intervals nor deadlines."""

import random
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from sla.ledger import BadStory, Deed, Entry, Terms, overlaps, read
from sla.rules import WorkingHours

# Around the spring change of clocks in Europe (2026-03-29); Lord Howe's change is half an hour (2026-04-05).
BEGIN = datetime(2026, 3, 25, tzinfo=UTC)
MINUTES = 21 * 24 * 60
MINUTE = timedelta(minutes=1)
ZONES = ("Europe/Moscow", "Asia/Vladivostok", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "UTC")
CASES = 10_000


def a_calendar(chance):
    def day():
        marks = sorted(chance.sample(range(48), chance.choice((0, 2, 2, 2, 4))))
        return [(time(a // 2, 30 * (a % 2)), time(b // 2, 30 * (b % 2))) for a, b in zip(marks[::2], marks[1::2], strict=True)]

    week = {weekday: day() for weekday in range(7)}
    week[chance.randrange(7)] = [(time(9), time(18))]
    week[chance.randrange(7)] = [(time(0), time(0))]
    holidays = {date(2026, 3, 26) + timedelta(days=chance.randrange(9)): day() for _ in range(chance.randrange(3))}
    return WorkingHours(zone=chance.choice(ZONES), week=week, exceptions=holidays)


def minutes_of(hours):
    """For each minute from BEGIN on whether it is working time, by the wall clock."""
    zone, found = ZoneInfo(hours.zone), bytearray(MINUTES)
    for number in range(MINUTES):
        local = (BEGIN + number * MINUTE).astimezone(zone)
        for start, end in hours.exceptions.get(local.date(), hours.week.get(local.weekday(), ())):
            if start <= local.time() and (end == time(0) or local.time() < end):
                found[number] = 1
    return found


@lru_cache(maxsize=1)
def calendars():
    chance = random.Random(7)
    made = [a_calendar(chance) for _ in range(40)]
    return [(hours, minutes_of(hours)) for hours in made]


@dataclass
class Seen:
    spent: int = 0
    due: int | None = None
    breached: int | None = None


def simulate(story, stop):
    """Walk minute by minute. `story` = (minute, deed, calendar's minutes, target minutes); the answer counts in minutes."""
    seen, running, working, target, used = Seen(), False, None, 0, 0
    todo = list(story)
    fresh = False  # nothing was left when the clock was let run
    for minute in range(MINUTES):
        if minute > stop and (seen.due is not None or not running):
            break
        while todo and todo[0][0] == minute:
            _at, deed, calendar, minutes = todo.pop(0)
            if deed in ("start", "terms"):
                working, target = calendar, minutes
            if deed in ("start", "resume"):
                running = True
            if deed in ("pause", "end"):
                running = False
            seen.due, fresh = None, running and used >= target
        if not running:
            continue
        if seen.due is None and fresh and working[minute]:
            seen.due = minute
        if seen.due is not None and seen.due <= minute < stop and seen.breached is None:
            seen.breached = seen.due
        if not working[minute]:
            continue
        used += 1
        if minute < stop:
            seen.spent = used
        if seen.due is None and used >= target:
            seen.due = minute + 1
    return seen


def a_story(chance):
    at, story, running = chance.randrange(0, 4 * 24 * 60), [], True
    story.append((at, "start", chance.choice(calendars()), chance.choice((15, 60, 240, 480, 960))))
    for _ in range(chance.randrange(0, 6)):
        at += chance.choice((1, 30, 200, 1500, 4000))
        if at >= 15 * 24 * 60:
            break
        deed = chance.choice(("pause", "terms") if running else ("resume", "terms"))
        terms = (chance.choice(calendars()), chance.choice((15, 60, 240, 480, 960))) if deed == "terms" else (None, 0)
        story.append((at, deed, *terms))
        running = running if deed == "terms" else deed == "resume"
    stop = at + chance.choice((1, 60, 900, 3000))
    if chance.random() < 0.4:
        story.append((stop, "end", None, 0))
    return story, stop


def test_ten_thousand_stories_read_as_the_simulation_walks_them():
    chance = random.Random(20261122)
    paused_over_terms = 0
    for number in range(CASES):
        story, stop = a_story(chance)
        entries = [
            Entry(BEGIN + at * MINUTE, Deed(deed), Terms(calendar[0], minutes * 60) if calendar else None)
            for at, deed, calendar, minutes in story
        ]
        found = read(entries, now=BEGIN + stop * MINUTE)
        seen = simulate([(at, deed, calendar[1] if calendar else None, minutes) for at, deed, calendar, minutes in story], stop)
        told = (found.spent / 60, _minute(found.due_at), _minute(found.breached_at))
        assert told == (seen.spent, None if story[-1][1] == "end" else seen.due, seen.breached), (number, story, stop)
        deeds = [deed for _at, deed, _calendar, _minutes in story]
        paused_over_terms += any(a == "pause" and b == "terms" for a, b in pairwise(deeds))
    assert paused_over_terms > 500  # the hard ones are among them


def _minute(at):
    return None if at is None else int((at - BEGIN) / MINUTE)


HOURS = WorkingHours(zone="Europe/Moscow", week={day: [(time(9), time(18))] for day in range(5)})
FRIDAY = datetime(2026, 3, 27, 14, 0, tzinfo=UTC)  # 17:00 in Moscow


def test_a_weekend_inside_a_pause_is_not_counted():
    monday = FRIDAY + timedelta(days=3)
    story = [
        Entry(FRIDAY, Deed.START, Terms(HOURS, 7200)),
        Entry(FRIDAY + timedelta(minutes=30), Deed.PAUSE, reason="guest"),
        Entry(monday, Deed.RESUME),
    ]
    found = read(story, now=monday + timedelta(minutes=10))
    assert [span.worked for span in found.spans] == [1800, 0, 600]
    assert found.due_at == datetime(2026, 3, 31, 6, 30, tzinfo=UTC)  # half an hour was left of Monday, another of Tuesday
    assert overlaps(found.spans, [monday - timedelta(hours=1), monday + timedelta(hours=1)]) == [
        (found.spans[1], monday - timedelta(hours=1))
    ]


@pytest.mark.parametrize(
    "deeds",
    [[Deed.PAUSE], [Deed.START, Deed.RESUME], [Deed.START, Deed.PAUSE, Deed.PAUSE], [Deed.START, Deed.END, Deed.PAUSE], [Deed.START] * 2],
)
def test_no_story_at_all(deeds):
    story = [Entry(FRIDAY + number * MINUTE, deed, Terms(HOURS, 60) if deed is Deed.START else None) for number, deed in enumerate(deeds)]
    with pytest.raises(BadStory):
        read(story, now=FRIDAY + timedelta(days=1))


def test_a_story_cannot_run_backwards():
    with pytest.raises(BadStory):
        read([Entry(FRIDAY, Deed.START, Terms(HOURS, 60)), Entry(FRIDAY - MINUTE, Deed.PAUSE)], now=FRIDAY)
