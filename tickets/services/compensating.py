"""Tickets as what compensations in points are given for (registered with loyalty)."""

from datetime import datetime

from django.utils.translation import gettext_lazy as _

from accounts.models import Staff
from core.refusal import Refusal
from core.statements import insert
from loyalty.grounds import Ground
from tickets.models import Case, CaseStep
from tickets.selectors import find_case
from tickets.states import Step

_STEPS = {
    "given": Step.COMPENSATED,
    "granted": Step.COMPENSATED,
    "asked": Step.APPROVAL_ASKED,
    "signed": Step.APPROVED,
    "refused": Step.DECLINED,
    "withdrawn": Step.DECLINED,
    "expired": Step.DECLINED,
}


class CaseGrounds:
    """A guest's ticket that the person may see."""

    kind = "case"

    def find(self, *, staff: Staff, subject_id: int) -> Ground:
        case = find_case(staff=staff, case_id=subject_id)
        if case.guest_id is None:
            raise Refusal("no_guest", _("This ticket has no guest."), status=400)
        return Ground(subject=case.clock_subject, number=case.number, guest_id=case.guest_id)

    def heard(self, subject_id: int, deed: str, *, points: int, by: Staff | None, now: datetime, text: str) -> None:
        """The ticket's history says so; the ticket itself is not changed, and not locked."""
        case = Case.objects.filter(pk=subject_id).first()
        if case is not None and deed in _STEPS:
            at = {"state": case.state, "group_id": case.group_id, "owner_id": case.owner_id}
            insert(CaseStep(case=case, step=_STEPS[deed], at=now, by=by, details={"points": points, "reason": text}, **at))
