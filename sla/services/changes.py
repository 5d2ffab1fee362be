"""A policy or calendar is changed: for what begins from now on, or for the clocks that run, too, in the background.

What has been counted stays counted: hours that are changed are kept as they were (`past_hours`), and clocks that are not changed go on
by them.
"""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

import structlog
from django.db import transaction
from django.db.models import QuerySet

from accounts.models import Staff
from core import audit
from core.locks import only_one
from sla import subjects
from sla.models import Calendar, ChangeState, Clock, Metric, Policy, TermsChange
from sla.rules import WorkingHours
from sla.services import clocks
from sla.services.past_hours import keep_calendar, leave

log = structlog.get_logger(__name__)
BATCH = 200
SECONDS = 60.0


@dataclass(frozen=True)
class Said:
    """What a policy promises, or a calendar says; equal = nothing has changed for clocks."""

    promises: Mapping[Metric, int] | None = None
    in_store_zone: bool = False
    calendar_id: int | None = None
    hours: WorkingHours | None = None


def said_by(thing: Policy | Calendar) -> Said:
    """What it says at this moment in the database."""
    if isinstance(thing, Calendar):
        return Said(hours=clocks.read_hours(Calendar.objects.get(pk=thing.pk)))
    policy = Policy.objects.get(pk=thing.pk)
    return Said(clocks.promises(policy), policy.in_store_zone, policy.calendar_id)


def running_under(thing: Policy | Calendar) -> "QuerySet[Clock]":
    """Clocks that have not ended and that the policy, or a policy with the calendar, gave their terms."""
    open_ones = Clock.objects.filter(ended_at__isnull=True)
    return open_ones.filter(policy__calendar=thing) if isinstance(thing, Calendar) else open_ones.filter(policy=thing)


def keep_past(thing: Policy | Calendar, before: Said, *, now: datetime) -> bool:
    """After it was changed, inside the same transaction: what ran so far goes on as before. False = nothing has changed."""
    after = said_by(thing)
    if before == after:
        return False
    if isinstance(thing, Calendar):
        assert before.hours is not None
        keep_calendar(thing, before.hours, now=now)
        transaction.on_commit(clocks.forget_hours)
    elif before.calendar_id is not None and before.calendar_id != after.calendar_id:
        leave(thing, Calendar.objects.get(pk=before.calendar_id), now=now)
    return True


@contextmanager
def changing(thing: Policy | Calendar, *, to_running: bool, by: Staff | None, now: datetime) -> Iterator[None]:
    """Change the policy or calendar inside this: one transaction; `to_running` applies the change to clocks that run."""
    with transaction.atomic():
        before = said_by(thing)
        yield
        if keep_past(thing, before, now=now) and to_running:
            begin(thing, by=by, now=now)


def begin(thing: Policy | Calendar, *, by: Staff | None, now: datetime) -> TermsChange:
    """Have the change applied to the clocks that run; the sweep carries it out."""
    with transaction.atomic():
        policy, calendar = (None, thing) if isinstance(thing, Calendar) else (thing, None)
        made = TermsChange.objects.create(by=by, made_at=now, policy=policy, calendar=calendar)
        audit.record(action="terms.applied", by=by, subject=thing, now=now, details={"change": made.pk})
        return made


def unfinished() -> list[int]:
    """Changes that are being applied, the oldest first."""
    return list(TermsChange.objects.filter(state=ChangeState.RUNNING).order_by("pk").values_list("pk", flat=True))


def carry_on(change_id: int, *, now: datetime, seconds: float = SECONDS) -> bool:
    """Apply the change for so long; True = done. Safe at any time: a killed round begins again at its batch, one process at a time."""
    with only_one(f"terms change {change_id}") as alone:
        change = TermsChange.objects.select_related("policy", "calendar").get(pk=change_id)
        if not alone or change.state == ChangeState.DONE:
            return change.state == ChangeState.DONE
        clocks.forget_hours()
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            if not _batch(change, now=now):
                return True
        return False


def _batch(change: TermsChange, *, now: datetime) -> bool:
    """The next clocks in the order of their ids; False = there were none left."""
    thing = change.policy or change.calendar
    assert thing is not None
    found = running_under(thing).filter(pk__gt=change.last_clock_id).order_by("pk")
    rows = list(found.values_list("pk", "subject", "policy")[:BATCH])
    policies = Policy.objects.select_related("calendar").in_bulk({policy_id for _pk, _subject, policy_id in rows})
    for subject, policy_id in dict.fromkeys((subject, policy_id) for _pk, subject, policy_id in rows):
        try:
            change.changed += _apply(subject, policies[policy_id], now=now)
        except Exception:  # one bad subject must not hold up the others
            log.exception("terms were not applied", subject=subject, change=change.pk)
            change.failed += 1
    change.looked_at += len(rows)
    if rows:
        change.last_clock_id = rows[-1][0]
    else:
        change.state, change.done_at = ChangeState.DONE, now
    change.save()
    return bool(rows)


def _apply(subject: str, policy: Policy, *, now: datetime) -> int:
    def deed(store_zone: str) -> int:
        return clocks.change_policy(subject=subject, policy=policy, now=now, store_zone=store_zone, only_of=policy.pk)

    with transaction.atomic():
        found = subjects.of(subject)
        return found[0].carry_out(found[1], deed, policy=policy.name, now=now) if found else deed("")
