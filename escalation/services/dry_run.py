"""The nightly dry run: every line of every map, every hour of the days to come, must reach somebody."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext as _

from core import events
from escalation import rota
from escalation.coverage import Finding, gaps
from escalation.events import HolesFound
from escalation.models import DryRun, EscalationMap, EscalationSettings, Hole, MapLine
from escalation.plans import Plan, PlannedLevel, next_open
from escalation.services import limits, planning
from escalation.services.people import Roster
from escalation.states import CALLING, HoleKind, StepKind
from sla.rules import NoWorkingTime

HOUR = timedelta(hours=1)


def run(*, now: datetime) -> DryRun:
    """Walk over all lines in use; the day's row is written anew each time, with one row for each hole."""
    numbers = limits.current()
    since, until = now, now + timedelta(days=numbers.dry_run_days)
    lines = list(planning.lines_in_use().order_by("map__name", "position", "code"))
    plans = [planning.plan_of(line, now=now, numbers=numbers) for line in lines]
    roster = Roster(plans, now=since, until=until)
    edges = _edges(roster, since, until)
    holes = [hole for line, plan in zip(lines, plans, strict=True) for hole in _holes(line, plan, roster, edges, until)]
    return _write(lines, holes, numbers, now=now)


def _edges(roster: Roster, since: datetime, until: datetime) -> list[datetime]:
    """Every hour, and every instant at which a shift changes."""
    hours = (since + HOUR * number for number in range(int((until - since) / HOUR) + 1))
    changes = (shift.starts_at for facts in roster.facts.values() for shift in rota.shifts(facts, since, until))
    return sorted({at for at in (*hours, *changes) if since <= at < until})


def _holes(line: MapLine, plan: Plan, roster: Roster, edges: Sequence[datetime], until: datetime) -> Iterator[Hole]:
    if not any(step.kind in CALLING for level in plan.levels for step in level.steps):
        yield Hole(line=line, kind=HoleKind.NO_STEPS, starts_at=edges[0], ends_at=until)
        return
    if missing := list(_closed(plan, edges[0])):
        yield Hole(line=line, kind=HoleKind.NEVER_OPENS, starts_at=edges[0], ends_at=until, roles=", ".join(missing)[:240])
    working = [at for at in edges if _works(plan, at)]
    for level in plan.levels:
        if any(step.kind in CALLING for step in level.steps):
            yield from _level_holes(line, plan, level, roster, edges, frozenset(working), until)


def _level_holes(
    line: MapLine, plan: Plan, level: PlannedLevel, roster: Roster, edges: Sequence[datetime], working: frozenset[datetime], until: datetime
) -> Iterator[Hole]:
    def look(at: datetime) -> Finding:
        return _finding(plan, level, roster, at) if at in working else None

    for gap in gaps(edges, until, look):
        yield Hole(
            line=line, level=level.level, kind=gap.kind, starts_at=gap.starts_at, ends_at=gap.ends_at, roles=gap.missing[:240]
        )  # fmt: skip


def _finding(plan: Plan, level: PlannedLevel, roster: Roster, at: datetime) -> Finding:
    """Whether any call of the level reaches somebody at this instant."""
    calls = [(step, roster.call(step, plan, at=at)) for step in level.steps if step.kind in CALLING]
    if any(called.people and not called.by_lead for _step, called in calls):
        return None
    kind = HoleKind.LEAD_ONLY if any(called.people for _step, called in calls) else HoleKind.NOBODY
    return kind, ", ".join(dict.fromkeys(step.name or _("everybody of this line") for step, _called in calls))


def _works(plan: Plan, at: datetime) -> bool:
    """Whether the line calls at this hour at all; hours that never come are told of apart, the line then works always."""
    try:
        return next_open(plan.hours, at) < at + HOUR
    except NoWorkingTime:
        return True


def _closed(plan: Plan, at: datetime) -> Iterator[str]:
    """Hours of the plan that never come."""
    named = [("", plan.hours)] + [(str(step.kind.label), step.hours) for level in plan.levels for step in level.steps]
    for name, hours in named:
        try:
            next_open(hours, at)
        except NoWorkingTime:
            yield name or str(StepKind.HOURS.label)


def is_stale(of: EscalationMap, numbers: EscalationSettings, *, today: date) -> bool:
    """Whether the map was not reviewed for too long, or never."""
    return of.reviewed_on is None or (today - of.reviewed_on).days > numbers.review_days


def _write(lines: Sequence[MapLine], holes: Iterable[Hole], numbers: EscalationSettings, *, now: datetime) -> DryRun:
    listed = list(holes)
    facts = {
        "ran_at": now,
        "days": numbers.dry_run_days,
        "lines": len(lines),
        "hole_count": len(listed),
        "stale_lines": sum(is_stale(line.map, numbers, today=now.date()) for line in lines),
    }
    with transaction.atomic():
        found, _made = DryRun.objects.update_or_create(date=now.date(), defaults=facts)
        found.holes.all().delete()
        for hole in listed:
            hole.dry_run = found
        Hole.objects.bulk_create(listed)
        if listed:
            events.publish(HolesFound(found.pk, len(listed)))
    return found
