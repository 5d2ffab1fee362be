"""A line of the map as a plan, frozen for a run: a later change of the map moves no run that has started."""

from collections import defaultdict
from datetime import datetime
from functools import lru_cache

from django.db.models import QuerySet
from django.utils.translation import get_language

from escalation.models import DutyRole, EscalationSettings, FrozenPlan, MapLine, MapStep
from escalation.plans import Hours, Plan, PlannedLevel, PlannedStep, digest, from_json, hours_from, to_json
from escalation.services import limits
from escalation.states import StepKind
from sla.models import Calendar
from sla.services import clocks


def lines_in_use() -> "QuerySet[MapLine]":
    """Lines that may start, with all that a plan needs."""
    found = MapLine.objects.filter(is_active=True, map__is_active=True).select_related("map__owner", "calendar")
    return found.prefetch_related("steps__role", "steps__schedule", "steps__group", "steps__hook", "steps__calendar")


def plan_of(line: MapLine, *, now: datetime, numbers: EscalationSettings | None = None) -> Plan:
    """The line as it is now. `numbers` are the settings, if the caller has read them."""
    numbers = numbers or limits.current()
    return Plan(
        code=line.code,
        name=line.name,
        severity=line.severity,
        map_name=line.map.name,
        levels=_levels(line, now),
        reaction=_own(line.reaction_minutes, numbers.reaction_minutes),
        deal=_own(line.deal_minutes, numbers.deal_minutes),
        remind=numbers.remind_minutes,
        lapse=numbers.lapse_minutes,
        update=line.update_minutes or 0,
        gap=numbers.gap_seconds,
        message=line.message,
        runbook=line.runbook,
        may_do=line.may_do,
        chat=line.chat,
        hours=_hours(line.calendar, now),
        default_channels=tuple(numbers.channels),
    )


def _own(minutes: int | None, common: int) -> int:
    return common if minutes is None else minutes


def _levels(line: MapLine, now: datetime) -> tuple[PlannedLevel, ...]:
    steps: dict[int, list[PlannedStep]] = defaultdict(list)
    for step in line.steps.all():
        steps[step.level].append(_step(step, now))
    return tuple(PlannedLevel(level, tuple(found)) for level, found in sorted(steps.items()))


def _step(step: MapStep, now: datetime) -> PlannedStep:
    return PlannedStep(
        kind=StepKind(step.kind),
        role=step.role_id,
        schedule=step.schedule_id,
        group=step.group_id,
        hook=step.hook_id,
        minutes=step.minutes or 0,
        times=step.times or 0,
        channels=tuple(step.channels),
        message=step.message,
        name=str(step.role or step.schedule or step.group or step.hook or ""),
        hours=_hours(step.calendar, now),
    )


def _hours(calendar: Calendar | None, now: datetime) -> Hours | None:
    return hours_from(clocks.hours_of(calendar, now=now)) if calendar else None


def freeze(line: MapLine, *, now: datetime) -> FrozenPlan:
    """The line's plan as a row; equal plans share it."""
    plan = plan_of(line, now=now)
    key = digest(plan)
    found = FrozenPlan.objects.filter(digest=key).first()
    return found or FrozenPlan.objects.get_or_create(digest=key, defaults={"document": to_json(plan), "line": line, "frozen_at": now})[0]


@lru_cache(maxsize=1024)
def thawed(plan_id: int) -> Plan:
    """The plan of a frozen row; a process keeps it, for it never changes. Raises KeyError, TypeError, ValueError."""
    return from_json(FrozenPlan.objects.values_list("document", flat=True).get(pk=plan_id))


def has_changed(frozen: FrozenPlan, line: MapLine, *, now: datetime) -> bool:
    """Whether the map says something else today than when the run started."""
    return digest(plan_of(line, now=now)) != frozen.digest


def role_name(role: DutyRole) -> str:
    """The role in the reader's language."""
    return role.name_en if get_language() == "en" and role.name_en else role.name
