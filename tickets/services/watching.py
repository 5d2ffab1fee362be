"""Followers of a ticket: people who hear of its steps on their screens."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from accounts.models import Staff
from core import audit
from core.live import announce, staff_topic
from core.refusal import Refusal
from core.statements import Prepared, insert
from tickets.models import Case, CaseStep, Watcher
from tickets.states import Step
from worklist.models import Item
from worklist.states import Kind

_WATCHERS = Prepared(lambda case: Watcher.objects.select_related("staff").filter(case_id=case, staff__is_active=True))


@transaction.atomic
def watch(*, case_id: int, by: Staff, now: datetime) -> None:
    """The person hears of the ticket's steps from now on; twice is the same as once. Whoever calls has checked that they may see it."""
    case = Case.objects.filter(pk=case_id).first()
    if case is None:
        raise Refusal("not_found", _("There is no such ticket."), status=404)
    _watcher, made = Watcher.objects.get_or_create(case_id=case_id, staff=by, defaults={"since": now})
    if made:
        # A step of the history and no more: nobody else has anything to do because of it.
        at = {"state": case.state, "group_id": case.group_id, "owner_id": case.owner_id}
        insert(CaseStep(case=case, step=Step.WATCHED, at=now, by=by, **at))
        audit.record(action="case.watched", by=by, subject=f"case:{case_id}", now=now)


@transaction.atomic
def unwatch(*, case_id: int, by: Staff, now: datetime) -> None:
    """The person hears of it no longer."""
    gone, _rows = Watcher.objects.filter(case_id=case_id, staff=by).delete()
    if gone:
        audit.record(action="case.unwatched", by=by, subject=f"case:{case_id}", now=now)


def tell(case: Case, step: Step, *, by: Staff | None) -> None:
    """The ticket's followers hear of a step that somebody else made, as long as they may see the ticket."""
    watchers = _WATCHERS.all(case=case.pk)
    heard = [one.staff for one in watchers if (by is None or one.staff_id != by.pk) and _may_see(one.staff, case)]
    if heard:
        told = {"case_id": case.pk, "number": case.number, "step": str(step), "by": by.full_name if by else ""}
        announce(kind="case_news", payload=told, topics=[staff_topic(person.pk) for person in heard])


def _may_see(staff: Staff, case: Case) -> bool:
    return Item.objects.visible_to(staff).filter(kind=Kind.CASE, subject_id=case.pk).exists()
