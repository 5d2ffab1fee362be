"""Guests who are one person, for other systems: candidates, what a merge would move, merge, undo."""

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.rights import Right
from customers.models import Guest, GuestMerge
from customers.rules import masked_email, masked_phone
from customers.selectors import Candidate
from customers.services.merging import Preview
from omni import same_guest
from omni.api.entrance import FAULTS, KEY, checked, once, staff_of


class PairInput(serializers.Serializer[Any]):
    guest = serializers.IntegerField(min_value=1, help_text="The other guest, who goes on as the one in the address.")


class GuestOutput(serializers.Serializer[Any]):
    """A guest; contacts are masked."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    phone = serializers.CharField()
    email = serializers.CharField()
    since = serializers.DateTimeField()


class CandidateOutput(serializers.Serializer[Any]):
    """Another guest who may be the same person. `score` 0-100; `reasons` and `doubts` are codes."""

    guest = GuestOutput()
    score = serializers.IntegerField()
    reasons = serializers.ListField(child=serializers.CharField())
    doubts = serializers.ListField(child=serializers.CharField())


class IdentityOutput(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    channel = serializers.CharField()
    name = serializers.CharField()


class PreviewOutput(serializers.Serializer[Any]):
    """`moves` counts by kind; `fills` and `keeps` name fields: empty ones that are filled, different ones that stay as they are."""

    kept = GuestOutput()
    gone = GuestOutput()
    score = serializers.IntegerField()
    reasons = serializers.ListField(child=serializers.CharField())
    doubts = serializers.ListField(child=serializers.CharField())
    identities = IdentityOutput(many=True)
    moves = serializers.DictField(child=serializers.IntegerField())
    fills = serializers.ListField(child=serializers.CharField())
    keeps = serializers.ListField(child=serializers.CharField())


class MergeOutput(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    kept = serializers.IntegerField()
    gone = serializers.IntegerField()
    at = serializers.DateTimeField()
    moved = serializers.DictField(child=serializers.IntegerField())
    undone_at = serializers.DateTimeField(allow_null=True)


class CandidatesView(APIView):
    rights = {"GET": Right.JOIN_GUESTS}

    @extend_schema(operation_id="guest_candidates", responses={200: CandidateOutput(many=True), **FAULTS})
    def get(self, request: Request, guest_id: int) -> Response:
        """Guests who may be the same person, the likeliest first."""
        found = same_guest.list_candidates(staff=staff_of(request), guest_id=guest_id)
        return Response([_candidate(one) for one in found])


class PreviewView(APIView):
    rights = {"GET": Right.JOIN_GUESTS}

    @extend_schema(operation_id="guest_merge_preview", parameters=[PairInput], responses={200: PreviewOutput, **FAULTS})
    def get(self, request: Request, guest_id: int) -> Response:
        """What joining the other guest to this one would move and change; nothing is changed."""
        other = checked(PairInput, request.query_params)["guest"]
        return Response(_preview(same_guest.preview(staff=staff_of(request), kept_id=guest_id, gone_id=other)))


class MergesView(APIView):
    rights = {"GET": Right.JOIN_GUESTS, "POST": Right.JOIN_GUESTS}

    @extend_schema(operation_id="guest_merges_list", responses={200: MergeOutput(many=True), **FAULTS})
    def get(self, request: Request, guest_id: int) -> Response:
        """Joinings to this guest that can still be undone."""
        found = same_guest.list_merges(staff=staff_of(request), guest_id=guest_id, now=timezone.now())
        return Response([_merge(one) for one in found])

    @extend_schema(operation_id="guest_merge", parameters=[KEY], request=PairInput, responses={201: MergeOutput, **FAULTS})
    def post(self, request: Request, guest_id: int) -> Response:
        """Join the other guest to this one."""
        other = checked(PairInput, request.data)["guest"]

        def run() -> dict[str, Any]:
            made = same_guest.merge(kept_id=guest_id, gone_id=other, by=staff_of(request), now=timezone.now())
            return _merge(made)

        return Response(once(request, f"api.guest.merge:{guest_id}", run), status=201)


class UndoView(APIView):
    rights = {"POST": Right.JOIN_GUESTS}

    @extend_schema(operation_id="guest_merge_undo", parameters=[KEY], request=None, responses={200: MergeOutput, **FAULTS})
    def post(self, request: Request, merge_id: int) -> Response:
        """Part the two guests again."""
        run = lambda: _merge(same_guest.undo(merge_id=merge_id, by=staff_of(request), now=timezone.now()))  # noqa: E731
        return Response(once(request, f"api.guest.merge_undo:{merge_id}", run))


def _guest(guest: Guest) -> dict[str, Any]:
    return {
        "id": guest.pk,
        "name": guest.name,
        "phone": masked_phone(guest.phone),
        "email": masked_email(guest.email),
        "since": guest.created_at,
    }


def _candidate(one: Candidate) -> dict[str, Any]:
    match = one.match
    return {"guest": _guest(one.guest), "score": match.score, "reasons": list(match.reasons), "doubts": list(match.doubts)}


def _preview(told: Preview) -> dict[str, Any]:
    return {
        "kept": _guest(told.kept),
        "gone": _guest(told.gone),
        "score": told.match.score,
        "reasons": list(told.match.reasons),
        "doubts": list(told.match.doubts),
        "identities": [{"id": one.pk, "channel": one.channel, "name": one.display_name} for one in told.identities],
        "moves": dict(told.counts),
        "fills": sorted(told.fills),
        "keeps": sorted(told.keeps),
    }


def _merge(made: GuestMerge) -> dict[str, Any]:
    return {"id": made.pk, "kept": made.kept_id, "gone": made.gone_id, "at": made.at, "moved": made.moved, "undone_at": made.undone_at}
