"""What the API of orders takes and gives."""

from typing import Any

import phonenumbers
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers


class PhoneField(serializers.CharField):
    """A telephone as people write it, taken over in E.164."""

    def to_internal_value(self, data: Any) -> str:
        written = super().to_internal_value(data).strip()
        if not written:
            return ""
        try:
            parsed = phonenumbers.parse(written, "RU")
        except phonenumbers.NumberParseException:
            raise serializers.ValidationError(_("This is no telephone number.")) from None
        if not phonenumbers.is_valid_number(parsed):
            raise serializers.ValidationError(_("This is no telephone number."))
        return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)


class LineInput(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=200)
    quantity = serializers.DecimalField(max_digits=9, decimal_places=3, min_value=0)
    price = serializers.DecimalField(max_digits=12, decimal_places=2, min_value=0)


class OrderInput(serializers.Serializer[Any]):
    """`status` in the source's words; `changed_at` by the source's clock; without `lines` the known goods stay."""

    source = serializers.SlugField(max_length=24)  # type: ignore[assignment]
    number = serializers.CharField(max_length=40)
    status = serializers.CharField(max_length=64)
    placed_at = serializers.DateTimeField()
    changed_at = serializers.DateTimeField()
    phone = PhoneField(max_length=32, required=False, allow_blank=True, default="")
    store = serializers.CharField(max_length=12, required=False, allow_blank=True, default="", help_text="The store's number.")
    total = serializers.DecimalField(max_digits=12, decimal_places=2, min_value=0, required=False, allow_null=True, default=None)
    expected_from = serializers.DateTimeField(required=False, allow_null=True, default=None)
    expected_until = serializers.DateTimeField(required=False, allow_null=True, default=None)
    lines = LineInput(many=True, required=False, allow_null=True, default=None, max_length=500)  # type: ignore[call-arg]


class OrdersInput(serializers.Serializer[Any]):
    orders = OrderInput(many=True, allow_empty=False, max_length=500)  # type: ignore[call-arg]


class LoadedOutput(serializers.Serializer[Any]):
    """`stale`: not newer than what is known. `unknown`: statuses without a meaning, each as `source:status`."""

    added = serializers.IntegerField()
    changed = serializers.IntegerField()
    stale = serializers.IntegerField()
    unknown = serializers.ListField(child=serializers.CharField())


class OrdersFaultOutput(serializers.Serializer[Any]):
    code = serializers.CharField()
    message = serializers.CharField()
