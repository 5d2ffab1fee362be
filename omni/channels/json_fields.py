"""Reading values out of JSON from outside: the wanted type or nothing, text that a database can hold."""

from collections.abc import Mapping
from typing import Any

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
