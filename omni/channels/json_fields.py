"""Reading values out of JSON from outside: the wanted type or nothing, text that a database can hold."""

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from omni.channels.contract import Unreadable

JsonObject = Mapping[str, Any]

BIGGEST = 2**53
"""Vendors that speak JSON to browsers keep their identifiers within what a double holds exactly; the exceptions name their own bound."""

LONE_SURROGATES = dict.fromkeys(range(0xD800, 0xE000), "\ufffd")
UNSTORABLE: dict[int, str | None] = {0: None, **LONE_SURROGATES}


def storable(text: str) -> str:
    """The text without NUL and with U+FFFD for half surrogate pairs: JSON may spell both, UTF-8 text columns hold neither."""
    return text.translate(UNSTORABLE)


def text_at(source: JsonObject, key: str) -> str:
    """The string at `key`, storable; empty if there is none."""
    value = source.get(key)
    return storable(value) if isinstance(value, str) else ""


def integer_at(source: JsonObject, key: str, below: int = BIGGEST) -> int | None:
    """The whole number at `key` with an absolute value under `below`, else None. true and 1.0 are not numbers here."""
    value = source.get(key)
    return value if type(value) is int and abs(value) < below else None


def number_at(source: JsonObject, key: str) -> float | None:
    """The number at `key` (degrees, metres), else None."""
    value = source.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if abs(value) < BIGGEST else None


def object_at(source: JsonObject, key: str) -> JsonObject:
    """The object at `key`; an empty one if there is none."""
    value = source.get(key)
    return value if isinstance(value, dict) else {}


def objects_at(source: JsonObject, key: str) -> list[JsonObject]:
    """The objects of the array at `key`, in order; other members are left out."""
    value = source.get(key)
    return [member for member in value if isinstance(member, dict)] if isinstance(value, list) else []


def moment_at(source: JsonObject, key: str, fallback: datetime, *, per_second: int = 1) -> datetime:
    """The Unix time at `key`, in seconds or with `per_second=1000` in milliseconds; `fallback` for none, zero or an impossible one."""
    value = integer_at(source, key)
    try:
        return datetime.fromtimestamp(value / per_second, UTC) if value and value > 0 else fallback
    except (ValueError, OverflowError, OSError):
        return fallback


def read_object(body: bytes) -> JsonObject:
    """The JSON object of a webhook's body. Raises Unreadable with the reason."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"not JSON: {error}") from error
    if not isinstance(value, dict):
        raise Unreadable(f"a JSON object was expected, not {type(value).__name__}")
    return value


def read_object_or_none(body: bytes) -> JsonObject | None:
    """The JSON object of a body, None for anything else: where nothing may be raised."""
    try:
        return read_object(body)
    except Unreadable:
        return None


def digest_key(body: bytes) -> str:
    """The event key of a body that names none: `sha256:<digest>`."""
    return f"sha256:{hashlib.sha256(body).hexdigest()}"


def identifier_at(source: JsonObject, key: str) -> str:
    """The identifier at `key` as text, whether the provider writes a string or a whole number of any size; empty if there is none."""
    value = source.get(key)
    return str(value) if type(value) is int else text_at(source, key).strip()


def time_at(source: JsonObject, key: str, fallback: datetime) -> datetime:
    """The moment written at `key` by ISO 8601, a time without zone taken as UTC; `fallback` for anything else."""
    try:
        written = datetime.fromisoformat(text_at(source, key).strip())
        return (written if written.tzinfo else written.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return fallback
