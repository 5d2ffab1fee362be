"""Running SLA clocks: start, pause, resume, meet. All inside the caller's transaction, so a clock never differs from its subject."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, time
from typing import Any

import structlog
from django.db import transaction
from django.db.models import QuerySet

from core import events
from core.statements import Among, Prepared, insert, insert_all, update
from sla.events import ClockBreached
from sla.models import Calendar, Clock, ClockPause, ClockTerms, Metric, Policy
from sla.rules import NoWorkingTime, WorkingHours, deadline, worked

log = structlog.get_logger(__name__)
_hours: dict[tuple[int, str], tuple[float, WorkingHours]] = {}
HOURS_KEPT_SECONDS = 30
# What stands while the next step is the guest's or a third party's.
STANDING = (Metric.RESOLUTION, Metric.HANDOVER, Metric.PERIODIC_UPDATE)


def hours_of(calendar: Calendar, *, now: datetime, zone: str = "") -> WorkingHours:
    """The calendar as working hours, by the wall clock of `zone` (empty = its own).

    A process keeps them half a minute, so a thousand openings read them once.
    """
    key = (calendar.pk, zone or calendar.time_zone)
    kept = _hours.get(key)
    if kept and abs(now.timestamp() - kept[0]) < HOURS_KEPT_SECONDS:
        return kept[1]
    hours = read_hours(calendar, zone=zone)
    _hours[key] = (now.timestamp(), hours)
    return hours


def read_hours(calendar: Calendar, *, zone: str = "") -> WorkingHours:
    """As `hours_of`, read at this moment."""
    week: dict[int, list[tuple[time, time]]] = defaultdict(list)
    for interval in calendar.intervals.all():
        week[interval.weekday].append((interval.starts, interval.ends))
    exceptions: dict[date, Sequence[tuple[time, time]]] = {
        day.date: [(day.starts, day.ends)] if day.starts and day.ends is not None else [] for day in calendar.holidays.all()
    }
    return WorkingHours(zone=zone or calendar.time_zone, week=dict(week), exceptions=exceptions)


def forget_hours() -> None:
    """Read calendars anew at the next use (after a change in this process)."""
    _hours.clear()


def promises(policy: Policy) -> dict[Metric, int]:
    """Target seconds of each promise that the policy makes."""
    minutes = {
        Metric.FIRST_RESPONSE: policy.first_response_minutes,
        Metric.NEXT_RESPONSE: policy.next_response_minutes,
        Metric.RESOLUTION: policy.resolution_minutes,
        Metric.PERIODIC_UPDATE: policy.periodic_minutes,
        Metric.HANDOVER: policy.handover_minutes,
    }
    return {metric: value * 60 for metric, value in minutes.items() if value}


def start(
    *,
    subject: str,
    policy: Policy,
    metrics: Iterable[Metric],
    now: datetime,
    since: datetime | None = None,
    is_new: bool = False,
    store_zone: str = "",
) -> list[Clock]:
    """Start the promised clocks among `metrics`; one that runs already stays as it is. `since` = when the wait began.

    `store_zone` counts when the policy promises by the store's wall clock, `is_new` = the subject cannot have clocks yet.
    Returns the running ones, the nearest due first.
    """
    wanted = {metric: seconds for metric, seconds in promises(policy).items() if metric in set(metrics)}
    if not wanted:
        return []
    begin = min(since or now, now)
    zone = store_zone if policy.in_store_zone else ""
    due = _deadlines(policy.calendar, wanted, begin, now=now, zone=zone)
    cycles = {} if is_new else dict(_CYCLES.all(subject=subject))
    begun = [
        Clock(
            subject=subject,
            metric=metric,
            cycle=cycles.get(metric, 0) + 1,
            policy=policy,
            target_seconds=seconds,
            time_zone=zone,
            started_at=begin,
            resumed_at=begin,
            due_at=due[metric],
        )
        for metric, seconds in wanted.items()
        if metric in due
    ]
    if is_new:
        insert_all(begun)
        return sorted(begun, key=lambda clock: clock.due_at)
    for clock in begun:
        insert(clock, or_nothing=True)
    return list(running(subject))


def _deadlines(calendar: Calendar, wanted: Mapping[Metric, int], begin: datetime, *, now: datetime, zone: str) -> dict[Metric, datetime]:
    """When each promise is due; none for a calendar that never opens: a guest's message must not fail on a setting."""
    hours = hours_of(calendar, now=now, zone=zone)
    try:
        return {metric: deadline(hours, begin, seconds) for metric, seconds in wanted.items()}
    except NoWorkingTime:
        log.error("no clock runs: the calendar never opens", calendar=calendar.pk)
        return {}


_CYCLES = Prepared(lambda subject: Clock.objects.filter(subject=subject).values_list("metric", "cycle").order_by("cycle"))
_RUNNING = Prepared(lambda subject: _unended(subject).order_by("due_at"))
_LOCKED = Prepared(lambda subject, metrics: _locked(subject, metrics))


def _unended(subject: Any) -> "QuerySet[Clock]":
    return Clock.objects.filter(subject=subject, ended_at__isnull=True).select_related("calendar", "policy__calendar")


def _locked(subject: Any, metrics: Any) -> "QuerySet[Clock]":
    return _unended(subject).filter(Among("metric", metrics)).select_for_update(of=("self",)).order_by("pk")


def running(subject: str) -> Sequence[Clock]:
    """Clocks of the subject that have not ended, the nearest due first."""
    return _RUNNING.all(subject=subject)


def next_due(subject: str) -> datetime | None:
    """When the subject's next running (not paused) clock is due."""
    due = [clock.due_at for clock in running(subject) if clock.paused_at is None]
    return min(due, default=None)


