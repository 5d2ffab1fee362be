"""A ticket's way and life for other systems: route map, re-routing, waits, calls, followers."""

from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import Group, Staff
from accounts.rights import Right
from core.refusal import Refusal
from omni.api.entrance import FAULTS, KEY, checked, once, staff_of
from sla.services import clocks
from stores.models import Store
from tickets.api import schemas, shapes
from tickets.models import Topic, WaitReason
from tickets.route_map import Stay
from tickets.selectors import find_case
from tickets.services import call_backs, rerouting, waits, watching
from tickets.services.rerouting import Change
from tickets.services.route_maps import route_of


class StayOutput(serializers.Serializer[Any]):
    """How long the ticket was with whom; `until` null = it is there now, `worked_seconds` by its policy's calendar."""

    holder = serializers.CharField(help_text="start, group, person, store, guest, third, end")
    name = serializers.CharField()
    group = serializers.CharField()
    since = serializers.DateTimeField()
    until = serializers.DateTimeField(allow_null=True)
    seconds = serializers.IntegerField()
    worked_seconds = serializers.IntegerField()
    reason = serializers.CharField()


class RerouteInput(serializers.Serializer[Any]):
    """What is to be different; without a group or person the rules find the way anew."""

    topic = serializers.SlugField(required=False, max_length=64)
    store = serializers.CharField(required=False, max_length=12, help_text="Number of the store.")
    group = serializers.SlugField(required=False, help_text="Code of the group.")
    person = serializers.IntegerField(required=False, min_value=1)
    reason = serializers.CharField(max_length=400)
    details = serializers.DictField(
        child=serializers.CharField(allow_blank=True, max_length=300),
        required=False,
        default=dict,
        help_text="What a new topic asks for, by code; what the ticket knows already need not be given.",
    )


class WaitInput(serializers.Serializer[Any]):
    reason = serializers.SlugField(help_text="Code of the reason to wait.")


class CallInput(serializers.Serializer[Any]):
    at = serializers.DateTimeField()
    phone = serializers.CharField(required=False, allow_blank=True, max_length=20, default="")
    note = serializers.CharField(required=False, allow_blank=True, max_length=1000, default="")


class CallEndInput(serializers.Serializer[Any]):
    made = serializers.BooleanField(default=True, help_text="false = the call is not needed any more")
    outcome = serializers.CharField(required=False, allow_blank=True, max_length=1000, default="")


