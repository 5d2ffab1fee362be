"""Answers, approved texts and the fate of messages, for other systems."""

from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import Staff
from accounts.rights import Right
from core.refusal import Refusal
from omni.api.entrance import FAULTS, KEY, checked, once, staff_of
from omni.delivery import story_of
from omni.models import Message, Session
from omni.selectors import find_guest
from omni.services import answering, approved, fallbacks
from omni.services.approved import Choice
from omni.states import Direction, SendState
from worklist.selectors import find_item
from worklist.states import Kind


class TemplateInput(serializers.Serializer[Any]):
    """An approved text by its number, with the values of its places in their order."""

    id = serializers.IntegerField(min_value=1)
    values = serializers.ListField(child=serializers.CharField(max_length=1000), default=list, max_length=20)


class AnswerInput(serializers.Serializer[Any]):
    """Either a text of one's own or an approved one: when the reply window is over only the latter goes through."""

    text = serializers.CharField(max_length=100_000, required=False)
    template = TemplateInput(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("text" in attrs) == ("template" in attrs):
            raise serializers.ValidationError(_("Give either a text or an approved text."))
        return attrs


class WayInput(serializers.Serializer[Any]):
    identity = serializers.IntegerField(min_value=1, help_text="One of `ways` of the message's story.")


class SentMessageOutput(serializers.Serializer[Any]):
    message = serializers.IntegerField()
    state = serializers.ChoiceField(choices=SendState.choices)


class ApprovedOutput(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    name = serializers.CharField()
    language = serializers.CharField()
    body = serializers.CharField()
    parameters = serializers.ListField(child=serializers.CharField())


class TryOutput(serializers.Serializer[Any]):
    number = serializers.IntegerField()
    at = serializers.DateTimeField()
    ended_at = serializers.DateTimeField(allow_null=True)
    state = serializers.ChoiceField(choices=SendState.choices)
    said = serializers.CharField()
    code = serializers.CharField()
    detail = serializers.CharField()
    possibly_delivered = serializers.BooleanField()


class WayOutput(serializers.Serializer[Any]):
    identity = serializers.IntegerField()
    channel = serializers.CharField()
    account = serializers.CharField()


class StoryOutput(serializers.Serializer[Any]):
    """A message's way out: every try, what comes next, other channels through which it may be sent."""

    message = serializers.IntegerField()
    state = serializers.ChoiceField(choices=SendState.choices)
    error = serializers.CharField()
    tries = TryOutput(many=True)
    next_step = serializers.CharField()
    next_at = serializers.DateTimeField(allow_null=True)
    ways = WayOutput(many=True)


def _session(staff: Staff, session_id: int) -> Session:
    item = find_item(staff=staff, kind=Kind.SESSION, subject_id=session_id)
    return Session.objects.select_related("account", "identity").get(pk=item.subject_id)


def find_outgoing(staff: Staff, message_id: int) -> Message:
    """A message to a guest whom the person sees. Raises Refusal (404)."""
    found = Message.objects.select_related("account", "session").filter(pk=message_id, direction=Direction.OUT).first()
    if found is None:
        raise Refusal("not_found", _("There is no such message, or you may not see it."), status=404)
    find_guest(staff=staff, guest_id=found.guest_id)
    return found


class SessionAnswersView(APIView):
    rights = {"POST": Right.ANSWER}

    @extend_schema(operation_id="sessions_answer", parameters=[KEY], request=AnswerInput, responses={201: SentMessageOutput, **FAULTS})
    def post(self, request: Request, session_id: int) -> Response:
        """Answer the guest of a dialogue, by a text or by one that the channel's provider has approved."""
        wanted, staff = checked(AnswerInput, request.data), staff_of(request)
        session = _session(staff, session_id)

        def run() -> dict[str, Any]:
            message = answer(session_id=session.pk, wanted=wanted, by=staff)
            return {"message": message.pk, "state": message.send_state}

        return Response(once(request, f"api.session.answer:{session_id}", run), status=201)


def answer(*, session_id: int, wanted: dict[str, Any], by: Staff) -> Message:
    """Write what was asked for: a text, or an approved one. Raises Refusal."""
    if template := wanted.get("template"):
        choice = Choice(template["id"], template["values"])
        return answering.answer_with_template(session_id=session_id, choice=choice, by=by, now=timezone.now())
    return answering.answer(session_id=session_id, text=wanted["text"], by=by, now=timezone.now())


class ApprovedView(APIView):
    rights = {"GET": Right.ANSWER}

    @extend_schema(operation_id="sessions_templates", responses={200: ApprovedOutput(many=True), **FAULTS})
    def get(self, request: Request, session_id: int) -> Response:
        """Approved texts that may be sent in this dialogue."""
        found = approved.list_approved(_session(staff_of(request), session_id))
        names = ("name", "language", "body", "parameters")
        return Response([{"id": one.pk, **{name: getattr(one, name) for name in names}} for one in found])


class StoryView(APIView):
    rights = {"GET": Right.DESK}

    @extend_schema(operation_id="messages_story", responses={200: StoryOutput, **FAULTS})
    def get(self, request: Request, message_id: int) -> Response:
        """Why a message has, or has not, arrived."""
        message = find_outgoing(staff_of(request), message_id)
        story = story_of(message, now=timezone.now())
        return Response(
            {
                "message": message.pk,
                "state": message.send_state,
                "error": message.send_error,
                "tries": [vars(one) for one in story.tries],
                "next_step": story.next_step,
                "next_at": story.next_at,
                "ways": [{"identity": way.identity.pk, "channel": way.account.kind, "account": way.account.name} for way in story.ways],
            }
        )


class OtherChannelView(APIView):
    rights = {"POST": Right.ANSWER}

    @extend_schema(
        operation_id="messages_send_by_other_channel", parameters=[KEY], request=WayInput, responses={201: SentMessageOutput, **FAULTS}
    )
    def post(self, request: Request, message_id: int) -> Response:
        """Send a failed message through another channel of its guest, who has agreed to that."""
        identity = checked(WayInput, request.data)["identity"]
        staff = staff_of(request)
        message = find_outgoing(staff, message_id)

        def run() -> dict[str, Any]:
            made = fallbacks.send_by(message_id=message.pk, identity_id=identity, by=staff, now=timezone.now())
            return {"message": made.pk, "state": made.send_state}

        return Response(once(request, f"api.message.other_channel:{message_id}", run), status=201)
