"""The silence alarm: what is usual, what is alarming, who is told; and the count of hours that it learns from."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.core import mail
from hypothesis import given
from hypothesis import strategies as st

from omni.models import ChannelAccount, HourCount, InboundEvent, Silence, SilenceRule
from omni.services import silence
from omni.silence import HOUR, Thresholds, expected_between, hour_of_week, judge, learn, usual
from omni.states import AccountState, EventState
from tests import builders as b

MOSCOW = ZoneInfo("Europe/Moscow")
MONDAY = datetime(2026, 3, 2, tzinfo=MOSCOW).astimezone(UTC)


@pytest.mark.parametrize(("counts", "found"), [([], 0), ([4], 4), ([4, 8], 6), ([4, 8, 900], 6), ([0, 0, 0, 50], 0), ([3, 3, 3, 3], 3)])
def test_what_is_usual(counts, found):
    assert usual(counts) == found


def test_hours_are_of_the_local_week():
    assert hour_of_week(MONDAY, MOSCOW) == 0
    assert hour_of_week(MONDAY - timedelta(minutes=1), MOSCOW) == 167
    assert hour_of_week(datetime(2026, 3, 4, 12, 59, tzinfo=UTC), MOSCOW) == 2 * 24 + 15


DAY = dict.fromkeys(range(168), 2.0) | {day * 24 + hour: 120.0 for day in range(7) for hour in range(9, 22)}
NOON, NIGHT = MONDAY + timedelta(hours=12), MONDAY + timedelta(hours=3)
RULES = Thresholds()
JUDGED = [
    # now, minutes of silence, seen within the hour, alarm?
    (NOON, 1, 110, False),
    (NOON, 9, 100, False),  # enough is missing, but ten minutes are the least
    (NOON, 11, 90, True),
    (NIGHT, 11, 1, False),
    (NIGHT, 120, 0, False),  # four are missing: at night nobody writes
    (NIGHT, 179, 0, False),
    (NOON, 0, 20, True),  # a sixth of the usual
    (NOON, 0, 30, False),
    (NIGHT, 0, 0, False),
]


@pytest.mark.parametrize(("now", "minutes", "seen", "alarm"), JUDGED)
def test_by_day_ten_minutes_are_alarming_by_night_they_are_not(now, minutes, seen, alarm):
    verdict = judge(rates=DAY, last_at=now - timedelta(minutes=minutes), seen=seen, now=now, thresholds=RULES, zone=MOSCOW)
    assert bool(verdict) is alarm


def test_without_knowledge_nothing_is_alarming():
    assert judge(rates={}, last_at=NOON - timedelta(days=90), seen=0, now=NOON, thresholds=RULES, zone=MOSCOW) is None


@given(st.floats(0, 300), st.integers(0, 5000), st.integers(0, 5000))
def test_what_is_expected_adds_up(offset, first, second):
    start = MONDAY + timedelta(hours=offset)
    middle, end = start + timedelta(minutes=first), start + timedelta(minutes=first + second)
    whole = expected_between(DAY, start, end, zone=MOSCOW)
    parts = expected_between(DAY, start, middle, zone=MOSCOW) + expected_between(DAY, middle, end, zone=MOSCOW)
    assert whole == pytest.approx(parts)


@given(st.integers(0, 167), st.integers(0, 600), st.integers(0, 600))
def test_longer_silence_is_never_less_alarming(hour, shorter, longer):
    now = MONDAY + hour * HOUR
    verdicts = [
        judge(rates=DAY, last_at=now - timedelta(minutes=minutes), seen=1000, now=now, thresholds=RULES, zone=MOSCOW)
        for minutes in sorted((shorter, longer))
    ]
    assert not (verdicts[0] and not verdicts[1])


def test_learning_takes_the_same_hour_of_earlier_weeks():
    hours = {NOON - timedelta(weeks=week): count for week, count in enumerate([999, 10, 20, 30]) if week}
    hours[NOON - timedelta(weeks=3, hours=5)] = 0
    assert learn(hours, now=NOON, weeks=6, zone=MOSCOW)[12] == 15  # 999 is the present hour; the highest is left out


# With rows


@pytest.fixture
def busy(db):
    """An account that brings an event each minute by day, known for three weeks up to Monday noon."""
    account = b.an_account()
    start = NOON - timedelta(weeks=3)
    rows = [HourCount(account=account, hour=start + number * HOUR, count=60) for number in range(3 * 168)]
    HourCount.objects.bulk_create(rows)
    return account


def an_event(account, at, number):
    return InboundEvent.objects.create(account=account, key=f"k{number}", body=b"{}", received_at=at, state=EventState.PROCESSED)


def test_an_alarm_begins_is_told_once_and_ends(busy, mailoutbox):
    SilenceRule.objects.create(mail_to="duty@example.com\n\nchief@example.com")
    for minute in range(60):
        an_event(busy, NOON - HOUR + timedelta(minutes=minute), 100 + minute)
    an_event(busy, NOON + timedelta(minutes=1), 1)
    assert silence.watch(now=NOON + timedelta(minutes=9)) == []
    (found,) = silence.watch(now=NOON + timedelta(minutes=12))
    assert (found.since, found.seen) == (NOON + timedelta(minutes=1), 0)
    assert found.expected == pytest.approx(11, abs=0.1)
    silence.watch(now=NOON + timedelta(minutes=20))
    assert Silence.objects.count() == 1
    assert Silence.objects.get().expected == pytest.approx(19, abs=0.1)
    assert [message.to for message in mail.outbox] == [["duty@example.com", "chief@example.com"]]
    assert Silence.objects.get().told_at is not None
    for number in range(60):
        an_event(busy, NOON + timedelta(minutes=20, seconds=number), 10 + number)
    assert silence.watch(now=NOON + timedelta(minutes=22)) == []
    assert Silence.objects.get().ended_at == NOON + timedelta(minutes=22)


def test_an_account_that_is_new_off_or_excepted_is_not_judged(busy):
    SilenceRule.objects.create(account=busy, is_on=False)
    new = b.an_account("webchat")
    HourCount.objects.create(account=new, hour=NOON - timedelta(days=3), count=500)
    off = b.an_account("vk")
    ChannelAccount.objects.filter(pk=off.pk).update(state=AccountState.DISABLED)
    assert silence.watch(now=NOON + timedelta(hours=5)) == []


def test_hours_are_counted_once_and_caught_up_in_parts(db):
    account = b.an_account()
    for number in range(5):
        an_event(account, NOON - timedelta(hours=50) + timedelta(minutes=number), number)
    an_event(account, NOON - timedelta(minutes=30), 90)
    an_event(account, NOON + timedelta(minutes=5), 91)
    now = NOON + timedelta(minutes=10)
    assert [silence.count_hours(now=now) for _ in range(4)] == [24, 24, 2, 0]
    counted = dict(HourCount.objects.exclude(count=0).values_list("hour", "count"))
    assert counted == {NOON - timedelta(hours=50): 5, NOON - HOUR: 1}
    silence.count_hours(now=NOON + timedelta(minutes=70))
    assert HourCount.objects.get(hour=NOON).count == 1