class CallOutput(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    at = serializers.DateTimeField()
    state = serializers.CharField()


class FollowInput(serializers.Serializer[Any]):
    follows = serializers.BooleanField()


def _stay(stay: Stay) -> dict[str, Any]:
    return {
        "holder": stay.holder.value,
        "name": stay.name,
        "group": stay.group,
        "since": stay.since,
        "until": stay.until,
        "seconds": round(stay.seconds),
        "worked_seconds": round(stay.worked),
        "reason": stay.reason,
    }


class RouteView(APIView):
    rights = {"GET": Right.CASES_READ, "POST": Right.CASES_WORK}

    @extend_schema(operation_id="cases_route", responses={200: StayOutput(many=True), **FAULTS})
    def get(self, request: Request, case_id: int) -> Response:
        """The ticket's way through people and groups, in order, with the time at each."""
        case = find_case(staff=staff_of(request), case_id=case_id)
        return Response([_stay(stay) for stay in route_of(case, now=timezone.now())])

    @extend_schema(operation_id="cases_reroute", parameters=[KEY], request=RerouteInput, responses={200: schemas.OpenedOutput, **FAULTS})
    def post(self, request: Request, case_id: int) -> Response:
        """Another topic, store, group or person, with the reason."""
        wanted = checked(RerouteInput, request.data)
        case = find_case(staff=staff_of(request), case_id=case_id)

        def run() -> dict[str, Any]:
            change = _change(wanted)
            how = {"reason": wanted["reason"], "details": wanted["details"], "now": timezone.now()}
            done = rerouting.reroute(case_id=case.pk, change=change, by=staff_of(request), **how)
            return shapes.opened(done, clocks.running(done.clock_subject))

        return Response(once(request, f"api.case.route:{case_id}", run))


def _change(wanted: dict[str, Any]) -> Change:
    """Raises Refusal: one of the names is unknown."""
    return Change(
        topic=_named(Topic, wanted, "topic", "code"),
        store=_named(Store, wanted, "store", "number"),
        group=_named(Group, wanted, "group", "code"),
        person=_named(Staff, wanted, "person", "pk"),
    )


def _named(model: Any, wanted: dict[str, Any], name: str, field: str) -> Any:
    if name not in wanted:
        return None
    found = model.objects.filter(**{field: wanted[name]}).first()
    if found is None:
        raise Refusal(f"{name}_unknown", _("“%(name)s” is not known.") % {"name": wanted[name]}, status=400)
    return found


class WaitsView(APIView):
    rights = {"POST": Right.CASES_WORK}

    @extend_schema(operation_id="cases_wait", parameters=[KEY], request=WaitInput, responses={200: schemas.OpenedOutput, **FAULTS})
    def post(self, request: Request, case_id: int) -> Response:
        """The next step is somebody else's, for a reason that reminds the guest and may close the ticket for silence."""
        wanted = checked(WaitInput, request.data)
        case = find_case(staff=staff_of(request), case_id=case_id)
        reason: WaitReason = _named(WaitReason, wanted, "reason", "code")

        def run() -> dict[str, Any]:
            done = waits.begin(case_id=case.pk, reason_id=reason.pk, by=staff_of(request), now=timezone.now())
            return shapes.opened(done, clocks.running(done.clock_subject))

        return Response(once(request, f"api.case.wait:{case_id}", run))


class CallsView(APIView):
    rights = {"POST": Right.CASES_WORK}

    @extend_schema(operation_id="cases_plan_call", parameters=[KEY], request=CallInput, responses={201: CallOutput, **FAULTS})
    def post(self, request: Request, case_id: int) -> Response:
        """Promise the guest a call; its people are told when it is due."""
        wanted = checked(CallInput, request.data)
        case = find_case(staff=staff_of(request), case_id=case_id)

        def run() -> dict[str, Any]:
            row = call_backs.plan(case_id=case.pk, by=staff_of(request), now=timezone.now(), **wanted)
            return {"id": row.pk, "at": row.at.isoformat(), "state": row.state}

        return Response(once(request, f"api.case.call:{case_id}", run), status=201)


class CallView(APIView):
    rights = {"POST": Right.CASES_WORK}

    @extend_schema(operation_id="cases_end_call", parameters=[KEY], request=CallEndInput, responses={200: CallOutput, **FAULTS})
    def post(self, request: Request, case_id: int, call_id: int) -> Response:
        """The call was made, or is not needed any more."""
        wanted = checked(CallEndInput, request.data)
        case = find_case(staff=staff_of(request), case_id=case_id)

        def run() -> dict[str, Any]:
            row = call_backs.end(case_id=case.pk, call_id=call_id, by=staff_of(request), now=timezone.now(), **wanted)
            return {"id": row.pk, "at": row.at.isoformat(), "state": row.state}

        return Response(once(request, f"api.case.call_end:{call_id}", run))


class FollowView(APIView):
    rights = {"POST": Right.CASES_READ}

    @extend_schema(operation_id="cases_follow", parameters=[KEY], request=FollowInput, responses={200: FollowInput, **FAULTS})
    def post(self, request: Request, case_id: int) -> Response:
        """Hear of the ticket's steps at the desk, or no longer."""
        wanted = checked(FollowInput, request.data)
        case = find_case(staff=staff_of(request), case_id=case_id)

        def run() -> dict[str, Any]:
            deed = watching.watch if wanted["follows"] else watching.unwatch
            deed(case_id=case.pk, by=staff_of(request), now=timezone.now())
            return {"follows": wanted["follows"]}

        return Response(once(request, f"api.case.follow:{case_id}", run))
