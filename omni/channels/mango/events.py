"""From Mango's notices to steps (API of the virtual exchange, "Real-time events": call, summary, recording, record/added, dtmf, sms).

`entry_id` is the call, `call_id` a leg, `seq` counts a leg's notices. What a notice is shows by its fields: no address is needed.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from omni.channels.contract import CallKind, CallStep, Inbound, Unreadable
from omni.channels.json_fields import JsonObject, digest_key, identifier_at, object_at, read_object_or_none, text_at
from omni.channels.telephony.items import INTERNAL, call_item, form_of, ignored, unused, whole_at
from omni.channels.telephony.numbers import e164

MOSCOW = timedelta(hours=3)
"""The document calls its times "UTC+3": whichever of both readings lies near the arrival is taken."""
NEAR = timedelta(hours=1)
SEQ_DIGITS = 15


@dataclass(frozen=True)
class Arrival:
    """What is known of a notice apart from its fields."""

    key: str
    received_at: datetime
    region: str


def json_of(body: bytes) -> JsonObject:
    """The JSON object inside the form. Raises Unreadable."""
    text = form_of(body).get("json")
    if text is None:
        raise Unreadable("the form has no field json")
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"not JSON: {error}") from error
    if not isinstance(value, dict):
        raise Unreadable(f"a JSON object was expected, not {type(value).__name__}")
    return value


def key_of(body: bytes) -> str:
    """`call:<leg>:<seq>` of a call's notice, else a digest of the notice. Never raises."""
    try:
        text = form_of(body).get("json", "")
    except Unreadable:
        return digest_key(body)
    notice = read_object_or_none(text.encode("utf-8", "replace")) or {}
    leg, seq = identifier_at(notice, "call_id"), whole_at(notice, "seq", digits=SEQ_DIGITS)
    return f"call:{leg}:{seq}" if leg and seq is not None and "call_state" in notice else digest_key(text.encode("utf-8", "replace"))


def items_of(body: bytes, received_at: datetime, *, region: str) -> Sequence[Inbound]:
    """The item of a notice. Raises Unreadable."""
    notice = json_of(body)
    arrival = Arrival(key_of(body), received_at, region)
    for mark, handler in HANDLERS.items():
        if mark in notice:
            if not identifier_at(notice, "entry_id"):
                raise Unreadable("entry_id is missing")
            return [handler(notice, arrival)]
    return [ignored(arrival.key, received_at, unused(", ".join(sorted(notice)) or "{}"))]


STATES = {"Appeared": CallKind.RINGING, "Connected": CallKind.ANSWERED, "OnHold": CallKind.HOLD, "Disconnected": CallKind.ENDED}


@dataclass(frozen=True)
class Parties:
    """Who talks to whom: the guest's number, the operator's extension, our line."""

    inbound: bool
    guest: str
    extension: str
    line: str
    internal: bool = False
    to_operator: bool = True
    """Whether the leg rings the operator; an ordered call rings the operator before the guest."""


def parties_of(notice: JsonObject, region: str) -> Parties:
    caller, called = object_at(notice, "from"), object_at(notice, "to")
    dialling, rung = identifier_at(caller, "extension"), identifier_at(called, "extension")
    line = e164(identifier_at(called, "line_number") or identifier_at(caller, "line_number"), region)
    if dialling and rung:
        return Parties(True, "", rung, line, internal=True)
    if text_at(notice, "callback_initiator"):
        outside = called if dialling else caller
        return Parties(False, e164(identifier_at(outside, "number"), region), dialling or rung, line, to_operator=bool(rung))
    if dialling:
        return Parties(False, e164(identifier_at(called, "number"), region), dialling, line, to_operator=False)
    return Parties(True, e164(identifier_at(caller, "number"), region), rung, line)


def call(notice: JsonObject, arrival: Arrival) -> Inbound:
    """A leg's new state. The official samples misspell `location`."""
    leg, state = identifier_at(notice, "call_id"), text_at(notice, "call_state")
    if not leg:
        raise Unreadable("call_id is missing")
    parties, at = parties_of(notice, arrival.region), moment(notice, "timestamp", arrival.received_at)
    if state not in STATES:
        return ignored(arrival.key, at, unused(state))
    if parties.internal:
        return ignored(arrival.key, at, INTERNAL)
    location = text_at(notice, "location") or text_at(notice, "locaton")
    return call_item(
        CallStep(
            kind=kind_of(STATES[state], location, parties),
            call_key=identifier_at(notice, "entry_id"),
            leg_key=leg,
            sequence=whole_at(notice, "seq", digits=SEQ_DIGITS) or 0,
            at=at,
            inbound=parties.inbound,
            caller=parties.guest if parties.inbound else parties.line,
            called=parties.line if parties.inbound else parties.guest,
            extension=parties.extension if location not in ("ivr", "queue") else "",
            queue=identifier_at(object_at(notice, "to"), "acd_group") if location == "queue" else "",
            reason=identifier_at(notice, "disconnect_reason"),
        )
    )


