"""What the API of points takes and gives."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from loyalty.states import CompensationState, NoticeState


class CompensateInput(serializers.Serializer[Any]):
    points = serializers.IntegerField(min_value=1, max_value=1_000_000_000)
    reason = serializers.SlugField(max_length=50, help_text="Code of the reason, see /api/v1/cases/{id}/points.")
    comment = serializers.CharField(required=False, max_length=400, allow_blank=True, default="")
    campaign = serializers.IntegerField(required=False, min_value=1, help_text="A campaign of a mass incident.")


class RefuseInput(serializers.Serializer[Any]):
    text = serializers.CharField(max_length=400, help_text="Why it is refused.")


class ShownInput(serializers.Serializer[Any]):
    """`to_sign`: what waits for the caller's signature; else the caller's own and what the caller may see, the newest first."""

    to_sign = serializers.BooleanField(default=False)
    before = serializers.DateTimeField(required=False, help_text="`next` of the page before.")
    limit = serializers.IntegerField(min_value=1, max_value=200, default=50)


class PersonOutput(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    name = serializers.CharField()


class SignatureOutput(serializers.Serializer[Any]):
    """`by` null = still to be signed."""

    level = serializers.CharField()
    by = PersonOutput(allow_null=True)
    at = serializers.DateTimeField(allow_null=True)


class OverOutput(serializers.Serializer[Any]):
    """A limit that was passed. `days` 0 = at once."""

    limit = serializers.ChoiceField(choices=["operation", "author", "guest"])
    days = serializers.IntegerField()
    allowed = serializers.IntegerField()
    comes_to = serializers.IntegerField()


class CompensationOutput(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    subject = serializers.CharField(help_text=_("Kind and id of the matter, for example case:4711."))
    number = serializers.CharField()
    points = serializers.IntegerField()
    state = serializers.ChoiceField(choices=CompensationState.choices)
    reason = serializers.CharField()
    comment = serializers.CharField()
    over = OverOutput(many=True)
    author = PersonOutput()
    asked_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField(allow_null=True)
    decided_at = serializers.DateTimeField(allow_null=True)
    decision_text = serializers.CharField()
    notice = serializers.ChoiceField(choices=NoticeState.choices)
    signatures = SignatureOutput(many=True)


class CompensationsOutput(serializers.Serializer[Any]):
    items = CompensationOutput(many=True)
    next = serializers.DateTimeField(allow_null=True)


class CardOutput(serializers.Serializer[Any]):
    number = serializers.CharField()
    chain = serializers.CharField()
    state = serializers.CharField()


class ReasonOutput(serializers.Serializer[Any]):
    code = serializers.CharField()
    name = serializers.CharField()
    usual_points = serializers.IntegerField(allow_null=True)


class BalanceOutput(serializers.Serializer[Any]):
    available = serializers.IntegerField()
    reserved = serializers.IntegerField()
    pending = serializers.IntegerField()
    held = serializers.IntegerField()
    owed = serializers.IntegerField()
    next_ends_at = serializers.DateTimeField(allow_null=True)
    next_points = serializers.IntegerField()


class CasePointsOutput(serializers.Serializer[Any]):
    """Everything that the form of a compensation needs."""

    balance = BalanceOutput()
    cards = CardOutput(many=True)
    reasons = ReasonOutput(many=True)
    without_approval = serializers.IntegerField()
    compensations = CompensationOutput(many=True)


class PointsFaultOutput(serializers.Serializer[Any]):
    code = serializers.CharField()
    message = serializers.CharField()
    fields = serializers.DictField(required=False)  # type: ignore[assignment]  # the serializer keeps its fields under another name
