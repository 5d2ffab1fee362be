"""What the API takes and gives. Inputs are checked by these; outputs are described by them and written as plain dictionaries."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from tickets.states import CaseState, Cause, Step
from worklist.states import ItemState, Kind, Sort, Tab


class GuestKeyInput(serializers.Serializer[Any]):
    """A guest known in a channel: account with external_id, or phone, or email."""

    account = serializers.UUIDField(required=False, help_text="Public id of the channel account.")
    external_id = serializers.CharField(required=False, max_length=255, help_text="The guest's id in that account.")
    phone = serializers.RegexField(r"^\+\d{7,15}$", required=False, help_text="E.164")
    email = serializers.EmailField(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("account" in attrs) != ("external_id" in attrs):
            raise serializers.ValidationError(_("Give the account together with the guest's id in it."))
        if not attrs:
            raise serializers.ValidationError(_("Name the guest: account and id, telephone or e-mail."))
        return attrs


class OpenCaseInput(serializers.Serializer[Any]):
    """A ticket for a dialogue (`session`), or for a known guest with `text`."""

    topic = serializers.SlugField(max_length=64, help_text="Code of the topic, see /api/v1/topics/.")
    session = serializers.IntegerField(required=False, min_value=1)
    guest = GuestKeyInput(required=False)
    text = serializers.CharField(required=False, max_length=10_000, help_text="What the guest says; needed with `guest`.")
    store = serializers.CharField(required=False, max_length=12, help_text="Number of the store.")
    summary = serializers.CharField(required=False, max_length=2000, allow_blank=True)
    priority = serializers.IntegerField(required=False, min_value=-10, max_value=10, default=0)
    details = serializers.DictField(
        child=serializers.CharField(max_length=300, allow_blank=True), default=dict, help_text="By code, see /api/v1/topics/."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("session" in attrs) == ("guest" in attrs):
            raise serializers.ValidationError(_("Give either the dialogue or the guest."))
        if "guest" in attrs and "text" not in attrs:
            raise serializers.ValidationError({"text": [_("Say what the guest reports.")]})
        return attrs


class TermsInput(serializers.Serializer[Any]):
    policy = serializers.SlugField()
    reason = serializers.CharField(max_length=500)


class CloseInput(serializers.Serializer[Any]):
    """A kind of cause, or a cause of the topic's branch by its code, which may need a note."""

    cause = serializers.ChoiceField(choices=Cause.choices, required=False)
    closing = serializers.SlugField(required=False, max_length=40)
    note = serializers.CharField(required=False, allow_blank=True, max_length=1000, default="")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("cause" in attrs) == ("closing" in attrs):
            raise serializers.ValidationError(_("Give either the kind of cause or a cause of the topic."))
        return attrs


class ListInput(serializers.Serializer[Any]):
    """Which tickets, in which order, from where on."""

    tab = serializers.ChoiceField(choices=Tab.choices, default=Tab.ALL.value)
    sort = serializers.ChoiceField(choices=Sort.choices, default=Sort.NEWEST.value)
    group = serializers.IntegerField(required=False, min_value=1)
    store = serializers.IntegerField(required=False, min_value=1)
    channel = serializers.CharField(required=False, max_length=24)
    cursor = serializers.CharField(required=False, max_length=400, help_text="`next` of the page before.")
    limit = serializers.IntegerField(min_value=1, max_value=200, default=50)


class WordsInput(serializers.Serializer[Any]):
    q = serializers.CharField(max_length=200)