def kind_of(kind: CallKind, location: str, parties: Parties) -> CallKind:
    """Who is connected to the voice menu or the queue talks to nobody yet; nor does an operator whose guest is still being called."""
    if kind in (CallKind.RINGING, CallKind.ANSWERED) and location == "queue":
        return CallKind.QUEUED
    if kind is CallKind.ANSWERED and (location == "ivr" or (not parties.inbound and parties.to_operator)):
        return CallKind.RINGING
    return kind


DIRECTIONS = {1: True, 2: False}


def summary(notice: JsonObject, arrival: Arrival) -> Inbound:
    """The whole call, over."""
    inbound = DIRECTIONS.get(whole_at(notice, "call_direction") or 0)
    shift = offset(notice, "end_time", arrival.received_at)
    begun, talked, ended = (written(notice, name, shift) for name in ("create_time", "talk_time", "end_time"))
    if inbound is None:
        return ignored(arrival.key, ended or arrival.received_at, INTERNAL)
    at = ended or arrival.received_at
    caller, called = object_at(notice, "from"), object_at(notice, "to")
    guest = e164(identifier_at(caller if inbound else called, "number"), arrival.region)
    line = e164(identifier_at(notice, "line_number"), arrival.region)
    entry = identifier_at(notice, "entry_id")
    return call_item(
        CallStep(
            kind=CallKind.ENDED if talked else CallKind.MISSED,
            call_key=entry,
            leg_key=entry,
            sequence=1,
            at=at,
            inbound=inbound,
            caller=guest if inbound else line,
            called=line if inbound else guest,
            # Of a missed call it names the first telephone that was not taken; who talked counts only.
            extension=identifier_at(called if inbound else caller, "extension") if talked else "",
            duration=seconds_between(talked, at) if talked else 0,
            wait=seconds_between(begun, talked or at) if begun else None,
            reason=identifier_at(notice, "disconnect_reason"),
        )
    )


def dtmf(notice: JsonObject, arrival: Arrival) -> Inbound:
    entry = identifier_at(notice, "entry_id")
    return call_item(
        CallStep(
            kind=CallKind.DTMF,
            call_key=entry,
            leg_key=identifier_at(notice, "call_id") or entry,
            sequence=whole_at(notice, "seq", digits=SEQ_DIGITS) or 0,
            at=moment(notice, "timestamp", arrival.received_at),
            digits=identifier_at(notice, "dtmf"),
        )
    )


def recording(notice: JsonObject, arrival: Arrival) -> Inbound:
    """`record/added` says that the sound is there to be fetched; how the recording goes on says nothing to us."""
    at, entry = moment(notice, "timestamp", arrival.received_at), identifier_at(notice, "entry_id")
    if "recording_state" in notice:
        return ignored(arrival.key, at, unused(f"recording {text_at(notice, 'recording_state')}"))
    sequence = whole_at(notice, "timestamp", digits=SEQ_DIGITS) or 0
    name = identifier_at(notice, "recording_id")
    return call_item(CallStep(CallKind.RECORDING_READY, entry, entry, sequence, at, recording=name))


HANDLERS: Mapping[str, Callable[[JsonObject, Arrival], Inbound]] = {
    "call_state": call,
    "entry_result": summary,
    "dtmf": dtmf,
    "recording_id": recording,
}
"""The field by which a notice is known."""


def moment(notice: JsonObject, name: str, received_at: datetime) -> datetime:
    return written(notice, name, offset(notice, name, received_at)) or received_at


def offset(notice: JsonObject, name: str, received_at: datetime) -> timedelta:
    """What is to be taken off this notice's times: see MOSCOW."""
    at = written(notice, name, timedelta())
    ahead = at is not None and abs(at - received_at) > NEAR and abs(at - MOSCOW - received_at) <= NEAR
    return MOSCOW if ahead else timedelta()


def written(notice: JsonObject, name: str, shift: timedelta) -> datetime | None:
    """The time at `name`; None for 0, which stands for "never"."""
    seconds = whole_at(notice, name, digits=11)
    return datetime.fromtimestamp(seconds, UTC) - shift if seconds else None


def seconds_between(begin: datetime, end: datetime) -> int:
    return max(0, round((end - begin).total_seconds()))
