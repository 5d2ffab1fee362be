"""From ARI's events to steps (https://docs.asterisk.org/, "Asterisk REST Data Models", Event and its kinds).

A call is its channels' `CHANNEL(linkedid)`, which events carry when ari.conf names it in `channelvars`; without it the oldest channel
that an event joins others to.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from omni.channels.asterisk.reading import Reading, step
from omni.channels.contract import CallKind, CallStep, Inbound, Unreadable
from omni.channels.json_fields import JsonObject, identifier_at, object_at, read_object, text_at, time_at
from omni.channels.telephony.items import INTERNAL, call_item, ignored, unused

GONE, SEEN = "OtklikChannelGone", "OtklikChannelSeen"
"""Our own events: what a look at the exchange's channels showed after a gap."""
LINKED = "CHANNEL(linkedid)"
FAILED_DIALS = frozenset({"NOANSWER", "BUSY", "CANCEL", "CONGESTION", "CHANUNAVAIL", "DONTCALL", "TORTURE", "INVALIDARGS"})
Handler = Callable[[JsonObject, datetime, Reading], CallStep | None]


def items_of(body: bytes, reading: Reading) -> Sequence[Inbound]:
    """The item of an event. Raises Unreadable."""
    event = read_object(body)
    kind, at = text_at(event, "type"), time_at(event, "timestamp", reading.received_at)
    if not kind:
        raise Unreadable("not an ARI event: no type")
    handler = HANDLERS.get(kind)
    if handler is None:
        return [ignored(reading.key, at, unused(kind))]
    found = handler(event, at, reading)
    return [call_item(found, name=name_of(event, reading)) if found else ignored(reading.key, at, INTERNAL)]


def linked_of(channel: JsonObject) -> str:
    return identifier_at(object_at(channel, "channelvars"), LINKED) or identifier_at(channel, "linkedid")


def call_of(channel: JsonObject) -> str:
    return linked_of(channel) or identifier_at(channel, "id")


def party(channel: JsonObject, name: str) -> str:
    return identifier_at(object_at(channel, name), "number")


def name_of(event: JsonObject, reading: Reading) -> str:
    """What the network calls the caller, of the guest's own channel."""
    caller = object_at(object_at(event, "channel"), "caller")
    return text_at(caller, "name") if reading.is_outside(identifier_at(caller, "number")) else ""


def own(event: JsonObject, name: str = "channel") -> JsonObject:
    channel = object_at(event, name)
    if not identifier_at(channel, "id"):
        raise Unreadable(f"{name}.id is missing")
    return channel


def of_channel(kind: CallKind, channel: JsonObject, at: datetime, reading: Reading, **values: object) -> CallStep | None:
    """A step of one channel's leg: the guest's own line, or an operator's telephone with the guest at its other end."""
    caller, other, dialled = party(channel, "caller"), party(channel, "connected"), identifier_at(object_at(channel, "dialplan"), "exten")
    leg, extension = identifier_at(channel, "id"), reading.extension(caller, text_at(channel, "name"))
    if reading.is_ours(caller) and reading.is_ours(other or dialled):
        return None
    if not reading.is_ours(caller) and not (not caller and extension):
        return step(kind, call_of(channel), leg, at, caller=reading.number(caller), called=reading.number(dialled), **values)
    if other and reading.is_outside(other):
        return step(kind, call_of(channel), leg, at, caller=reading.number(other), extension=extension, **values)
    if dialled and reading.is_outside(dialled) and reading.number(dialled):
        return step(kind, call_of(channel), leg, at, inbound=False, called=reading.number(dialled), extension=extension, **values)
    if kind is CallKind.ENDED or linked_of(channel):
        return step(kind, call_of(channel), leg, at, extension=extension, **values)
    return None


def begins(event: JsonObject, at: datetime, reading: Reading) -> CallStep | None:
    found = of_channel(CallKind.RINGING, own(event), at, reading)
    return found if found and (found.caller or found.called or not found.extension) else None


def changes(event: JsonObject, at: datetime, reading: Reading) -> CallStep | None:
    """An operator's telephone that goes up was taken; the guest's own line going up says that the menu answered."""
    channel = own(event)
    state, found = text_at(channel, "state"), begins(event, at, reading)
    if found is None or not found.extension or not found.inbound or state not in ("Ringing", "Ring", "Up"):
        return None
    return of_channel(CallKind.ANSWERED if state == "Up" else CallKind.RINGING, channel, at, reading)


