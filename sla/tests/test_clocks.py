"""Clocks in the database: pauses keep what is left, promises are met or missed once."""

from datetime import timedelta

import pytest
from django.utils import timezone

from sla.models import Clock, ClockPause, Metric
from sla.services import clocks
from tests import builders as b

pytestmark = pytest.mark.django_db
SUBJECT = "case:1"


@pytest.fixture
def now():
    return timezone.now()


@pytest.fixture
def policy():
    return b.a_policy(first=15, resolution=60)


def test_a_pause_keeps_what_is_left(now, policy):
    clocks.start(subject=SUBJECT, policy=policy, metrics=[Metric.RESOLUTION], now=now)
    clocks.pause(subject=SUBJECT, reason="waiting_guest", now=now + timedelta(minutes=20))
    assert clocks.mark_breaches(now=now + timedelta(hours=5)) == 0
    clocks.resume(subject=SUBJECT, now=now + timedelta(hours=10))
    assert Clock.objects.get().due_at == now + timedelta(hours=10, minutes=40)
    pause = ClockPause.objects.get()
    assert pause.ends_at - pause.starts_at == timedelta(hours=9, minutes=40)


def test_a_second_start_changes_nothing(now, policy):
    clocks.start(subject=SUBJECT, policy=policy, metrics=[Metric.FIRST_RESPONSE], now=now)
    clocks.start(subject=SUBJECT, policy=policy, metrics=[Metric.FIRST_RESPONSE], now=now + timedelta(minutes=5))
    assert Clock.objects.get().started_at == now


def test_cycles_count(now, policy):
    for turn in range(3):
        at = now + timedelta(hours=turn)
        clocks.start(subject=SUBJECT, policy=policy, metrics=[Metric.NEXT_RESPONSE], now=at)
        clocks.meet(subject=SUBJECT, metrics=[Metric.NEXT_RESPONSE], now=at + timedelta(minutes=1))
    assert list(Clock.objects.order_by("cycle").values_list("cycle", "met")) == [(1, True), (2, True), (3, True)]


def test_a_breach_is_written_down_once_and_a_late_answer_is_late(now, policy):
    clocks.start(subject=SUBJECT, policy=policy, metrics=[Metric.FIRST_RESPONSE], now=now)
    later = now + timedelta(minutes=16)
    assert [clocks.mark_breaches(now=later), clocks.mark_breaches(now=later)] == [1, 0]
    clocks.meet(subject=SUBJECT, metrics=[Metric.FIRST_RESPONSE], now=later)
    clock = Clock.objects.get()
    assert (clock.met, clock.breached_at) == (False, clock.due_at)


def test_the_wait_begins_with_the_guests_word(now, policy):
    clocks.start(subject=SUBJECT, policy=policy, metrics=[Metric.FIRST_RESPONSE], now=now, since=now - timedelta(minutes=10))
    assert clocks.next_due(SUBJECT) == now + timedelta(minutes=5)
