"""What the service writes down is what the story of the clock says, whatever happens to it."""

import random
from datetime import UTC, date, datetime, time, timedelta

import pytest
from django.db import transaction

from sla.ledger import Deed
from sla.models import Calendar, Clock, ClockPause, Holiday, Metric, Policy, WorkingInterval
from sla.services import clocks, stories

pytestmark = pytest.mark.django_db
START = datetime(2026, 3, 24, 6, 0, tzinfo=UTC)
METRICS = (Metric.FIRST_RESPONSE, Metric.RESOLUTION, Metric.PERIODIC_UPDATE, Metric.HANDOVER)


@pytest.fixture
def policies():
    clocks.forget_hours()
    made = []
    for number, (zone, opens, closes, minutes) in enumerate(
        [("Europe/Moscow", 9, 18, 240), ("Europe/Berlin", 8, 20, 600), ("Asia/Vladivostok", 0, 0, 90), ("America/New_York", 10, 23, 30)]
    ):
        calendar = Calendar.objects.create(code=f"c{number}", name=f"c{number}", time_zone=zone)
        days = range(7) if opens == closes else range(5)
        WorkingInterval.objects.bulk_create(
            WorkingInterval(calendar=calendar, weekday=day, starts=time(opens), ends=time(closes)) for day in days
        )
        Holiday.objects.create(calendar=calendar, date=date(2026, 3, 27), name="праздник")
        fields = {
            f"{metric}_minutes": minutes + 15 * at for at, metric in enumerate(("first_response", "resolution", "periodic", "handover"))
        }
        made.append(Policy.objects.create(code=f"p{number}", name=f"p{number}", calendar=calendar, in_store_zone=number == 1, **fields))
    Policy.objects.filter(pk=made[3].pk).update(handover_minutes=None)
    return list(Policy.objects.select_related("calendar").order_by("pk"))


def live(subject, policies, chance):
    """A random life of a subject's clocks; returns its last instant."""
    at = START + timedelta(minutes=chance.randrange(3000))
    clocks.start(subject=subject, policy=chance.choice(policies), metrics=METRICS, now=at, is_new=True, store_zone="Asia/Omsk")
    for _ in range(chance.randrange(8)):
        at += timedelta(seconds=chance.choice((30, 1800, 20_000, 90_000, 260_000)))
        deed = chance.choice(("pause", "resume", "policy", "meet", "breach"))
        if deed == "pause":
            clocks.pause(subject=subject, reason="waiting_guest", now=at)
        elif deed == "resume":
            clocks.resume(subject=subject, now=at)
        elif deed == "policy":
            clocks.change_policy(subject=subject, policy=chance.choice(policies), now=at, store_zone="Asia/Omsk")
        elif deed == "meet":
            clocks.meet(subject=subject, metrics=[chance.choice(METRICS)], now=at)
        else:
            clocks.mark_breaches(now=at)
    return at


@pytest.mark.parametrize("seed", range(6))
def test_every_row_is_what_its_story_says(policies, seed):
    chance = random.Random(seed)
    with transaction.atomic():
        last = max(live(f"case:{seed}{number}", policies, chance) for number in range(25))
    assert list(stories.differences(Clock.objects.all(), now=last + timedelta(days=1))) == []
    assert ClockPause.objects.exists()


def test_a_row_that_lies_is_found(policies):
    clocks.start(subject="case:1", policy=policies[0], metrics=[Metric.RESOLUTION], now=START)
    Clock.objects.update(due_at=START + timedelta(days=40))
    [found] = stories.differences(Clock.objects.all(), now=START)
    assert (found.field, found.kept) == ("due_at", START + timedelta(days=40))


def test_a_change_of_policy_while_standing_keeps_the_pause(policies):
    clocks.start(subject="case:1", policy=policies[2], metrics=[Metric.RESOLUTION], now=START)
    clocks.pause(subject="case:1", reason="waiting_guest", now=START + timedelta(minutes=60))
    clocks.change_policy(subject="case:1", policy=policies[1], now=START + timedelta(minutes=90), store_zone="Asia/Omsk")
    [clock] = clocks.running("case:1")
    assert clock.paused_at is not None
    assert clock.spent_seconds == 3600
    assert clock.time_zone == "Asia/Omsk"
    [(_clock, reading)] = stories.list_stories("case:1", now=START + timedelta(minutes=100))
    assert [(span.is_running, round(span.worked)) for span in reading.spans] == [(True, 3600), (False, 0), (False, 0)]
    assert reading.due_at is None


def test_what_is_not_promised_any_more_ends(policies):
    clocks.start(subject="case:1", policy=policies[0], metrics=METRICS, now=START)
    clocks.change_policy(subject="case:1", policy=policies[3], now=START + timedelta(minutes=1))
    assert {clock.metric for clock in clocks.running("case:1")} == {Metric.FIRST_RESPONSE, Metric.RESOLUTION, Metric.PERIODIC_UPDATE}


def test_the_hours_are_the_stores(policies):
    [here] = clocks.start(subject="case:1", policy=policies[1], metrics=[Metric.FIRST_RESPONSE], now=START, store_zone="")
    [there] = clocks.start(subject="case:2", policy=policies[1], metrics=[Metric.FIRST_RESPONSE], now=START, store_zone="Asia/Omsk")
    # 600 minutes from 6:00 UTC: Berlin opens at 7:00 UTC for twelve hours, Omsk (UTC+6) has been open since 2:00 UTC and closes at 14:00.
    assert here.due_at == datetime(2026, 3, 24, 17, 0, tzinfo=UTC)
    assert there.due_at == datetime(2026, 3, 25, 4, 0, tzinfo=UTC)


def test_the_entries_are_in_order(policies):
    clocks.start(subject="case:1", policy=policies[0], metrics=[Metric.RESOLUTION], now=START)
    clocks.pause(subject="case:1", reason="r", now=START)
    clocks.resume(subject="case:1", now=START)
    clocks.change_policy(subject="case:1", policy=policies[2], now=START)
    [clock] = stories.told(Clock.objects.all())
    deeds = [entry.deed for entry in stories.entries_of(clock, now=START)]
    assert deeds[0] is Deed.START
    assert set(deeds) == {Deed.START, Deed.PAUSE, Deed.RESUME, Deed.TERMS}
