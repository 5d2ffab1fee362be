"""A compensation in points inside the ticket: the balance over all chains, the form with its limit, what was given or waits."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.utils import timezone
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from accounts.entrance import require
from accounts.models import Staff
from accounts.rights import Right
from core.commands import Answer, once, parse_key
from core.refusal import Refusal
from loyalty import selectors
from loyalty.models import Compensation
from loyalty.services import approvals, compensations
from loyalty.states import COUNTED, CompensationState
from tickets.models import Case
from worklist.selectors import find_item
from worklist.states import Kind
from workstation.entrances import command, staff_of
from workstation.feed import moment


def points_context(case: Case, staff: Staff, *, now: datetime) -> dict[str, Any]:
    """What the ticket shows of points; empty for who may neither give nor approve any."""
    gives, approves = staff.has_right(Right.COMPENSATE), staff.has_right(Right.APPROVE_POINTS)
    if not (gives or approves) or case.guest_id is None:
        return {"points": None}
    found = selectors.list_compensations(case.clock_subject)
    may_give = gives and not any(one.state in COUNTED for one in found)
    return {
        "points": {
            "balance": selectors.balance_of(case.guest_id),
            "cards": _by_chain(case.guest_id),
            "given": [_shown(one, staff) for one in found],
            "without_approval": selectors.limits_of(staff=staff, guest_id=case.guest_id, now=now).without_approval if may_give else 0,
            "reasons": [(reason.code, str(reason), reason.usual_points) for reason in selectors.list_reasons()] if may_give else (),
        }
    }


def _by_chain(guest_id: int) -> Sequence[tuple[str, str]]:
    """Chain and the last digits of each card."""
    return [(card.chain.name, f"…{card.number[-4:]}") for card in selectors.list_cards(guest_id)]


def _shown(one: Compensation, staff: Staff) -> dict[str, Any]:
    waits = one.state == CompensationState.AWAITING
    return {
        "id": one.pk,
        "points": one.points,
        "reason": str(one.reason),
        "comment": one.comment,
        "state": one.get_state_display(),
        "waits": waits,
        "author": str(one.author),
        "at": moment(one.asked_at),
        "until": moment(one.expires_at) if waits and one.expires_at else "",
        "why_not": one.decision_text,
        "notice": one.get_notice_display() if one.state == CompensationState.GRANTED else "",
        "signatures": [(sign.level_name, str(sign.by) if sign.by else _t("is waited for")) for sign in one.signatures.select_related("by")],
        "may_withdraw": waits and one.author_id == staff.pk,
        "may_decide": waits and selectors.to_be_signed_by(staff).filter(pk=one.pk).exists(),
    }


@require(Right.COMPENSATE)
@require_POST
def give(request: HttpRequest, subject_id: int) -> HttpResponseBase:
    """Points for the ticket's guest; the command's key is the compensation's id, so that a repeat is the same in the ledger, too."""
    by, now = staff_of(request), timezone.now()
    key = parse_key(request.headers.get("Idempotency-Key"))
    points = request.POST.get("points", "")

    def run() -> Answer:
        find_item(staff=by, kind=Kind.CASE, subject_id=subject_id)
        made = compensations.compensate(
            id=key,
            subject=f"case:{subject_id}",
            points=int(points) if points.isascii() and points.isdecimal() and len(points) < 10 else 0,
            reason=selectors.find_reason(request.POST.get("reason", "")),
            comment=request.POST.get("comment", ""),
            by=by,
            now=now,
        )
        return {"ok": True, "state": made.state}

    return JsonResponse(once(key=key, name="desk.compensate", by=by, run=run))


def _waiting(by: Staff, subject_id: int) -> Compensation:
    """The ticket's compensation that waits. Raises Refusal (404)."""
    find_item(staff=by, kind=Kind.CASE, subject_id=subject_id)
    found = [one for one in selectors.list_compensations(f"case:{subject_id}") if one.state == CompensationState.AWAITING]
    if not found:
        raise Refusal("decided", _("No compensation of this ticket waits for a decision."))
    return found[0]


def _decided(run: Callable[[Compensation], Compensation], *, by: Staff, subject_id: int) -> Answer:
    return {"ok": True, "state": run(_waiting(by, subject_id)).state}


@command("desk.compensation_approve", right=Right.APPROVE_POINTS)
def approve(*, subject_id: int, by: Staff, now: datetime, **_rest: Any) -> Answer:
    return _decided(lambda one: approvals.approve(id=one.pk, by=by, now=now), by=by, subject_id=subject_id)


@command("desk.compensation_refuse", right=Right.APPROVE_POINTS)
def refuse(*, subject_id: int, fields: Any, by: Staff, now: datetime, **_rest: Any) -> Answer:
    text = fields.get("text", "")
    return _decided(lambda one: approvals.refuse(id=one.pk, text=text, by=by, now=now), by=by, subject_id=subject_id)


@command("desk.compensation_withdraw", right=Right.COMPENSATE)
def withdraw(*, subject_id: int, by: Staff, now: datetime, **_rest: Any) -> Answer:
    return _decided(lambda one: approvals.withdraw(id=one.pk, by=by, now=now), by=by, subject_id=subject_id)
