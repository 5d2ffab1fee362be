"""Where those who approve decide: a page of their own, for they may have no desk; the letters lead here."""

from typing import Any, cast

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST, require_safe

from accounts.entrance import require
from accounts.models import Staff
from accounts.rights import Right
from core.refusal import Refusal
from tickets import approval_reading
from tickets.masking import without_contacts
from tickets.models import Approval
from tickets.services import approvals


@require_safe
@require(Right.CASES_READ)
def list_mine(request: HttpRequest) -> HttpResponse:
    """What waits for the person's decision, the nearest end first."""
    rows = approval_reading.list_mine(cast(Staff, request.user), now=timezone.now())
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
    return approval_reading.find(approval_id, by=cast(Staff, request.user), now=timezone.now())


def _page(request: HttpRequest, approval: Approval, *, refusal: Refusal | None = None) -> HttpResponse:
    by, now = cast(Staff, request.user), timezone.now()
    context = {
        "approval": approval,
        "case": approval.case,
        "matter": without_contacts(approval.case.summary),
        "seats": approval.seats.select_related("staff", "by").order_by("pk"),
        "may_decide": approval_reading.may_decide(approval, by, now=now),
        "refusal": refusal,
        "typed": request.POST if refusal else {},
    }
    return render(request, "tickets/approval.html", context, status=refusal.status if refusal else 200)
