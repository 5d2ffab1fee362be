"""The watchman: looks at escalation from outside and raises an alarm where it does not do its work."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from core import events
from escalation.events import AlarmRaised
from escalation.models import Alarm, Delivery, EscalationSettings, Run, RunEvent
from escalation.services import limits
from escalation.services.delivering import WAITING
from escalation.services.people import read_people
from escalation.states import AlarmKind, Channel, DeliveryState, EventKind, RunState

log = structlog.get_logger(__name__)
BATCH = 500


def watch(*, now: datetime) -> int:
    """Raise alarms for what is wrong, end those whose cause is gone. Returns how many were raised."""
    numbers = limits.current()
    overdue = _overdue(numbers, now)
    raised = sum(_raise(AlarmKind.OVERDUE, run, since=run.next_at or now, now=now) for run in overdue[:BATCH])
    raised += sum(_raise(AlarmKind.FAULT, run, since=now, now=now) for run in _faulty()[:BATCH])
    raised += sum(_raise(AlarmKind.SILENCE, run, since=run.started_at, now=now) for run in _silent()[:BATCH])
    unsent = _unsent(numbers, now).order_by("created_at").first()
    if unsent is not None:
        raised += _raise(AlarmKind.UNSENT, None, since=unsent.created_at, now=now, details={"channel": unsent.channel})
    _end_past(overdue, is_unsent=unsent is not None, now=now)
    return raised


def _overdue(numbers: EscalationSettings, now: datetime) -> "QuerySet[Run]":
    """Open, nobody has it, and its next step should have been carried out a while ago."""
    limit = now - timedelta(seconds=numbers.overdue_seconds)
    return Run.objects.filter(state=RunState.CALLING, next_at__lt=limit).order_by("next_at")


def _faulty() -> "QuerySet[Run]":
    return Run.objects.exclude(fault="").filter(ended_at__isnull=True)


def _silent() -> "QuerySet[Run]":
    """All that could be called was called, the last level has missed its clock, and nobody has taken it."""
    missed = RunEvent.objects.filter(run=OuterRef("pk"), turn=OuterRef("turn"), kind=EventKind.REACTION_MISSED)
    calling = Run.objects.filter(state=RunState.CALLING, step_at__isnull=True, reaction_due__isnull=True)
    return calling.filter(Exists(missed)).order_by("started_at")


def _unsent(numbers: EscalationSettings, now: datetime) -> "QuerySet[Delivery]":
    limit = now - timedelta(minutes=numbers.unsent_minutes)
    return Delivery.objects.filter(state__in=[*WAITING, DeliveryState.SENDING], created_at__lt=limit)


def _raise(kind: AlarmKind, run: Run | None, *, since: datetime, now: datetime, details: Mapping[str, Any] | None = None) -> int:
    with transaction.atomic():
        alarm, made = Alarm.objects.get_or_create(
            kind=kind, run=run, ended_at=None, defaults={"raised_at": now, "since": since, "details": dict(details or {})}
        )
        if made:
            log.error("escalation alarm", alarm=kind, run_id=run.pk if run else None, since=since.isoformat())
            _tell_owner(alarm, now=now)
            events.publish(AlarmRaised(alarm.pk, kind))
    return int(made)


def _tell_owner(alarm: Alarm, *, now: datetime) -> None:
    """The map's owner hears of it by another way than the ladder itself: by e-mail, else by whatever there is."""
    run = alarm.run
    owner_id = run.line.map.owner_id if run and run.line else None
    person = read_people([owner_id]).get(owner_id) if run and owner_id else None
    if run is None or person is None:
        return
    for channel, address in person.reached_by([Channel.EMAIL]):
        Delivery.objects.create(
            run=run, turn=run.turn, key=f"alarm:{alarm.pk}", level=run.level, channel=channel, recipient=f"staff:{person.staff_id}",
            staff_id=person.staff_id, address=address, heading=str(alarm)[:200], message=f"{alarm}: {run.title}",
            created_at=now, next_at=now,
        )  # fmt: skip


def _end_past(overdue: "QuerySet[Run]", *, is_unsent: bool, now: datetime) -> None:
    """An alarm ends when its cause is gone."""
    standing = {
        AlarmKind.OVERDUE: overdue.order_by(),
        AlarmKind.FAULT: _faulty(),
        AlarmKind.SILENCE: _silent().order_by(),
    }
    for kind, runs in standing.items():
        Alarm.objects.filter(kind=kind, ended_at__isnull=True).exclude(run__in=runs.values("pk")).update(ended_at=now)
    if not is_unsent:
        Alarm.objects.filter(kind=AlarmKind.UNSENT, ended_at__isnull=True).update(ended_at=now)


def oldest_due_seconds(*, now: datetime) -> float:
    """How long the most overdue step waits; 0 = nothing is overdue."""
    oldest = Run.objects.filter(next_at__lt=now).order_by("next_at").values_list("next_at", flat=True).first()
    return (now - oldest).total_seconds() if oldest else 0.0
