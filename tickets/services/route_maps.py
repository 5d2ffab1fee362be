"""The route map of a ticket, read from its history."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial

from sla.rules import worked
from sla.services.clocks import hours_of
from tickets import wording
from tickets.models import Case, CaseStep
from tickets.route_map import Mark, Stay, list_stays
from tickets.selectors import list_steps


def route_of(case: Case, *, now: datetime, steps: Sequence[CaseStep] | None = None) -> list[Stay]:
    """Where the ticket has been, in order, with wall time and working time by its policy's calendar."""
    zone = case.store.time_zone if case.store and case.policy.in_store_zone else ""
    hours = hours_of(case.policy.calendar, now=now, zone=zone)
    marks = [_mark(step) for step in (list_steps(case) if steps is None else steps)]
    opener, store = str(case.opened_by or ""), str(case.store or "")
    return list_stays(marks, opener=opener, store=store, now=now, working=partial(worked, hours))


def _mark(step: CaseStep) -> Mark:
    return Mark(
        at=step.at,
        state=step.state,
        group=step.group.name if step.group else "",
        owner=step.owner.full_name if step.owner else "",
        reason=wording.step_text(step),
    )
