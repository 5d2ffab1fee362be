"""Tickets as what compensations in points are given for (registered with loyalty)."""

from accounts.models import Staff
from loyalty.grounds import Ground
from tickets.selectors import find_case


class CaseGrounds:
    """A ticket that the person may see."""

    kind = "case"

    def find(self, *, staff: Staff, subject_id: int) -> Ground:
        case = find_case(staff=staff, case_id=subject_id)
        return Ground(subject=case.clock_subject, number=case.number, guest_id=case.guest_id)
