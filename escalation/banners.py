"""What a person who looks at a matter must know of its ladder: who is asked now, what comes next and when, what was."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from accounts.models import Staff
from escalation.models import Run, RunEvent
from escalation.plans import Plan
from escalation.selectors import find_open_run, list_events
from escalation.services import planning
from escalation.states import EventKind, Level, RunState, StepKind

# What a step's event tells of whom it called.
_CALLS = (EventKind.STEP, EventKind.NOBODY)


@dataclass(frozen=True)
class Line:
    """A row of the history in words."""

    at: datetime
    text: str
    late: bool


@dataclass(frozen=True)
class Banner:
    """A running ladder. `asked` = the names of the people called on this level; `is_mine` = the reader has it in hand."""

    run_id: int
    line: str
    level: str
    state: str
    is_taken: bool
    is_mine: bool
    holder: str
    asked: Sequence[str]
    next_at: datetime | None
    next_words: str
    reaction_due: datetime | None
    deal_due: datetime | None
    may_do: str
    runbook: str
    is_top: bool
    history: Sequence[Line]


def banner_of(subject: str, *, staff: Staff) -> Banner | None:
    """The subject's running ladder for this reader; None when none runs."""
    run = find_open_run(subject)
    if run is None:
        return None
    plan, events = planning.thawed(run.plan_id), list(list_events(run))
    return Banner(
        run_id=run.pk,
        line=plan.name,
        level=str(Level(run.level).label),
        state=str(RunState(run.state).label),
        is_taken=run.state == RunState.TAKEN,
        is_mine=run.holder_id == staff.pk,
        holder=str(run.holder or ""),
        asked=list(dict.fromkeys(_asked(run, events))),
        next_at=run.next_at,
        next_words=next_words(run, plan),
        reaction_due=run.reaction_due,
        deal_due=run.deal_due,
        may_do=plan.may_do,
        runbook=plan.runbook,
        is_top=plan.above(run.level) is None,
        history=[Line(event.at, told(event), event.late) for event in events],
    )


def _asked(run: Run, events: Sequence[RunEvent]) -> Iterator[str]:
    for event in events:
        if event.kind in _CALLS and (event.level, event.turn) == (run.level, run.turn):
            yield from event.details.get("to", [])


def next_words(run: Run, plan: Plan) -> str:
    """What happens at `next_at`, if nobody does anything before."""
    if run.next_at is None:
        return _("nobody else is called")
    if run.next_at == run.step_at:
        steps = plan.steps(run.level)
        step = steps[run.step] if run.step < len(steps) else None
        return " · ".join(part for part in (str(StepKind(step.kind).label), step.name) if part) if step else ""
    higher = plan.above(run.level)
    up = _("level %(level)s is called") % {"level": Level(higher).label} if higher else _("it is written down that nobody settled it")
    if run.next_at == run.reaction_due:
        return _("if nobody takes it: %(then)s") % {"then": up}
    if run.next_at == run.deal_due:
        return _("if it is not settled: %(then)s") % {"then": up}
    if run.next_at == run.remind_at:
        return _("who has it is asked whether it is still in hand")
    return _("it is called out again unless confirmed") if run.next_at == run.lapse_at else _("news are asked for")


def told(event: RunEvent) -> str:
    """A row of the history as one line."""
    details = event.details
    parts = [
        event.get_kind_display(),
        event.get_level_display(),
        str(details.get("name", "")),
        ", ".join(details.get("to", [])),
        str(Level(details["to_level"]).label) if details.get("to_level") else "",
        str(event.by or ""),
        str(details.get("reason", "")),
        str(details.get("error", "")),
        _("only the lead was there") if details.get("by_lead") else "",
        _late(event),
    ]
    return " · ".join(part for part in parts if part)


def _late(event: RunEvent) -> str:
    if not event.late:
        return ""
    return _("late: was due at %(time)s") % {"time": date_format(localtime(event.due_at), "d.m.Y H:i:s")}