def dials(event: JsonObject, at: datetime, reading: Reading) -> CallStep | None:
    """One channel rings another: the called one is a leg of the caller's call."""
    peer, caller = own(event, "peer"), object_at(event, "caller")
    status = text_at(event, "dialstatus").upper()
    kind = CallKind.ANSWERED if status == "ANSWER" else CallKind.ENDED if status in FAILED_DIALS else CallKind.RINGING
    call, leg = linked_of(peer) or call_of(caller) or call_of(peer), identifier_at(peer, "id")
    from_number, rung = (
        party(caller, "caller"),
        reading.extension(party(peer, "caller"), text_at(event, "dialstring"), text_at(peer, "name")),
    )
    ended = {"reason": status} if kind is CallKind.ENDED else {}
    if rung and (not caller or reading.is_outside(from_number)):
        guest = reading.number(from_number or party(peer, "connected"))
        return step(kind, call, leg, at, caller=guest, extension=rung, **ended)
    target = reading.number(party(peer, "caller") or text_at(event, "dialstring").rpartition("/")[2].partition("@")[0])
    if not rung and reading.is_ours(from_number) and target:
        return step(kind, call, leg, at, inbound=False, called=target, extension=reading.extension(from_number), **ended)
    return None


def joins(event: JsonObject, at: datetime, reading: Reading) -> CallStep | None:
    """An operator's telephone comes together with the guest."""
    channel, members = own(event), object_at(event, "bridge").get("channels")
    found = of_channel(CallKind.ANSWERED, channel, at, reading)
    others = [one for one in members if isinstance(one, str) and one] if isinstance(members, list) else []
    if found is None or not found.extension or not found.inbound or (len(others) < 2 and not found.caller):
        return None
    call = linked_of(channel) or min([*others, identifier_at(channel, "id")], key=age)
    return step(CallKind.ANSWERED, call, found.leg_key, at, caller=found.caller, extension=found.extension)


def age(channel_id: str) -> tuple[float, str]:
    """Ids of channels begin with their time of birth: 1772524805.42."""
    seconds = channel_id.rpartition("-")[2]
    try:
        return float(seconds), channel_id
    except ValueError:
        return float("inf"), channel_id


def holds(event: JsonObject, at: datetime, reading: Reading) -> CallStep | None:
    return of_channel(CallKind.HOLD, own(event), at, reading)


def goes_on(event: JsonObject, at: datetime, reading: Reading) -> CallStep | None:
    return of_channel(CallKind.ANSWERED, own(event), at, reading)


def presses(event: JsonObject, at: datetime, reading: Reading) -> CallStep | None:
    return of_channel(CallKind.DTMF, own(event), at, reading, digits=identifier_at(event, "digit")[:1])


def ends(event: JsonObject, at: datetime, reading: Reading) -> CallStep | None:
    reason = text_at(event, "cause_txt") or identifier_at(event, "cause")
    return of_channel(CallKind.ENDED, own(event), at, reading, reason=reason)


def recorded(event: JsonObject, at: datetime, reading: Reading) -> CallStep | None:
    """The sound of a channel; one of a bridge belongs to the call after which it is named."""
    recording = object_at(event, "recording")
    name, target = identifier_at(recording, "name"), identifier_at(recording, "target_uri")
    scheme, _, leg = target.partition(":")
    key = leg if scheme == "channel" and leg else name
    if not name or not key:
        raise Unreadable("recording.name is missing")
    return step(CallKind.RECORDING_READY, key, key, at, recording=name)


def is_seen(event: JsonObject, at: datetime, reading: Reading) -> CallStep | None:
    """A channel of which we had not heard: it goes on since before."""
    return changes(event, at, reading) or begins(event, time_at(own(event), "creationtime", at), reading)


def gone(event: JsonObject, at: datetime, reading: Reading) -> CallStep | None:
    """A channel that we had and the exchange has no longer."""
    leg = identifier_at(object_at(event, "channel"), "id")
    return step(CallKind.ENDED, identifier_at(event, "call") or leg, leg, at, reason="gone") if leg else None


HANDLERS: Mapping[str, Handler] = {
    "StasisStart": begins,
    "ChannelCreated": begins,
    SEEN: is_seen,
    "ChannelStateChange": changes,
    "Dial": dials,
    "ChannelEnteredBridge": joins,
    "ChannelHold": holds,
    "ChannelUnhold": goes_on,
    "ChannelDtmfReceived": presses,
    "ChannelDestroyed": ends,
    "RecordingFinished": recorded,
    GONE: gone,
}
