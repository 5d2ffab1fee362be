"""What every API view of ours does: check the input by a shape, carry a command out once, describe its faults."""

from typing import Any, TypeVar, cast

from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.serializers import Serializer

from accounts import api_schema  # noqa: F401  registers how the description names our tokens
from accounts.models import Staff
from core import commands

Input = TypeVar("Input", bound=Serializer[Any])
KEY = OpenApiParameter(
    "Idempotency-Key",
    str,
    OpenApiParameter.HEADER,
    required=True,
    description="A UUID made by the client; a repeat with the same key gets the first answer, and nothing happens twice.",
)


class FaultOutput(serializers.Serializer[Any]):
    """Every fault has this shape; `fields` tells which inputs are wrong."""

    code = serializers.CharField()
    message = serializers.CharField()
    fields = serializers.DictField(required=False)  # type: ignore[assignment]  # the serializer keeps its fields under another name


FAULTS = {400: FaultOutput, 403: FaultOutput, 404: FaultOutput, 409: FaultOutput}


def staff_of(request: Request) -> Staff:
    return cast(Staff, request.user)


def checked(shape: type[Input], given: Any) -> dict[str, Any]:
    """The input as the shape says. Raises rest_framework's ValidationError."""
    read = shape(data=given)
    read.is_valid(raise_exception=True)
    return cast(dict[str, Any], read.validated_data)


def once(request: Request, name: str, run: Any) -> dict[str, Any]:
    """Carry the command out once for its Idempotency-Key. Raises Refusal."""
    key = commands.parse_key(request.headers.get("Idempotency-Key"))
    return commands.once(key=key, name=name, by=staff_of(request), run=run)
