"""Tickets on the escalation map: a promise that is near or missed starts the topic's ladder; taking the ticket takes the run."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import BigIntegerField, CharField, Exists, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Cast, Concat, Substr
from django.utils import timezone

from accounts.models import Staff
from core.events import on
from core.locks import serialise
from core.statements import insert
from escalation.events import Climbed
from escalation.models import MapLine, Run, RunEvent
from escalation.services import limits, planning, runs
from escalation.states import OPEN, EventKind, RunState
from sla.events import ClockBreached
from sla.models import Clock
from tickets.models import Case, CaseStep
from tickets.routing import resolve
from tickets.services import topics
from tickets.states import PAUSING, CaseState, Step

KIND = "case"
_PREFIX = f"{KIND}:"
BATCH = 200
_HEARD = frozenset({Step.TAKEN, Step.ROUTED, Step.CLOSED, Step.MOVED, Step.JOINED, Step.RECLASSIFIED})
# A promise that was missed longer ago starts no ladder any more: it was dealt with, or nobody had set a map then.
RECENTLY = timedelta(days=1)


class CaseSubjects:
    """Registered with escalation. `take` is the service that takes a ticket: case_id=, by=, now=."""

    kind = KIND

    def __init__(self, take: Callable[..., object]) -> None:
        self._take = take

    def start_due(self, *, now: datetime) -> int:
        """Start the ladder of open tickets with a promise near its end or missed, once for each promise; end what is settled."""
        end_settled(now=now)
        write_climbs(now=now)
        lines = {line.pk: line for line in planning.lines_in_use()}
        named = {topic_id: line for topic_id in topics.facts() if (line := _line_of(topic_id)) in lines}
        clocks = list(_pressing(list(named), now=now)[:BATCH]) if named else []
        cases = Case.objects.select_related("topic").in_bulk([_case_id(clock.subject) for clock in clocks])
        started = 0
        for clock in clocks:
            case = cases[_case_id(clock.subject)]
            started += _start(case, clock, lines[named[case.topic_id] or 0], now=now)
        return started

    def take(self, subject_id: int, *, by: Staff, now: datetime) -> None:
        """Taking the ticket takes its run (`heard`). Raises Refusal."""
        self._take(case_id=subject_id, by=by, now=now)


def _line_of(topic_id: int) -> int | None:
    """The map line of the topic, its own or inherited."""
    return resolve(topic_id, topics.facts()).line_id


def _case_id(subject: str) -> int:
    return int(subject.removeprefix(_PREFIX))


def _running() -> "QuerySet[Clock]":
    case_id = Cast(Substr("subject", len(_PREFIX) + 1), BigIntegerField())
    return Clock.objects.filter(subject__startswith=_PREFIX, ended_at__isnull=True, paused_at__isnull=True).annotate(case_id=case_id)


def _pressing(topic_ids: Sequence[int], *, now: datetime) -> "QuerySet[Clock]":
    """Running promises of tickets on these topics that are near or missed, and that no ladder was started for."""
    near = timedelta(minutes=limits.current().near_minutes)
    pressing = Q(breached_at__isnull=True, due_at__lte=now + near) | Q(breached_at__gte=now - RECENTLY)
    started = Concat(Value("clock:"), Cast(OuterRef("pk"), CharField()), Value(":"))
    mapped = Case.objects.filter(pk=OuterRef("case_id"), topic__in=topic_ids).exclude(state=CaseState.CLOSED)
    before = Run.objects.filter(subject=OuterRef("subject"), origin__startswith=started).exclude(state=RunState.CANCELLED)
    under_way = Run.objects.filter(subject=OuterRef("subject"), state__in=OPEN)
    return _running().filter(pressing, Exists(mapped), ~Exists(before), ~Exists(under_way)).order_by("due_at")


def _start(case: Case, clock: Clock, line: MapLine, *, now: datetime) -> bool:
    run = runs.start(
        subject=case.clock_subject,
        origin=f"clock:{clock.pk}:{int(clock.due_at.timestamp())}",
        title=f"№ {case.number} · {case.topic.name}",
        line=line,
        link=f"/desk/case/{case.pk}/",
        now=now,
    )
    if run is None:
        return False
    _note(case, now=now, by=None, details={"run": run.pk, "line": line.name, "level": run.level})
    if case.owner_id is not None:
        heard(case, Step.TAKEN, by=None, now=now)
    return True


def _note(case: Case, *, now: datetime, by: Staff | None, details: Mapping[str, Any]) -> None:
    at = {"state": case.state, "group_id": case.group_id, "owner_id": case.owner_id}
    insert(CaseStep(case=case, step=Step.ESCALATED, at=now, by=by, details=dict(details), **at))


def end_settled(*, now: datetime) -> None:
    """End the ladders whose promise was kept after all, or stands still because the next step is the guest's."""
    runs_open = Run.objects.filter(subject__startswith=_PREFIX, origin__startswith="clock:", state__in=OPEN)
    origins = {pk: int(origin.split(":")[1]) for pk, origin in runs_open.values_list("pk", "origin")}
    clocks = Clock.objects.in_bulk(set(origins.values()))
    for run_id, clock_id in origins.items():
        clock = clocks.get(clock_id)
        if clock is None or clock.ended_at is not None:
            runs.resolve(run_id=run_id, by=None, now=now)
        elif clock.paused_at is not None:
            runs.cancel(run_id=run_id, by=None, reason="paused", now=now)


