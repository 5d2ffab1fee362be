"""Guests hear of a compensation by push or SMS, as they agreed to (registered with loyalty.notices)."""

from datetime import datetime

from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from core.statements import insert
from loyalty.models import Compensation
from omni.services import notice_routes, notices
from tickets.models import Case, CaseStep
from tickets.states import Step


class PointsNotices:
    """One notice for each compensation; its text is in the guest's language, its hour outside the guest's night."""

    def tell(self, compensation: Compensation, *, now: datetime) -> bool:
        """Queue the notice; False when no device and no telephone with consent is known."""
        guest = compensation.guest
        if not notice_routes.leads_to(guest):
            return False
        with translation.override(guest.language):
            title, text = _("Points for you"), _text(compensation)
        notices.notify(
            guest=guest, title=title, text=text, key=f"compensation:{compensation.pk}", now=now, data={"case": compensation.number}
        )
        _note(compensation, now=now)
        return True


def _text(compensation: Compensation) -> str:
    given = ngettext(
        "We have given you %(points)d point because of your request № %(number)s.",
        "We have given you %(points)d points because of your request № %(number)s.",
        compensation.points,
    )
    return given % {"points": compensation.points, "number": compensation.number}


def _note(compensation: Compensation, *, now: datetime) -> None:
    kind, _colon, number = compensation.subject.partition(":")
    case = Case.objects.filter(pk=int(number)).first() if kind == "case" else None
    if case is not None:
        at = {"state": case.state, "group_id": case.group_id, "owner_id": case.owner_id}
        insert(CaseStep(case=case, step=Step.NOTIFIED, at=now, by=None, details={"points": compensation.points}, **at))
