"""Points and compensations for the desk and for other systems: read the input, check the right, one service or selector, answer."""

from typing import Any
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api import KEY, checked, once, staff_of
from accounts.models import Staff
from accounts.rights import Right
from core import commands
from core.refusal import Refusal
from loyalty import grounds, selectors
from loyalty.api import schemas, shapes
from loyalty.models import Campaign, Compensation
from loyalty.services import approvals, compensations
from loyalty.services.ledger import must
from loyalty.types import Outcome

FAULTS = dict.fromkeys((400, 403, 404, 409), schemas.PointsFaultOutput)


class CasePointsView(APIView):
    rights = {"GET": Right.CASES_READ}

    @extend_schema(operation_id="case_points", responses={200: schemas.CasePointsOutput, **FAULTS})
    def get(self, request: Request, case_id: int) -> Response:
        """The points of a ticket's guest, what the caller may give without approval, and the ticket's compensations."""
        staff = staff_of(request)
        ground = grounds.find(staff=staff, subject=f"case:{case_id}")
        limits = selectors.limits_of(staff=staff, guest_id=ground.guest_id, now=timezone.now())
        return Response(
            {
                "balance": shapes.balance(selectors.balance_of(ground.guest_id)),
                "cards": [shapes.card(card) for card in selectors.list_cards(ground.guest_id)],
                "reasons": [shapes.reason(reason) for reason in selectors.list_reasons()],
                "without_approval": limits.without_approval if staff.has_right(Right.COMPENSATE) else 0,
                "compensations": [shapes.compensation(one) for one in selectors.list_compensations(ground.subject)],
            }
        )


class CaseCompensationsView(APIView):
    rights = {"POST": Right.COMPENSATE}

    @extend_schema(
        operation_id="case_compensate",
        parameters=[KEY],
        request=schemas.CompensateInput,
        responses={201: schemas.CompensationOutput, **FAULTS},
    )
    def post(self, request: Request, case_id: int) -> Response:
        """Give the ticket's guest points: at once within the limits (`granted`), else it waits for signatures (`awaiting`)."""
        staff = staff_of(request)
        grounds.find(staff=staff, subject=f"case:{case_id}")
        wanted = checked(schemas.CompensateInput, request.data)
        # The command's key is the compensation's and the transfer's id: a repeat is the same in the ledger, too, and never another sum.
        key = commands.parse_key(request.headers.get("Idempotency-Key"))
        given = once(request, "api.compensation.give", lambda: _give(key, case_id, staff, wanted))
        if (given["subject"], given["points"]) != (f"case:{case_id}", wanted["points"]):
            must(Outcome.REUSED)
        return Response(given, status=201)


def _give(key: UUID, case_id: int, staff: Staff, wanted: dict[str, Any]) -> dict[str, Any]:
    made = compensations.compensate(
        id=key,
        subject=f"case:{case_id}",
        points=wanted["points"],
        reason=selectors.find_reason(wanted["reason"]),
        comment=wanted["comment"],
        campaign=_campaign(wanted.get("campaign")),
        by=staff,
        now=timezone.now(),
    )
    return shapes.compensation(made)


def _campaign(number: int | None) -> Campaign | None:
    found = Campaign.objects.filter(pk=number).first() if number else None
    if number and found is None:
        raise Refusal("campaign_unknown", _("There is no such campaign."), status=400)
    return found


class CompensationsView(APIView):
    rights = {"GET": Right.CASES_READ}

    @extend_schema(
        operation_id="compensations_list", parameters=[schemas.ShownInput], responses={200: schemas.CompensationsOutput, **FAULTS}
    )
    def get(self, request: Request) -> Response:
        """Compensations that the caller may see, page by page, or those that wait for the caller's signature."""
        wanted, staff = checked(schemas.ShownInput, request.query_params), staff_of(request)
        if wanted["to_sign"]:
            found = list(selectors.to_be_signed_by(staff).prefetch_related("signatures__by")[: wanted["limit"]])
            return Response({"items": [shapes.compensation(one) for one in found], "next": None})
        shown = selectors.visible_compensations(staff).prefetch_related("signatures__by").order_by("-asked_at", "pk")
        if "before" in wanted:
            shown = shown.filter(asked_at__lt=wanted["before"])
        found = list(shown[: wanted["limit"]])
        following = found[-1].asked_at if len(found) == wanted["limit"] else None
        return Response({"items": [shapes.compensation(one) for one in found], "next": following})


class DecideView(APIView):
    """The base of the three decisions: `what` names the command."""

    rights = {"POST": Right.APPROVE_POINTS}

    def decided(self, request: Request, name: str, run: Any) -> Response:
        def decide() -> dict[str, Any]:
            made: Compensation = run()
            return shapes.compensation(Compensation.objects.select_related("guest", "reason", "author").get(pk=made.pk))

        return Response(once(request, name, decide))


class ApproveView(DecideView):
    @extend_schema(
        operation_id="compensation_approve", parameters=[KEY], request=None, responses={200: schemas.CompensationOutput, **FAULTS}
    )
    def post(self, request: Request, compensation_id: UUID) -> Response:
        """Sign a compensation of somebody else; with the last signature the guest gets the points."""
        staff = staff_of(request)
        selectors.find_compensation(staff=staff, compensation_id=compensation_id)
        return self.decided(
            request, "api.compensation.approve", lambda: approvals.approve(id=compensation_id, by=staff, now=timezone.now())
        )


class RefuseView(DecideView):
    @extend_schema(
        operation_id="compensation_refuse",
        parameters=[KEY],
        request=schemas.RefuseInput,
        responses={200: schemas.CompensationOutput, **FAULTS},
    )
    def post(self, request: Request, compensation_id: UUID) -> Response:
        """Refuse a compensation of somebody else, with the reason."""
        staff = staff_of(request)
        selectors.find_compensation(staff=staff, compensation_id=compensation_id)
        text = checked(schemas.RefuseInput, request.data)["text"]
        return self.decided(
            request, "api.compensation.refuse", lambda: approvals.refuse(id=compensation_id, text=text, by=staff, now=timezone.now())
        )


class WithdrawView(DecideView):
    rights = {"POST": Right.COMPENSATE}

    @extend_schema(
        operation_id="compensation_withdraw", parameters=[KEY], request=None, responses={200: schemas.CompensationOutput, **FAULTS}
    )
    def post(self, request: Request, compensation_id: UUID) -> Response:
        """Take one's own compensation back before it is decided."""
        staff = staff_of(request)
        selectors.find_compensation(staff=staff, compensation_id=compensation_id)
        return self.decided(
            request, "api.compensation.withdraw", lambda: approvals.withdraw(id=compensation_id, by=staff, now=timezone.now())
        )
