"""A ticket changes hands within its group."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from accounts.models import Staff
from accounts.rights import Right
from core import audit
from core.refusal import Refusal
from omni.services import conversations
from omni.states import Direction
from tickets.models import Case
from tickets.services import cases, handovers
from tickets.states import CaseState, Step


@transaction.atomic
def hand_to(*, case_id: int, to: Staff, note: str, by: Staff, now: datetime) -> Case:
    """Give the ticket to a colleague, with a note in the feed. Raises Refusal: closed ticket, a person who has left."""
    case = cases.lock(case_id)
    if case.state == CaseState.CLOSED:
        raise Refusal("wrong_state", _("The ticket is closed."))
    if not to.is_active or not to.has_right(Right.CASES_WORK):
        raise Refusal("absent", _("This person does not work here any more, or does not work on tickets."))
    case.owner = to
    if case.state in {CaseState.ROUTED, CaseState.REOPENED}:
        cases.move(case, CaseState.IN_WORK)
    cases.note_step(case, Step.TAKEN, by=by, now=now, details={"to": to.pk})
    audit.record(action="case.handed", by=by, subject=case, now=now, details={"to": to.pk})
    if note.strip():
        conversations.add_line(session=conversations.lock(case.session_id), direction=Direction.NOTE, text=note, by=by, now=now)
    cases.save(case, now=now)
    return case


@transaction.atomic
def give_back(*, case_id: int, reason: str, by: Staff, now: datetime) -> Case:
    """Put the ticket back into its group's queue. Raises Refusal when it is closed."""
    case = cases.lock(case_id)
    cases.move(case, CaseState.ROUTED)
    if case.at_store:
        handovers.restart(case, now=now)
    case.owner, case.at_store = None, False
    cases.note_step(case, Step.ROUTED, by=by, now=now, details={"reason": reason})
    audit.record(action="case.returned", by=by, subject=case, now=now, details={"reason": reason})
    cases.save(case, now=now)
    return case
