"""The escalation of a ticket for other systems: how it stands, “I am on it”."""

from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api import KEY, once, staff_of
from accounts.models import Staff
from accounts.rights import Right
from core.refusal import Refusal
from escalation.banners import Banner, banner_of
from escalation.services import taking
from omni.api.entrance import FAULTS
from tickets.selectors import find_case


class HistoryLineOutput(serializers.Serializer[Any]):
    at = serializers.DateTimeField()
    text = serializers.CharField()
    late = serializers.BooleanField()


class EscalationOutput(serializers.Serializer[Any]):
    """A ladder that runs for the ticket; `asked` = the people called on this level."""

    line = serializers.CharField()
    level = serializers.CharField()
    is_taken = serializers.BooleanField()
    holder = serializers.CharField()
    asked = serializers.ListField(child=serializers.CharField())
    next_at = serializers.DateTimeField(allow_null=True)
    next = serializers.CharField()
    reaction_due = serializers.DateTimeField(allow_null=True)
    deal_due = serializers.DateTimeField(allow_null=True)
    history = HistoryLineOutput(many=True)


class EscalationView(APIView):
    rights = {"GET": Right.CASES_READ}

    @extend_schema(operation_id="cases_escalation", responses={200: EscalationOutput, **FAULTS})
    def get(self, request: Request, case_id: int) -> Response:
        """The running escalation of a ticket; 404 when none runs."""
        return Response(_shape(_running(staff_of(request), case_id)))


class EscalationTakeView(APIView):
    rights = {"POST": Right.CASES_WORK}

    @extend_schema(operation_id="cases_escalation_take", parameters=[KEY], request=None, responses={200: EscalationOutput, **FAULTS})
    def post(self, request: Request, case_id: int) -> Response:
        """“I am on it”: the caller takes the ticket and its escalation."""
        staff = staff_of(request)
        find_case(staff=staff, case_id=case_id)

        def take() -> dict[str, Any]:
            taking.take(run_id=_running(staff, case_id).run_id, by=staff, now=timezone.now())
            return _shape(_running(staff, case_id))

        return Response(once(request, f"api.case.escalation.take:{case_id}", take))


def _running(staff: Staff, case_id: int) -> Banner:
    """Raises Refusal (404)."""
    banner = banner_of(find_case(staff=staff, case_id=case_id).clock_subject, staff=staff)
    if banner is None:
        raise Refusal("not_escalated", _("This ticket is not called out any more."), status=404)
    return banner


def _shape(banner: Banner) -> dict[str, Any]:
    names = ("line", "level", "is_taken", "holder", "next_at", "reaction_due", "deal_due")
    history = [{"at": line.at, "text": line.text, "late": line.late} for line in banner.history]
    return {**{name: getattr(banner, name) for name in names}, "asked": list(banner.asked), "next": banner.next_words, "history": history}
