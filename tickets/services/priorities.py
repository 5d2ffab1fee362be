"""A ticket's priority, chosen by a person: its place among what waits, and the promises of rules that name priorities."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from accounts.models import Staff
from core import audit
from core.refusal import Refusal
from tickets.models import Case
from tickets.services import cases, terms
from tickets.states import CaseState, Priority, Step


@transaction.atomic
def change(*, case_id: int, priority: int, by: Staff, now: datetime) -> Case:
    """Another priority from now on; promises follow it unless a person has chosen them. The same one again changes nothing.

    Raises Refusal: no such priority, closed ticket, no such ticket.
    """
    if priority not in Priority.values:
        raise Refusal("choose", _("Please choose from the list."), status=400)
    case = cases.lock(case_id)
    if case.state == CaseState.CLOSED:
        raise Refusal("wrong_state", _("The ticket is closed."))
    if case.priority == priority:
        return case
    numbers = {"from": case.priority, "to": priority}
    case.priority = priority
    terms.reconsider(case, by=by, now=now)
    cases.note_step(case, Step.PRIORITY, by=by, now=now, details=numbers)
    audit.record(action="case.priority", by=by, subject=case, now=now, details=numbers)
    cases.save(case, now=now)
    return case
