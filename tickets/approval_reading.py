"""Reads of approvals: what waits for a person, what a person may see."""

from collections.abc import Sequence
from datetime import datetime

from django.db.models import Q, QuerySet
from django.utils.timezone import localdate
from django.utils.translation import gettext_lazy as _

from accounts.models import Staff
from accounts.rights import Right
from core.refusal import Refusal
from tickets.approving import ApprovalState
from tickets.models import Absence, Approval
from tickets.selectors import visible_cases
from tickets.services import approvals

SHOWN = 100


def list_mine(by: Staff, *, now: datetime) -> Sequence[Approval]:
    """What waits for the person's decision, as one asked or as a substitute, the nearest end first."""
    today = localdate(now)
    away = Absence.objects.filter(substitute=by, since__lte=today, until__gte=today).values("staff")
    mine = Q(seats__staff=by) | Q(seats__staff__in=away)
    found = _whole().filter(mine, state=ApprovalState.WAITING).exclude(seats__by=by).distinct()
    return list(found.order_by("deadline_at", "pk")[:SHOWN])


def list_of(case_id: int) -> Sequence[Approval]:
    """The ticket's approvals, the newest first."""
    return list(_whole().filter(case=case_id).order_by("-pk")[:SHOWN])


def _whole() -> "QuerySet[Approval]":
    return Approval.objects.select_related("case__topic", "case__store", "rule", "asked_by")


def find(approval_id: int, *, by: Staff, now: datetime, by_ticket: bool = False) -> Approval:
    """An approval in which the person has a part, for oneself or for who is away, or who may see everything.

    `by_ticket` = or whose ticket the person may see. Raises Refusal (404).
    """
    found = _whole().filter(pk=approval_id).first()
    if found is not None and (by.has_right(Right.EVERYTHING) or _has_part(found, by, now=now)):
        return found
    if found is not None and by_ticket and visible_cases(by).filter(pk=found.case_id).exists():
        return found
    raise Refusal("not_found", _("There is no such approval."), status=404)


def _has_part(approval: Approval, by: Staff, *, now: datetime) -> bool:
    took_part = approval.seats.filter(Q(staff=by) | Q(by=by)).exists()
    return took_part or approvals.my_seat(approval, by, now=now) is not None


def may_decide(approval: Approval, by: Staff, *, now: datetime) -> bool:
    """Whether the person has a part that is open now."""
    is_open = approval.state == ApprovalState.WAITING and approval.deadline_at > now
    return is_open and approvals.my_seat(approval, by, now=now) is not None