def pause(*, subject: str, reason: str, now: datetime, metrics: Iterable[Metric] = STANDING) -> None:
    """Stop the running clocks; the working time used so far is kept."""
    for clock in _lock(subject, metrics):
        if clock.paused_at is not None:
            continue
        _count(clock, now=now)
        clock.paused_at = now
        update(clock, "spent_seconds", "paused_at", "breached_at")
        insert(ClockPause(clock=clock, starts_at=now, reason=reason))


def calendar_of(clock: Clock) -> Calendar:
    """The hours by which a clock that has not ended counts."""
    return clock.calendar or clock.policy.calendar


def _count(clock: Clock, *, now: datetime) -> None:
    """Add the working time of the running clock to what it has used. Does not save."""
    hours = hours_of(calendar_of(clock), now=now, zone=clock.time_zone)
    clock.spent_seconds += worked(hours, clock.resumed_at, now)
    if now > clock.due_at:  # stopping a clock that has run out does not turn it back
        _breach(clock)


def change_policy(*, subject: str, policy: Policy, now: datetime, store_zone: str = "", only_of: int | None = None) -> int:
    """Other promises from now on: each running or standing clock keeps the time it has used; one that is promised no more ends.

    A clock that stands goes on standing (GLPI#6902: a change of policy must not forget the pause). Promises that only the new policy
    makes begin with the next event that starts them. `only_of` = only clocks of the policy with this id: it has changed itself.
    Returns how many clocks have changed; doing it again changes nothing.
    """
    promised = promises(policy)
    zone = store_zone if policy.in_store_zone else ""
    changed = 0
    for clock in _lock(subject, Metric):
        if only_of not in (None, clock.policy_id):
            continue
        seconds = promised.get(Metric(clock.metric))
        if seconds is None:
            _end(clock, now=now, met=False if clock.breached_at else None)
        elif (clock.policy_id, clock.target_seconds, clock.time_zone, clock.calendar_id) == (policy.pk, seconds, zone, None):
            continue
        else:
            _change_terms(clock, policy, seconds, zone, now=now)
        changed += 1
    return changed


def _change_terms(clock: Clock, policy: Policy, seconds: int, zone: str, *, now: datetime) -> None:
    terms = {"policy_id": clock.policy_id, "target_seconds": clock.target_seconds, "time_zone": clock.time_zone}
    insert(ClockTerms(clock=clock, ends_at=now, calendar_id=clock.calendar_id, **terms))
    if clock.paused_at is None:
        _count(clock, now=now)
        clock.resumed_at = now
    clock.policy, clock.calendar, clock.target_seconds, clock.time_zone = policy, None, seconds, zone
    if clock.paused_at is None:
        clock.due_at = _due(clock, now=now)
    update(clock, "policy", "calendar", "target_seconds", "time_zone", "spent_seconds", "resumed_at", "due_at", "breached_at")


def _due(clock: Clock, *, now: datetime) -> datetime:
    """When a clock that runs from now on is due."""
    left = max(0, round(clock.target_seconds - clock.spent_seconds))
    metric = Metric(clock.metric)
    return _deadlines(calendar_of(clock), {metric: left}, now, now=now, zone=clock.time_zone).get(metric, clock.due_at)


def resume(*, subject: str, now: datetime) -> None:
    """Let the paused clocks run on: what was left at the pause is left now, in working time."""
    for clock in _lock(subject, Metric):
        if clock.paused_at is None:
            continue
        clock.due_at = _due(clock, now=now)
        clock.paused_at, clock.resumed_at = None, now
        update(clock, "due_at", "paused_at", "resumed_at")
        ClockPause.objects.filter(clock=clock, ends_at__isnull=True).update(ends_at=now)


def meet(*, subject: str, metrics: Iterable[Metric], now: datetime, started_before: datetime | None = None) -> None:
    """The promise was fulfilled at `now`: in time, or late and then breached. `started_before` leaves later waits running."""
    for clock in _lock(subject, metrics):
        if started_before is not None and clock.started_at > started_before:
            continue
        if clock.paused_at is None and now > clock.due_at:
            _breach(clock)
        _end(clock, now=now, met=clock.breached_at is None)


def cancel(*, subject: str, now: datetime, metrics: Iterable[Metric] = tuple(Metric)) -> None:
    """The promise fell away (nobody waits any more): neither met nor counted as missed, unless it already was."""
    for clock in _lock(subject, metrics):
        _end(clock, now=now, met=False if clock.breached_at else None)


def _lock(subject: str, metrics: Iterable[Metric]) -> list[Clock]:
    return _LOCKED.all(subject=subject, metrics=[str(metric) for metric in metrics])


def _breach(clock: Clock) -> None:
    """Write down once that the promise was not kept in time, and tell of it. Does not save."""
    if clock.breached_at is None:
        clock.breached_at = clock.due_at
        events.publish(ClockBreached(clock_id=clock.pk, subject=clock.subject, metric=clock.metric))


def _end(clock: Clock, *, now: datetime, met: bool | None) -> None:
    clock.ended_at, clock.met = now, met
    update(clock, "ended_at", "met", "breached_at")
    if clock.paused_at is not None:
        ClockPause.objects.filter(clock=clock, ends_at__isnull=True).update(ends_at=now)


def mark_breaches(*, now: datetime, limit: int = 500) -> int:
    """Write down the promises whose time ran out; each is told of once. Returns how many."""
    with transaction.atomic():
        due = Clock.objects.filter(due_at__lt=now, ended_at__isnull=True, paused_at__isnull=True, breached_at__isnull=True)
        late = list(due.select_for_update(skip_locked=True).order_by("due_at")[:limit])
        for clock in late:
            _breach(clock)
        Clock.objects.bulk_update(late, ["breached_at"])
        return len(late)