class NamedOutput(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    name = serializers.CharField()


class OpenedOutput(serializers.Serializer[Any]):
    """A ticket that was opened. `due_at` is the nearest promise, null = none."""

    id = serializers.IntegerField()
    number = serializers.CharField()
    state = serializers.ChoiceField(choices=CaseState.choices)
    session = serializers.IntegerField()
    group = NamedOutput()
    opened_at = serializers.DateTimeField()
    due_at = serializers.DateTimeField(allow_null=True)


class RowOutput(serializers.Serializer[Any]):
    """A row of the list."""

    id = serializers.IntegerField()
    kind = serializers.ChoiceField(choices=Kind.choices)
    number = serializers.CharField()
    session = serializers.IntegerField(allow_null=True)
    guest = NamedOutput()
    channel = serializers.CharField()
    title = serializers.CharField()
    preview = serializers.CharField()
    state = serializers.ChoiceField(choices=ItemState.choices)
    group = serializers.IntegerField()
    owner = serializers.IntegerField(allow_null=True)
    store = serializers.IntegerField(allow_null=True)
    due_at = serializers.DateTimeField(allow_null=True)
    last_at = serializers.DateTimeField()


class PageOutput(serializers.Serializer[Any]):
    items = RowOutput(many=True)
    next = serializers.CharField(allow_null=True)


class HitOutput(RowOutput):
    why = serializers.ChoiceField(choices=["number", "guest", "message"])
    snippet = serializers.CharField()


class FoundOutput(serializers.Serializer[Any]):
    """`complete` false = older ones may exist beyond."""

    items = HitOutput(many=True)
    complete = serializers.BooleanField()


class StepOutput(serializers.Serializer[Any]):
    """`words` tell reasons, causes and changes in the caller's language."""

    words = serializers.CharField()
    step = serializers.ChoiceField(choices=Step.choices)
    at = serializers.DateTimeField()
    by = NamedOutput(allow_null=True)
    state = serializers.ChoiceField(choices=CaseState.choices)
    group = NamedOutput(allow_null=True)
    details = serializers.DictField()


class ClockOutput(serializers.Serializer[Any]):
    metric = serializers.CharField()
    due_at = serializers.DateTimeField()
    paused = serializers.BooleanField()
    breached = serializers.BooleanField()


class SpanOutput(serializers.Serializer[Any]):
    since = serializers.DateTimeField()
    until = serializers.DateTimeField()
    running = serializers.BooleanField()
    worked_seconds = serializers.IntegerField()
    policy = serializers.CharField()
    target_seconds = serializers.IntegerField()
    reason = serializers.CharField(allow_blank=True)


class ClockStoryOutput(serializers.Serializer[Any]):
    metric = serializers.CharField()
    cycle = serializers.IntegerField()
    due_at = serializers.DateTimeField(allow_null=True)
    spent_seconds = serializers.IntegerField()
    breached_at = serializers.DateTimeField(allow_null=True)
    ended_at = serializers.DateTimeField(allow_null=True)
    met = serializers.BooleanField(allow_null=True)
    spans = SpanOutput(many=True)


class CaseOutput(OpenedOutput):
    """`guest` null = the ticket is an incident's own."""

    guest = NamedOutput(allow_null=True)
    topic = serializers.CharField()
    store = serializers.CharField(allow_null=True)
    owner = NamedOutput(allow_null=True)
    channel = serializers.CharField()
    summary = serializers.CharField()
    first_answer_at = serializers.DateTimeField(allow_null=True)
    closed_at = serializers.DateTimeField(allow_null=True)
    cause = serializers.CharField()
    closing = serializers.CharField(allow_null=True)
    details = serializers.DictField(child=serializers.CharField())
    why_here = serializers.ListField(child=serializers.CharField())
    clocks = ClockOutput(many=True)
    history = StepOutput(many=True)


class SentOutput(serializers.Serializer[Any]):
    message = serializers.IntegerField()
    state = serializers.CharField()


class ClosedOutput(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    state = serializers.CharField()
    closed_at = serializers.DateTimeField(allow_null=True)


class DetailOutput(serializers.Serializer[Any]):
    """What a ticket on the topic is asked for."""

    code = serializers.CharField()
    name = serializers.CharField()
    kind = serializers.CharField()
    is_required = serializers.BooleanField()
    options = serializers.ListField(child=serializers.CharField())


class TopicOutput(serializers.Serializer[Any]):
    code = serializers.CharField()
    path = serializers.CharField()
    store_required = serializers.BooleanField()
    details = DetailOutput(many=True)


class StoreOutput(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    number = serializers.CharField()
    name = serializers.CharField()
    address = serializers.CharField()
    region = serializers.CharField()
