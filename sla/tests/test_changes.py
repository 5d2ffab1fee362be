"""A changed policy or calendar: what has been counted stays counted, new clocks follow, running ones only if that is wished."""

from datetime import UTC, datetime, time, timedelta

import pytest
from django.core.exceptions import ValidationError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sla import subjects
from sla.models import Calendar, ChangeState, Clock, Holiday, Metric, Policy, TermsChange, WorkingInterval
from sla.rules import overlapping
from sla.services import changes, clocks, holidays, previews, stories

pytestmark = pytest.mark.django_db
# A Monday; Moscow is three hours ahead.
NOW = datetime(2026, 11, 23, 7, tzinfo=UTC)
HOUR = timedelta(hours=1)
METRICS = (Metric.FIRST_RESPONSE, Metric.RESOLUTION)


def a_calendar(code, days=(0, 1, 2, 3, 4), hours=((time(9), time(18)),)):
    calendar = Calendar.objects.create(code=code, name=code, time_zone="Europe/Moscow")
    WorkingInterval.objects.bulk_create(
        WorkingInterval(calendar=calendar, weekday=day, starts=starts, ends=ends) for day in days for starts, ends in hours
    )
    return calendar


@pytest.fixture
def policy():
    clocks.forget_hours()
    yield Policy.objects.create(
        code="office", name="Офис", calendar=a_calendar("office"), first_response_minutes=60, resolution_minutes=480
    )  # fmt: skip
    clocks.forget_hours()


def started(policy, number=1, *, at=NOW):
    clocks.start(subject=f"thing:{number}", policy=policy, metrics=METRICS, now=at)
    return resolution(number)


def resolution(number=1):
    return Clock.objects.select_related("policy", "calendar").get(subject=f"thing:{number}", metric=Metric.RESOLUTION)


def put_on(policy, **fields):
    """As the panel does: the row changes inside."""
    for name, value in fields.items():
        setattr(policy, name, value)
    policy.save()


def finish(now):
    while unfinished := changes.unfinished():
        for change_id in unfinished:
            changes.carry_on(change_id, now=now)


def agrees(now):
    return list(stories.differences(Clock.objects.all(), now=now)) == []


def test_for_new_clocks_only_leaves_the_running_ones(policy):
    old = started(policy)
    with changes.changing(policy, to_running=False, by=None, now=NOW + HOUR):
        put_on(policy, resolution_minutes=60)
    assert resolution().due_at == old.due_at
    assert started(policy, 2, at=NOW + HOUR).target_seconds == 3600
    assert not TermsChange.objects.exists()
    assert agrees(NOW + HOUR)


def test_applied_the_time_used_stays_and_the_rest_changes(policy):
    started(policy)
    with changes.changing(policy, to_running=True, by=None, now=NOW + HOUR):
        put_on(policy, resolution_minutes=120, first_response_minutes=None)
    assert resolution().target_seconds == 480 * 60
    finish(NOW + HOUR)
    clock = resolution()
    assert (clock.target_seconds, clock.due_at) == (7200, NOW + 2 * HOUR)
    assert clock.earlier_terms.get().target_seconds == 480 * 60
    assert Clock.objects.get(metric=Metric.FIRST_RESPONSE).met is None
    change = TermsChange.objects.get()
    assert (change.state, change.looked_at, change.changed) == (ChangeState.DONE, 2, 2)
    assert agrees(NOW + 3 * HOUR)


@pytest.mark.parametrize("to_running", [False, True])
def test_another_calendar_counts_only_from_the_change_on(policy, to_running):
    """The change comes on Monday at 11; from then on it is worked round the clock. Eight hours were promised, one is used."""
    started(policy)
    ended = started(policy, 2)
    clocks.meet(subject="thing:2", metrics=METRICS, now=NOW + HOUR / 2)
    always = a_calendar("always", range(7), ((time(0), time(0)),))
    with changes.changing(policy, to_running=to_running, by=None, now=NOW + HOUR):
        put_on(policy, calendar=always)
    finish(NOW + HOUR)
    # By the office's hours: 10 to 18 on Monday. Round the clock the seven hours left end at the same instant.
    assert resolution().due_at == NOW + 8 * HOUR
    late = NOW + 5 * HOUR
    clocks.pause(subject="thing:1", reason="waiting_guest", now=late)
    clocks.resume(subject="thing:1", now=late + 10 * HOUR)
    # Three hours are left, and it is one o'clock at night.
    assert resolution().due_at == (late + 13 * HOUR if to_running else datetime(2026, 11, 24, 9, tzinfo=UTC))
    assert stories.story(stories.told(Clock.objects.filter(pk=ended.pk)).get(), now=late).spent == 1800
    assert agrees(late + 11 * HOUR)