def write_climbs(*, now: datetime, run_id: int | None = None) -> int:
    """Write down in the tickets' histories that their running ladders went up a level, each time once; how many."""
    running = Run.objects.filter(subject__startswith=_PREFIX, state__in=OPEN, level__gt=1)
    with transaction.atomic():
        serialise("climbs of tickets")
        found = running.filter(pk=run_id) if run_id is not None else running
        events = list(RunEvent.objects.filter(run__in=list(found), kind=EventKind.CLIMBED).select_related("run").order_by("at", "pk"))
        cases = Case.objects.in_bulk({_case_id(event.run.subject) for event in events})
        noted = CaseStep.objects.filter(case__in=list(cases), step=Step.ESCALATED).values_list("details", flat=True)
        known = {details.get("event") for details in noted}
        new = [event for event in events if event.pk not in known and _case_id(event.run.subject) in cases]
        for event in new:
            details = {"run": event.run_id, "event": event.pk, "level": event.details.get("to_level"), **_reason(event)}
            _note(cases[_case_id(event.run.subject)], now=event.at, by=event.by, details=details)
        return len(new)


def _reason(event: RunEvent) -> dict[str, str]:
    return {"reason": event.details["reason"]} if event.details.get("reason") else {}


def heard(case: Case, step: Step, *, by: Staff | None, now: datetime, details: Mapping[str, Any] | None = None) -> None:
    """What a step of the ticket means for its ladder; inside the ticket's transaction, the ticket is locked first everywhere."""
    if step not in _HEARD:
        return
    run_id = runs.find_open(case.clock_subject)
    if run_id is None:
        return
    if step == Step.CLOSED:
        runs.resolve(run_id=run_id, by=by, now=now)
    elif step == Step.JOINED or (step == Step.MOVED and case.state in PAUSING):
        runs.cancel(run_id=run_id, by=by, reason="joined" if step == Step.JOINED else "paused", now=now)
    elif step == Step.RECLASSIFIED:
        if not Run.objects.filter(pk=run_id, line=_line_of(case.topic_id)).exists():
            runs.cancel(run_id=run_id, by=by, reason="another topic", now=now)  # the sweep starts the right one
    elif step == Step.TAKEN and case.owner is not None:
        runs.hand_to(run_id=run_id, to=case.owner, by=by or case.owner, now=now)
    elif step == Step.ROUTED and by is not None and Run.objects.filter(pk=run_id, state=RunState.TAKEN).exists():
        runs.release(run_id=run_id, by=by, reason=str((details or {}).get("reason", "")), now=now)


@on(ClockBreached)
def start_at_breach(event: ClockBreached) -> None:
    """At once instead of at the next sweep; a topic without a line is counted for those who look after the maps."""
    if not event.subject.startswith(_PREFIX):
        return
    now = timezone.now()
    with transaction.atomic():
        case = Case.objects.select_related("topic").exclude(state=CaseState.CLOSED).filter(pk=_case_id(event.subject)).first()
        clock = _running().filter(pk=event.clock_id).first()
        if case is None or clock is None:
            return
        line = planning.lines_in_use().filter(pk=_line_of(case.topic_id) or 0).first()
        if line is None:
            runs.note_unmapped(key=f"topic:{case.topic.code}", now=now)
        else:
            _start(case, clock, line, now=now)


@on(Climbed)
def write_down_climb(event: Climbed) -> None:
    """The ticket's history tells of each level; the sweep finds what is missed."""
    if event.subject.startswith(_PREFIX):
        write_climbs(now=timezone.now(), run_id=event.run_id)
