"""Questions to others about a ticket, for other systems: approvals, and links to a store without an account."""

from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.rights import Right
from core.refusal import Refusal
from omni.api.entrance import FAULTS, KEY, checked, once, staff_of
from tickets import approval_reading
from tickets.approving import ApprovalState, Decision
from tickets.asking import LetterState, Revoked, StoreWord
from tickets.models import Approval, ApprovalRule, ApprovalSeat, StoreLink
from tickets.selectors import find_case
from tickets.services import approvals, store_links


class ApprovalInput(serializers.Serializer[Any]):
    rule = serializers.SlugField(max_length=64, help_text="Code of the rule of approval.")
    question = serializers.CharField(max_length=4000, help_text="What is to be approved, and why.")


class DecisionInput(serializers.Serializer[Any]):
    decision = serializers.ChoiceField(choices=Decision.choices)
    reason = serializers.CharField(max_length=2000)


class SeatOutput(serializers.Serializer[Any]):
    """One person's part; `by` decided, for an absent one the substitute."""

    person = serializers.CharField()
    by = serializers.CharField()
    decision = serializers.ChoiceField(choices=[("", ""), *Decision.choices])
    reason = serializers.CharField()
    at = serializers.DateTimeField(allow_null=True)


class ApprovalOutput(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    case = serializers.IntegerField()
    number = serializers.CharField()
    rule = serializers.CharField()
    state = serializers.ChoiceField(choices=ApprovalState.choices)
    question = serializers.CharField()
    asked_by = serializers.CharField()
    asked_at = serializers.DateTimeField()
    deadline_at = serializers.DateTimeField()
    decided_at = serializers.DateTimeField(allow_null=True)
    quorum = serializers.IntegerField()
    may_decide = serializers.BooleanField(help_text="Whether the caller has a part that is open.")
    seats = SeatOutput(many=True)


class StoreQuestionInput(serializers.Serializer[Any]):
    question = serializers.CharField(required=False, allow_blank=True, max_length=2000, default="")


class StoreLinkOutput(serializers.Serializer[Any]):
    """A link that was sent to the store. The address itself is in the store's letter only."""

    id = serializers.IntegerField()
    store = serializers.CharField()
    question = serializers.CharField()
    created_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()
    opened_at = serializers.DateTimeField(allow_null=True)
    promised_at = serializers.DateTimeField(allow_null=True)
    answered_at = serializers.DateTimeField(allow_null=True)
    word = serializers.ChoiceField(choices=[("", ""), *StoreWord.choices])
    answer = serializers.CharField()
    signed = serializers.CharField()
    revoked_because = serializers.ChoiceField(choices=[("", ""), *Revoked.choices])
    letter = serializers.ChoiceField(choices=[("", ""), *LetterState.choices], help_text="Empty = the store has no mailbox.")


class MyApprovalsView(APIView):
    rights = {"GET": Right.CASES_READ}

    @extend_schema(operation_id="approvals_list", responses={200: ApprovalOutput(many=True), **FAULTS})
    def get(self, request: Request) -> Response:
        """What waits for the caller's decision, the nearest end first."""
        found = approval_reading.list_mine(staff_of(request), now=timezone.now())
        return Response([_approval(one, request) for one in found])


class CaseApprovalsView(APIView):
    rights = {"GET": Right.CASES_READ, "POST": Right.CASES_WORK}

    @extend_schema(operation_id="cases_approvals", responses={200: ApprovalOutput(many=True), **FAULTS})
    def get(self, request: Request, case_id: int) -> Response:
        """The ticket's approvals, the newest first."""
        case = find_case(staff=staff_of(request), case_id=case_id)
        return Response([_approval(one, request) for one in approval_reading.list_of(case.pk)])

    @extend_schema(operation_id="cases_ask_approval", parameters=[KEY], request=ApprovalInput, responses={201: ApprovalOutput, **FAULTS})
    def post(self, request: Request, case_id: int) -> Response:
        """Ask those whom the rule names; each gets a letter."""
        wanted, staff = checked(ApprovalInput, request.data), staff_of(request)
        case = find_case(staff=staff, case_id=case_id)
        rule = ApprovalRule.objects.filter(code=wanted["rule"], is_active=True).first()
        if rule is None:
            raise Refusal("rule_unknown", _("“%(name)s” is not known.") % {"name": wanted["rule"]}, status=400)

        def ask() -> dict[str, Any]:
            made = approvals.ask(case_id=case.pk, rule=rule, question=wanted["question"], by=staff, now=timezone.now())
            return _approval(made, request)

        return Response(once(request, f"api.case.approval:{case_id}", ask), status=201)


class ApprovalView(APIView):
    rights = {"GET": Right.CASES_READ}

    @extend_schema(operation_id="approvals_get", responses={200: ApprovalOutput, **FAULTS})
    def get(self, request: Request, approval_id: int) -> Response:
        """An approval in which the caller has a part, or whose ticket the caller may see."""
        return Response(_approval(_find(request, approval_id), request))


class ApprovalDecisionView(APIView):
    rights = {"POST": Right.CASES_READ}

    @extend_schema(operation_id="approvals_decide", parameters=[KEY], request=DecisionInput, responses={200: ApprovalOutput, **FAULTS})
    def post(self, request: Request, approval_id: int) -> Response:
        """The caller's yes or no with the reason; never about an own matter, never twice."""
        wanted = checked(DecisionInput, request.data)
        _find(request, approval_id)

        def decide() -> dict[str, Any]:
            given = {"yes": wanted["decision"] == Decision.YES, "reason": wanted["reason"], "now": timezone.now()}
            return _approval(approvals.decide(approval_id=approval_id, by=staff_of(request), **given), request)

        return Response(once(request, f"api.approval.decide:{approval_id}", decide))


class ApprovalWithdrawView(APIView):
    rights = {"POST": Right.CASES_WORK}

    @extend_schema(operation_id="approvals_withdraw", parameters=[KEY], request=None, responses={200: ApprovalOutput, **FAULTS})
    def post(self, request: Request, approval_id: int) -> Response:
        """Who asked takes the question back."""
        _find(request, approval_id)

        def withdraw() -> dict[str, Any]:
            return _approval(approvals.withdraw(approval_id=approval_id, by=staff_of(request), now=timezone.now()), request)

        return Response(once(request, f"api.approval.withdraw:{approval_id}", withdraw))


class StoreLinksView(APIView):
    rights = {"GET": Right.CASES_READ, "POST": Right.CASES_WORK}

    @extend_schema(operation_id="cases_store_links", responses={200: StoreLinkOutput(many=True), **FAULTS})
    def get(self, request: Request, case_id: int) -> Response:
        """The links that the ticket's store was sent, the newest first, with what came of them."""
        case = find_case(staff=staff_of(request), case_id=case_id)
        found = StoreLink.objects.filter(case=case).select_related("store").order_by("-pk")
        return Response([_link(one) for one in found])

    @extend_schema(operation_id="cases_ask_store", parameters=[KEY], request=StoreQuestionInput, responses={201: StoreLinkOutput, **FAULTS})
    def post(self, request: Request, case_id: int) -> Response:
        """Write to the store for which the ticket waits; an older link stops working."""
        wanted, staff = checked(StoreQuestionInput, request.data), staff_of(request)
        case = find_case(staff=staff, case_id=case_id)

        def send() -> dict[str, Any]:
            return _link(store_links.send(case_id=case.pk, by=staff, question=wanted["question"], now=timezone.now()))

        return Response(once(request, f"api.case.store_link:{case_id}", send), status=201)


def _find(request: Request, approval_id: int) -> Approval:
    return approval_reading.find(approval_id, by=staff_of(request), now=timezone.now(), by_ticket=True)


def _approval(one: Approval, request: Request) -> dict[str, Any]:
    times = {name: _moment(getattr(one, name)) for name in ("asked_at", "deadline_at", "decided_at")}
    return {
        "id": one.pk,
        "case": one.case_id,
        "number": one.case.number,
        "rule": one.rule.code,
        "state": one.state,
        "question": one.question,
        "asked_by": one.asked_by.full_name,
        "quorum": one.rule.quorum,
        "may_decide": approval_reading.may_decide(one, staff_of(request), now=timezone.now()),
        "seats": [_seat(seat) for seat in one.seats.select_related("staff", "by").order_by("pk")],
        **times,
    }


def _seat(seat: ApprovalSeat) -> dict[str, Any]:
    by = seat.by.full_name if seat.by else ""
    return {"person": seat.staff.full_name, "by": by, "decision": seat.decision, "reason": seat.reason, "at": _moment(seat.at)}


def _link(one: StoreLink) -> dict[str, Any]:
    letter = one.letters.order_by("-pk").values_list("state", flat=True).first()
    names = ("created_at", "expires_at", "opened_at", "promised_at", "answered_at")
    times = {name: _moment(getattr(one, name)) for name in names}
    told = {"word": one.word, "answer": one.words, "signed": one.signed, "revoked_because": one.revoked_because}
    return {"id": one.pk, "store": one.store.number, "question": one.question, **times, **told, "letter": letter or ""}


def _moment(at: Any) -> str | None:
    return at.isoformat() if at else None
