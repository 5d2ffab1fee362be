"""Hours that policies and calendars had before they were changed: what has been counted stays counted by them."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from itertools import groupby

from django.db.models import Q

from sla.models import Calendar, Clock, ClockTerms, Holiday, Policy, PolicyHours, WorkingInterval
from sla.rules import WorkingHours

Past = Mapping[int, Sequence[PolicyHours]]


def read_past(policy_ids: Sequence[int] | None = None) -> Past:
    """By policy, the hours it had, the oldest first."""
    found = PolicyHours.objects.select_related("calendar").order_by("policy_id", "until", "pk")
    if policy_ids is not None:
        found = found.filter(policy__in=policy_ids)
    return {policy_id: list(rows) for policy_id, rows in groupby(found, key=lambda row: row.policy_id)}


def calendar_at(held: Clock | ClockTerms, past: Past, *, at: datetime | None) -> Calendar:
    """The calendar by which these terms counted; `at` = when they ended, None = they hold."""
    if held.calendar is not None:
        return held.calendar
    policy: Policy = held.policy
    earlier = [row for row in past.get(policy.pk, ()) if at is not None and at <= row.until]
    return earlier[0].calendar if earlier else policy.calendar


def keep_calendar(calendar: Calendar, hours: WorkingHours, *, now: datetime) -> Calendar:
    """The calendar was `hours` until now: a copy that never changes, by which everything counts that has counted by it till now."""
    number = Calendar.objects.filter(frozen_of=calendar).count() + 1
    kept = Calendar.objects.create(
        code=f"{calendar.code[:36]}-past-{number}", name=calendar.name, time_zone=hours.zone, frozen_of=calendar
    )  # fmt: skip
    WorkingInterval.objects.bulk_create(
        WorkingInterval(calendar=kept, weekday=day, starts=starts, ends=ends) for day, spans in hours.week.items() for starts, ends in spans
    )
    Holiday.objects.bulk_create(_holiday(kept, date, spans) for date, spans in hours.exceptions.items())
    for model in (Clock, ClockTerms, PolicyHours):
        model.objects.filter(calendar=calendar).update(calendar=kept)
    for policy in Policy.objects.filter(calendar=calendar).order_by("pk"):
        leave(policy, kept, now=now)
    return kept


def _holiday(calendar: Calendar, day: date, spans: Sequence[tuple[time, time]]) -> Holiday:
    starts, ends = spans[0] if spans else (None, None)
    return Holiday(calendar=calendar, date=day, starts=starts, ends=ends)


def leave(policy: Policy, calendar: Calendar, *, now: datetime) -> None:
    """The policy had this calendar until now: its open clocks stay with it until somebody changes them."""
    PolicyHours.objects.create(policy=policy, calendar=calendar, until=now)
    open_ones = Clock.objects.filter(policy=policy, ended_at__isnull=True)
    ids = list(open_ones.select_for_update().order_by("pk").values_list("pk", flat=True))
    open_ones.filter(pk__in=ids, calendar=None).update(calendar=calendar)
    of_open = Q(clock__ended_at__isnull=True) | Q(clock__ended_at__gt=now)
    ClockTerms.objects.filter(of_open, policy=policy, calendar=None).update(calendar=calendar)