@pytest.mark.parametrize("to_running", [False, True])
def test_changed_hours_of_a_calendar(policy, to_running):
    """From eleven on the day ends at 16 instead of 18: of eight hours one is used, five are left for today, two for tomorrow."""
    started(policy)
    calendar = policy.calendar
    with changes.changing(calendar, to_running=to_running, by=None, now=NOW + HOUR):
        calendar.intervals.update(ends=time(16))
    finish(NOW + HOUR)
    assert resolution().due_at == (datetime(2026, 11, 24, 8, tzinfo=UTC) if to_running else NOW + 8 * HOUR)
    assert started(policy, 2, at=NOW + HOUR).due_at == datetime(2026, 11, 24, 9, tzinfo=UTC)
    assert Calendar.objects.filter(frozen_of=calendar).count() == 1
    assert agrees(NOW + 2 * HOUR)


def test_holidays_from_a_file_move_what_runs(policy):
    started(policy, at=NOW + 7 * HOUR)
    assert resolution().due_at == datetime(2026, 11, 24, 13, tzinfo=UTC)
    holidays.load(
        calendar=policy.calendar, days=holidays.read("date,name,starts,ends\n2026-11-24,Праздник,,\n"), by=None, now=NOW + 7 * HOUR
    )
    finish(NOW + 7 * HOUR)
    assert resolution().due_at == datetime(2026, 11, 25, 13, tzinfo=UTC)
    assert agrees(NOW + 8 * HOUR)


def test_what_changes_nothing_for_clocks_leaves_no_trace(policy):
    started(policy)
    with changes.changing(policy, to_running=True, by=None, now=NOW):
        put_on(policy, name="Иначе")
    assert not TermsChange.objects.exists()
    assert not Calendar.objects.exclude(frozen_of=None).exists()


def test_a_standing_clock_goes_on_standing(policy):
    started(policy)
    clocks.pause(subject="thing:1", reason="waiting_guest", now=NOW + HOUR)
    with changes.changing(policy, to_running=True, by=None, now=NOW + 2 * HOUR):
        put_on(policy, resolution_minutes=120)
    finish(NOW + 2 * HOUR)
    assert resolution().paused_at == NOW + HOUR
    clocks.resume(subject="thing:1", now=NOW + 3 * HOUR)
    assert resolution().due_at == NOW + 4 * HOUR


def test_a_killed_round_goes_on_where_it_was_and_nothing_is_done_twice(policy, monkeypatch):
    monkeypatch.setattr(changes, "BATCH", 3)
    for number in range(1, 8):
        started(policy, number)
    with changes.changing(policy, to_running=True, by=None, now=NOW):
        put_on(policy, resolution_minutes=60)
    (change_id,) = changes.unfinished()
    real, done = clocks.change_policy, []

    def dying(**given):
        if len(done) == 4:
            raise KeyboardInterrupt
        done.append(given["subject"])
        return real(**given)

    monkeypatch.setattr(clocks, "change_policy", dying)
    with pytest.raises(KeyboardInterrupt):
        changes.carry_on(change_id, now=NOW)
    monkeypatch.setattr(clocks, "change_policy", real)
    assert changes.carry_on(change_id, now=NOW, seconds=0) is False
    finish(NOW)
    assert set(Clock.objects.filter(metric=Metric.RESOLUTION).values_list("target_seconds", flat=True)) == {3600}
    assert all(clock.earlier_terms.count() == 1 for clock in Clock.objects.filter(metric=Metric.RESOLUTION))
    assert agrees(NOW + HOUR)


def test_one_bad_subject_does_not_hold_up_the_others(policy):
    class Broken:
        kind = "thing"

        def carry_out(self, subject_id, deed, *, policy, now):
            if subject_id == 1:
                raise ValueError
            return deed("")

        def names(self, ids):
            return {}

    for number in (1, 2):
        started(policy, number)
    subjects.register(Broken())
    try:
        with changes.changing(policy, to_running=True, by=None, now=NOW):
            put_on(policy, resolution_minutes=60)
        finish(NOW)
    finally:
        subjects._kinds.pop("thing")
    assert [resolution(number).target_seconds for number in (1, 2)] == [480 * 60, 3600]
    assert TermsChange.objects.get().failed == 1


