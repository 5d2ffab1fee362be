"""Our own form of a call event.

    {"type": "ringing", "call_key": "c-1", "leg_key": "c-1:101", "seq": 3, "direction": "inbound", "ani": "+79001112233",
     "dnis": "+74950001122", "operator_ext": "101", "queue": "", "ts": "2026-03-03T12:40:05+03:00", "caller_name": "",
     "duration": null, "wait": null, "reason": "", "recording_ref": "", "digits": ""}

Only `type` and `call_key` must be there. `leg_key`: default the call itself; the end of that leg ends the call. `seq` grows within a leg;
default `ts` in microseconds. `ts`: ISO 8601 or seconds (milliseconds) since 1970, default the arrival. `ani` calls, `dnis` is called.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from omni.channels.contract import CallKind, CallStep, Inbound, Unreadable
from omni.channels.json_fields import JsonObject, digest_key, identifier_at, text_at
from omni.channels.telephony.items import call_item, ignored, micros, unused, whole_at
from omni.channels.telephony.numbers import e164

KINDS = frozenset(kind.value for kind in CallKind)
BIGGEST = 2**62
MOST_EVENTS = 1000
OUTBOUND = frozenset({"out", "outbound", "outgoing"})
MILLISECONDS_FROM = 100_000_000_000
"""A number from here on counts milliseconds: as seconds it would lie in the year 5138."""


def items_of(body: bytes, received_at: datetime, *, region: str) -> Sequence[Inbound]:
    """All items of the body in its order. Raises Unreadable."""
    events = _events(body)
    if len(events) > MOST_EVENTS:
        raise Unreadable(f"{len(events)} events in one body; {MOST_EVENTS} are the most")
    return [_item(event, received_at, f"{digest_key(body)}:{number}", region) for number, event in enumerate(events)]


def _events(body: bytes) -> Sequence[JsonObject]:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"not JSON: {error}") from error
    found = value.get("events", [value]) if isinstance(value, dict) else value
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise Unreadable("an event, a list of events or an object with `events` was expected")
    return found


def _item(event: JsonObject, received_at: datetime, key: str, region: str) -> Inbound:
    kind = text_at(event, "type").strip().lower()
    if not kind or not identifier_at(event, "call_key"):
        raise Unreadable("type and call_key must be there")
    if kind not in KINDS:
        return ignored(key, received_at, unused(kind))
    return call_item(step_of(CallKind(kind), event, received_at, region), name=text_at(event, "caller_name"))


def step_of(kind: CallKind, event: JsonObject, received_at: datetime, region: str) -> CallStep:
    call_key, at = identifier_at(event, "call_key"), _moment(event, received_at)
    return CallStep(
        kind=kind,
        call_key=call_key,
        leg_key=identifier_at(event, "leg_key") or call_key,
        sequence=_sequence(event, at),
        at=at,
        inbound=text_at(event, "direction").strip().lower() not in OUTBOUND,
        caller=e164(identifier_at(event, "ani"), region),
        called=e164(identifier_at(event, "dnis"), region),
        extension=identifier_at(event, "operator_ext"),
        queue=identifier_at(event, "queue"),
        duration=whole_at(event, "duration"),
        wait=whole_at(event, "wait"),
        reason=identifier_at(event, "reason"),
        recording=identifier_at(event, "recording_ref"),
        digits=identifier_at(event, "digits"),
    )


def _sequence(event: Mapping[str, Any], at: datetime) -> int:
    value = event.get("seq")
    if isinstance(value, str) and value.strip().isascii() and value.strip().isdecimal() and len(value) < 19:
        return int(value)
    return value if type(value) is int and abs(value) < BIGGEST else micros(at)


def _moment(event: Mapping[str, Any], received_at: datetime) -> datetime:
    value = event.get("ts")
    try:
        if isinstance(value, str):
            written = datetime.fromisoformat(value.strip())
            return (written if written.tzinfo else written.replace(tzinfo=UTC)).astimezone(UTC)
        if isinstance(value, int | float) and not isinstance(value, bool) and value > 0:
            return datetime.fromtimestamp(value / 1000 if value >= MILLISECONDS_FROM else value, UTC)
    except (ValueError, OverflowError, OSError):
        return received_at
    return received_at
