"""Steps as inbound items, and reading the bodies they come in."""

import hashlib
from collections.abc import Iterable, Mapping
from datetime import datetime
from urllib.parse import parse_qsl

from omni.channels.contract import CallStep, Inbound, InboundKind, Unreadable
from omni.channels.json_fields import storable

MOST_FIELDS = 200


def call_item(step: CallStep, *, name: str = "") -> Inbound:
    """The item of a step. `name` = what the exchange calls the caller."""
    return Inbound(
        kind=InboundKind.CALL,
        external_id=f"{step.call_key}:{step.leg_key}:{step.sequence}:{step.kind.value}",
        guest_external_id=step.caller if step.inbound else step.called,
        guest_name=name,
        sent_at=step.at,
        sequence=step.sequence,
        call=step,
    )


def ignored(key: str, at: datetime, reason: str) -> Inbound:
    """An event that is kept and goes no further."""
    return Inbound(kind=InboundKind.IGNORED, external_id=key, guest_external_id="", sent_at=at, text=reason)


def unused(kind: str) -> str:
    """Why an event of this kind goes no further."""
    return f"событие «{storable(kind)[:80]}» для звонка ничего не значит"


INTERNAL = "внутренний звонок: гостя в нём нет"


def form_of(body: bytes) -> dict[str, str]:
    """The fields of a form (application/x-www-form-urlencoded), the first of each name. Raises Unreadable."""
    try:
        pairs = parse_qsl(body.decode("utf-8"), keep_blank_values=True, max_num_fields=MOST_FIELDS, errors="replace")
    except (UnicodeDecodeError, ValueError) as error:
        raise Unreadable(f"not a form: {error}") from error
    return first_of_each((storable(name), storable(value)) for name, value in pairs)


def first_of_each(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in pairs:
        found.setdefault(name, value)
    return found


def whole_at(fields: Mapping[str, object], name: str, *, digits: int = 9) -> int | None:
    """A whole number of at most so many digits, written as a number or as digits; None for anything else. Fractions are cut off."""
    value = fields.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    whole = str(value).strip().partition(".")[0]
    return int(whole) if whole.isascii() and whole.isdecimal() and len(whole) <= digits else None


def digest(*parts: bytes) -> str:
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def micros(at: datetime) -> int:
    """A moment as a sequence: microseconds since 1970."""
    return round(at.timestamp() * 1_000_000)
