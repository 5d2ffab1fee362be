"""Suggested topics for the desk and for other systems."""

from dataclasses import asdict
from typing import Any, cast

from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.entrance import require
from accounts.models import Staff
from accounts.rights import Right
from omni.api.entrance import FAULTS, checked, staff_of
from suggestions.selectors import offers
from suggestions.services import suggesting
from worklist.selectors import find_item
from worklist.states import Kind


@require(Right.CASES_WORK)
@require_POST
def show(request: HttpRequest, session_id: int) -> HttpResponseBase:
    """Topics for the new ticket's form. Needs no Idempotency-Key: a repeat shows the same and changes nothing."""
    find_item(staff=cast(Staff, request.user), kind=Kind.SESSION, subject_id=session_id)
    suggestion = suggesting.show(session_id=session_id, now=timezone.now())
    found = offers(suggesting.guesses_of(suggestion)) if suggestion else []
    return JsonResponse({"found": [asdict(one) for one in found]})


class AskInput(serializers.Serializer[Any]):
    """What to find topics for: a dialogue, or a text of which nothing is kept."""

    session = serializers.IntegerField(required=False, min_value=1)
    text = serializers.CharField(required=False, max_length=20_000)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("session" in attrs) == ("text" in attrs):
            raise serializers.ValidationError(_("Give either the dialogue or the text."))
        return attrs


class OfferOutput(serializers.Serializer[Any]):
    topic = serializers.CharField(help_text="Code of the topic, see /api/v1/topics.")
    path = serializers.CharField()
    store_required = serializers.BooleanField()
    confidence = serializers.FloatField(min_value=0, max_value=1)
    words = serializers.CharField(help_text="The confidence in a word.")


class OffersOutput(serializers.Serializer[Any]):
    """At most three, the surest first; none while suggestions are switched off. `version` null = the words of the topic tree."""

    topics = OfferOutput(many=True)
    version = serializers.IntegerField(allow_null=True)


class SuggestedView(APIView):
    rights = {"POST": Right.CASES_WORK}

    @extend_schema(operation_id="topics_suggested", request=AskInput, responses={200: OffersOutput, **FAULTS})
    def post(self, request: Request) -> Response:
        """Topics that fit a dialogue or a text, with how sure the model is. For a dialogue, what is chosen later is compared with it."""
        wanted = checked(AskInput, request.data)
        version, guesses = _in_session(staff_of(request), wanted["session"]) if "session" in wanted else _in_text(wanted["text"])
        topics = [{**asdict(one), "topic": one.code} for one in offers(guesses)]
        names = ("topic", "path", "store_required", "confidence", "words")
        return Response({"topics": [{name: one[name] for name in names} for one in topics], "version": version})


def _in_session(staff: Staff, session_id: int) -> tuple[int | None, Any]:
    find_item(staff=staff, kind=Kind.SESSION, subject_id=session_id)
    suggestion = suggesting.show(session_id=session_id, now=timezone.now())
    return (suggestion.version_id, suggesting.guesses_of(suggestion)) if suggestion else (None, ())


def _in_text(text: str) -> tuple[int | None, Any]:
    found = suggesting.find(text)
    return found.version_id, found.guesses