# What happens to each clock before the change: when it began, when it stood, in minutes.
lives = st.lists(
    st.tuples(st.integers(0, 4000), st.one_of(st.none(), st.tuples(st.integers(1, 900), st.one_of(st.none(), st.integers(1, 900))))),
    min_size=1,
    max_size=5,
)
a_day = st.tuples(st.integers(6, 11), st.integers(13, 20))
minutes = st.integers(30, 2000)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    lives,
    st.integers(30, 2000),
    st.one_of(st.none(), st.integers(30, 2000)),
    st.tuples(st.integers(6, 11), st.integers(13, 20)),
    st.booleans(),
)
def test_what_the_preview_says_is_what_applying_does(policy, told, resolution_minutes, first, span, by_calendar):
    Clock.objects.all().delete()
    put_on(policy, resolution_minutes=480, first_response_minutes=60)
    policy.calendar.intervals.update(starts=time(9), ends=time(18))
    clocks.forget_hours()
    start = NOW - timedelta(minutes=4000)
    for number, (after, pause) in enumerate(told, 1):
        begun = start + timedelta(minutes=after)
        started(policy, number, at=begun)
        if pause and begun + timedelta(minutes=pause[0]) < NOW:
            clocks.pause(subject=f"thing:{number}", reason="waiting_guest", now=begun + timedelta(minutes=pause[0]))
            if pause[1] and begun + timedelta(minutes=sum(pause)) < NOW:
                clocks.resume(subject=f"thing:{number}", now=begun + timedelta(minutes=sum(pause)))
    clocks.mark_breaches(now=NOW)
    was = {clock.pk: (clock.due_at, clock.breached_at) for clock in Clock.objects.all()}
    policy = Policy.objects.get(pk=policy.pk)
    thing = policy.calendar if by_calendar else policy
    before = changes.said_by(thing)
    if by_calendar:
        thing.intervals.update(starts=time(span[0]), ends=time(span[1]))
    else:
        put_on(policy, resolution_minutes=resolution_minutes, first_response_minutes=first)
    seen = previews.preview(thing, before, now=NOW)
    clocks.forget_hours()
    if changes.keep_past(thing, before, now=NOW):
        changes.begin(thing, by=None, now=NOW)
    finish(NOW)
    running = list(Clock.objects.filter(ended_at=None))
    moved = [clock for clock in running if clock.paused_at is None and abs((clock.due_at - was[clock.pk][0]).total_seconds()) > 1]
    assert seen.later == sum(clock.due_at > was[clock.pk][0] for clock in moved)
    assert seen.earlier == sum(clock.due_at < was[clock.pk][0] for clock in moved)
    assert seen.ended == Clock.objects.exclude(ended_at=None).count()
    assert seen.total == seen.looked == len(was)
    at_once = [clock for clock in moved if was[clock.pk][1] is None and clock.target_seconds - clock.spent_seconds <= 0]
    assert seen.breaks == len(at_once)
    assert agrees(NOW)


def test_a_preview_writes_nothing_and_names_a_calendar_that_never_opens(policy):
    started(policy)
    before, rows = changes.said_by(policy.calendar), Clock.objects.values().get(metric=Metric.RESOLUTION)
    policy.calendar.intervals.all().delete()
    found = previews.preview(policy.calendar, before, now=NOW)
    assert (found.impossible, found.moved) == (2, 0)
    assert Clock.objects.values().get(metric=Metric.RESOLUTION) == rows
    with pytest.raises(ValidationError, match="нет рабочего времени"):
        Policy(code="x", name="x", calendar=policy.calendar, resolution_minutes=5).full_clean()


@pytest.mark.parametrize(
    ("spans", "overlap"),
    [
        ([(9, 13), (14, 18)], False),
        ([(9, 13), (13, 18)], False),
        ([(9, 14), (13, 18)], True),
        ([(20, 0), (22, 23)], True),
        ([(20, 0), (9, 12)], False),
        ([(0, 0), (1, 2)], True),
    ],
)
def test_intervals_of_a_day_that_overlap(spans, overlap):
    assert overlapping([(time(starts), time(ends)) for starts, ends in spans]) is overlap


def test_a_year_of_holidays_is_told_apart_from_a_short_week(policy):
    Holiday.objects.bulk_create(Holiday(calendar=policy.calendar, date=(NOW + timedelta(days=day)).date()) for day in range(-2, 400))
    clocks.forget_hours()
    assert clocks.start(subject="thing:9", policy=policy, metrics=METRICS, now=NOW) == []
