"""Where those who approve decide: a page of their own, for they may have no desk; the letters lead here."""

from typing import Any, cast

from django.db.models import Q
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.timezone import localdate
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST, require_safe

from accounts.entrance import require
from accounts.models import Staff
from accounts.rights import Right
from core.refusal import Refusal
from tickets.approving import ApprovalState
from tickets.masking import without_contacts
from tickets.models import Absence, Approval
from tickets.services import approvals

SHOWN = 100


@require_safe
@require(Right.CASES_READ)
def list_mine(request: HttpRequest) -> HttpResponse:
    """What waits for the person's decision, the nearest end first."""
    by = cast(Staff, request.user)
    today = localdate()
    away = Absence.objects.filter(substitute=by, since__lte=today, until__gte=today).values("staff")
    mine = Q(seats__staff=by) | Q(seats__staff__in=away)
    found = Approval.objects.filter(mine, state=ApprovalState.WAITING).exclude(seats__by=by).distinct()
    rows = found.select_related("case__topic", "rule", "asked_by").order_by("deadline_at", "pk")[:SHOWN]
    return render(request, "tickets/approvals.html", {"rows": rows})


@require_safe
@require(Right.CASES_READ)
def show(request: HttpRequest, approval_id: int) -> HttpResponse:
    return _page(request, _find(request, approval_id))


@require_POST
@require(Right.CASES_READ)
def decide(request: HttpRequest, approval_id: int) -> HttpResponse:
    approval = _find(request, approval_id)
    fields: Any = request.POST
    try:
        if fields.get("decision") not in {"yes", "no"}:
            raise Refusal("choose", _("Please choose yes or no."), status=400)
        approvals.decide(
            approval_id=approval_id,
            yes=fields["decision"] == "yes",
            reason=fields.get("reason", ""),
            by=cast(Staff, request.user),
            now=timezone.now(),
        )
    except Refusal as refusal:
        return _page(request, approval, refusal=refusal)
    return HttpResponseRedirect(reverse("approval", kwargs={"approval_id": approval_id}))


def _find(request: HttpRequest, approval_id: int) -> Approval:
    """An approval in which the person has a part, for oneself or for who is away, or who may see everything. Raises Refusal (404)."""
    by = cast(Staff, request.user)
    found = Approval.objects.select_related("case__topic", "case__store", "rule", "asked_by").filter(pk=approval_id).first()
    if found is not None and (by.has_right(Right.EVERYTHING) or _has_part(found, by)):
        return found
    raise Refusal("not_found", _("There is no such approval."), status=404)


def _has_part(approval: Approval, by: Staff) -> bool:
    took_part = approval.seats.filter(Q(staff=by) | Q(by=by)).exists()
    return took_part or approvals.my_seat(approval, by, now=timezone.now()) is not None


def _page(request: HttpRequest, approval: Approval, *, refusal: Refusal | None = None) -> HttpResponse:
    by, now = cast(Staff, request.user), timezone.now()
    is_open = approval.state == ApprovalState.WAITING and approval.deadline_at > now
    context = {
        "approval": approval,
        "case": approval.case,
        "matter": without_contacts(approval.case.summary),
        "seats": approval.seats.select_related("staff", "by").order_by("pk"),
        "may_decide": is_open and approvals.my_seat(approval, by, now=now) is not None,
        "refusal": refusal,
        "typed": request.POST if refusal else {},
    }
    return render(request, "tickets/approval.html", context, status=refusal.status if refusal else 200)
