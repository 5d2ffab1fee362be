"""From notices made by our templates to steps."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, tzinfo

from omni.channels.contract import CallKind, CallStep, Inbound, Unreadable
from omni.channels.json_fields import JsonObject, digest_key, identifier_at, read_object, text_at
from omni.channels.telephony.account import local_time
from omni.channels.telephony.items import call_item, ignored, unused, whole_at
from omni.channels.telephony.numbers import e164

KINDS: Mapping[str, tuple[CallKind, int]] = {
    "inbound": (CallKind.RINGING, 0),
    "outbound": (CallKind.RINGING, 0),
    "ringing": (CallKind.RINGING, 1),
    "answered": (CallKind.ANSWERED, 2),
    "talk_ended": (CallKind.ENDED, 3),
    "missed": (CallKind.MISSED, 4),
    "ended": (CallKind.ENDED, 5),
    "recording": (CallKind.RECORDING_READY, 6),
}
"""Our type -> step, and its place among the notices of one second."""
OF_THE_CALL = frozenset({"inbound", "outbound", "missed", "ended", "recording"})
OUTWARD = frozenset({"out", "outbound", "исходящий"})


def items_of(body: bytes, received_at: datetime, *, region: str, zone: tzinfo) -> Sequence[Inbound]:
    """The item of a notice. Raises Unreadable."""
    notice = {name: blank_as_empty(value) for name, value in read_object(body).items()}
    kind = text_at(notice, "type").strip()
    if kind not in KINDS:
        return [ignored(digest_key(body), received_at, unused(kind or "?"))]
    if not identifier_at(notice, "call"):
        raise Unreadable("call is missing")
    return [call_item(step_of(kind, notice, received_at, region, zone), name=text_at(notice, "guest_name"))]


def blank_as_empty(value: object) -> object:
    """A variable that UIS did not fill, or filled with nothing, is no value."""
    unfilled = isinstance(value, str) and (value.strip().lower() in ("null", "none") or value.strip().startswith("{{"))
    return "" if unfilled else value


def step_of(kind: str, notice: JsonObject, received_at: datetime, region: str, zone: tzinfo) -> CallStep:
    step, place = KINDS[kind]
    call, employee = identifier_at(notice, "call"), identifier_at(notice, "employee")
    at = local_time(identifier_at(notice, "time"), zone, received_at)
    inbound = kind != "outbound" and text_at(notice, "direction").strip().lower() not in OUTWARD
    guest, line = e164(identifier_at(notice, "guest"), region), e164(identifier_at(notice, "line"), region)
    whole = kind in OF_THE_CALL or not (identifier_at(notice, "leg") or employee)
    return CallStep(
        kind=step,
        call_key=call,
        leg_key=call if whole else f"{call}:{employee or identifier_at(notice, 'leg')}",
        # Times are told by the second; notices of one second follow each other as a call does.
        sequence=round(at.astimezone(UTC).timestamp()) * 10 + place,
        at=at,
        inbound=inbound,
        caller=guest if inbound else line,
        called=line if inbound else guest,
        extension="" if kind in ("inbound", "missed", "recording") else employee,
        duration=whole_at(notice, "talk") if kind == "ended" else None,
        wait=whole_at(notice, "wait") if kind in ("ended", "missed") else None,
        recording=text_at(notice, "recording") if kind == "recording" else "",
    )
