"""Approved texts and their places `{{1}}`, `{{2}}` … as WhatsApp and its likes write them. Pure."""

import re
from collections.abc import Sequence

_PLACE = re.compile(r"\{\{(\d{1,2})\}\}")


def places(body: str) -> list[int]:
    """The numbers of the places, each once, in order."""
    return sorted({int(number) for number in _PLACE.findall(body)})


def count_places(body: str) -> int:
    """How many values the text wants. The places must be counted from 1 without a gap; -1 = they are not."""
    found = places(body)
    return len(found) if found == list(range(1, len(found) + 1)) else -1


def fill(body: str, values: Sequence[str]) -> str:
    """The text with its places filled in. Raises ValueError: another number of values, or one that is empty or has line breaks."""
    if len(values) != count_places(body):
        raise ValueError("number")
    if any(not value.strip() or "\n" in value or "\r" in value or "\t" in value for value in values):
        raise ValueError("empty")
    return _PLACE.sub(lambda found: values[int(found[1]) - 1], body)
