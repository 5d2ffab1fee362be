"""What every app's API shares: input checked by its shape, commands carried out once, one shape of faults."""

from collections.abc import Callable
from typing import Any, TypeVar, cast

from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request
from rest_framework.serializers import Serializer

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


def staff_of(request: Request) -> Staff:
    return cast(Staff, request.user)


def checked(shape: type[Input], given: Any) -> dict[str, Any]:
    """The input as the shape says. Raises rest_framework's ValidationError."""
    read = shape(data=given)
    read.is_valid(raise_exception=True)
    return cast(dict[str, Any], read.validated_data)


def once(request: Request, name: str, run: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Carry `run` out once for the request's Idempotency-Key. Raises Refusal."""
    return commands.once(key=commands.parse_key(request.headers.get("Idempotency-Key")), name=name, by=staff_of(request), run=run)
