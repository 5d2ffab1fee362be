"""Working time against a simulation that walks minute by minute and knows nothing of intervals."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sla.rules import ALWAYS, NoWorkingTime, WorkingHours, deadline, worked

ZONES = ["Europe/Moscow", "Asia/Vladivostok", "Europe/Berlin", "America/New_York", "UTC"]
MINUTE = timedelta(minutes=1)


def is_working(hours, instant):
    """Whether the minute that begins at the instant is working time, by the wall clock."""
    local = instant.astimezone(ZoneInfo(hours.zone))
    for start, end in hours.exceptions.get(local.date(), hours.week.get(local.weekday(), ())):
        if start <= local.time() and (end == time(0) or local.time() < end):
            return True
    return False


def simulate(hours, start, minutes):
    instant, left = start, minutes
    while left:
        left -= is_working(hours, instant)
        instant += MINUTE
    return instant


@st.composite
def calendars(draw):
    times = st.integers(0, 47).map(lambda half: time(half // 2, 30 * (half % 2)))

    def day():
        marks = sorted(draw(st.lists(times, min_size=0, max_size=4, unique=True)))
        return [(a, b) for a, b in zip(marks[::2], marks[1::2], strict=False)]

    week = {weekday: day() for weekday in range(7)}
    week[draw(st.integers(0, 6))] = [(time(9), time(18))]
    holidays = {date(2026, 3, 27) + timedelta(days=draw(st.integers(0, 6))): day() for _ in range(draw(st.integers(0, 2)))}
    return WorkingHours(zone=draw(st.sampled_from(ZONES)), week=week, exceptions=holidays)


# The weeks around the spring change of clocks in Europe (2026-03-29).
starts = st.integers(0, 7 * 24 * 60).map(lambda minute: datetime(2026, 3, 25, tzinfo=UTC) + minute * MINUTE)


# Half past two is left out that night, and the interval begins in it, or ends in it.
IN_THE_GAP = [
    WorkingHours(zone="Europe/Berlin", week={0: [(time(9), time(18))], 6: [span]})
    for span in ((time(2, 30), time(3, 30)), (time(1), time(2, 30)), (time(2), time(2, 30)))
]


@given(calendars(), starts, st.integers(1, 900))
@example(IN_THE_GAP[0], datetime(2026, 3, 25, tzinfo=UTC), 1)
@example(IN_THE_GAP[1], datetime(2026, 3, 25, tzinfo=UTC), 61)
@example(IN_THE_GAP[2], datetime(2026, 3, 25, tzinfo=UTC), 1)
@settings(max_examples=150, deadline=None)
def test_a_deadline_is_where_the_simulation_arrives(hours, start, minutes):
    due = deadline(hours, start, minutes * 60)
    assert due == simulate(hours, start, minutes)


@given(calendars(), starts, st.integers(0, 5000))
@settings(max_examples=150, deadline=None)
def test_worked_time_is_what_the_simulation_counts(hours, start, span):
    end = start + span * MINUTE
    assert worked(hours, start, end) == 60 * sum(is_working(hours, start + n * MINUTE) for n in range(span))


@given(calendars(), starts, st.integers(1, 900))
@settings(max_examples=100, deadline=None)
def test_the_time_until_the_deadline_is_the_promise(hours, start, minutes):
    assert worked(hours, start, deadline(hours, start, minutes * 60)) == minutes * 60


def test_a_calendar_without_working_time_is_refused():
    with pytest.raises(NoWorkingTime):
        deadline(WorkingHours(zone="UTC", week={}), datetime(2026, 1, 1, tzinfo=UTC), 60)


def test_round_the_clock_is_plain_time():
    start = datetime(2026, 3, 29, 0, 30, tzinfo=UTC)
    assert deadline(ALWAYS, start, 86_400) == start + timedelta(days=1)


def test_lunch_is_not_working_time():
    hours = WorkingHours(zone="Europe/Moscow", week={0: [(time(9), time(13)), (time(14), time(18))]})
    monday = datetime(2026, 11, 23, 12, 30, tzinfo=ZoneInfo("Europe/Moscow"))
    assert deadline(hours, monday, 3600) == datetime(2026, 11, 23, 14, 30, tzinfo=ZoneInfo("Europe/Moscow"))
