"""From AMI's events to steps (https://docs.asterisk.org/, "AMI Events"). `Linkedid` is the call, `Uniqueid` a leg.

An event is its lines as they came, "Name: value"; names may repeat, values need not be UTF-8.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from omni.channels.asterisk.reading import Reading, step
from omni.channels.contract import CallKind, CallStep, Inbound, Unreadable
from omni.channels.json_fields import storable
from omni.channels.telephony.items import INTERNAL, call_item, first_of_each, ignored, unused, whole_at

Event = Mapping[str, str]
Handler = Callable[[Event, datetime, Reading], CallStep | None]
MOST_LINES = 1000
GONE = "OtklikChannelGone"
"""Our own event: a look at the exchange's channels after a gap did not show this one."""


def fields_of(block: bytes) -> dict[str, str]:
    """The fields of an event, the first of each name. Lines without a colon are left out."""
    lines = decoded(block).replace("\r\n", "\n").split("\n")[:MOST_LINES]
    pairs = (line.partition(":") for line in lines if ":" in line)
    return first_of_each((storable(name.strip()), storable(value.strip())) for name, _colon, value in pairs)


def decoded(block: bytes) -> str:
    """UTF-8, else the code page of old Russian exchanges."""
    try:
        return block.decode("utf-8")
    except UnicodeDecodeError:
        return block.decode("cp1251", "replace")


def items_of(body: bytes, reading: Reading) -> Sequence[Inbound]:
    """The item of an event. Raises Unreadable."""
    event = fields_of(body)
    kind, at = event.get("Event", ""), moment_of(event, reading.received_at)
    if not kind:
        raise Unreadable("not an AMI event: no line Event")
    handler = HANDLERS.get(kind)
    if handler is None:
        return [ignored(reading.key, at, unused(kind))]
    found = handler(event, at, reading)
    return [call_item(found, name=name_of(event, reading)) if found else ignored(reading.key, at, INTERNAL)]


def moment_of(event: Event, received_at: datetime) -> datetime:
    """`Timestamp` (timestampevents=yes in manager.conf), else the arrival."""
    try:
        seconds = float(event.get("Timestamp", ""))
        return datetime.fromtimestamp(seconds, UTC) if seconds > 0 else received_at
    except (ValueError, OverflowError, OSError):
        return received_at


def name_of(event: Event, reading: Reading) -> str:
    name = event.get("CallerIDName", "")
    return name if event.get("Event") == "Newchannel" and reading.is_outside(number_in(event)) and name not in UNKNOWN else ""


UNKNOWN = frozenset({"", "<unknown>", "<Unknown>", "Anonymous"})


def number_in(event: Event, name: str = "CallerIDNum") -> str:
    value = event.get(name, "")
    return "" if value in UNKNOWN else value


def own_leg(event: Event, kind: CallKind, at: datetime, **values: object) -> CallStep | None:
    """A step of the event's own channel, whoever that is."""
    leg = event.get("Uniqueid", "")
    if not leg:
        raise Unreadable("Uniqueid is missing")
    return step(kind, event.get("Linkedid", ""), leg, at, **values)


def new_channel(event: Event, at: datetime, reading: Reading) -> CallStep | None:
    """The first channel of a call: a guest calls us, or one of ours calls out. Other channels are told by DialBegin."""
    if event.get("Linkedid", "") not in ("", event.get("Uniqueid", "")):
        return None
    caller, dialled = number_in(event), event.get("Exten", "")
    if not reading.is_ours(caller):
        return own_leg(event, CallKind.RINGING, at, caller=reading.number(caller), called=reading.number(dialled))
    called = reading.number(dialled)
    return own_leg(event, CallKind.RINGING, at, inbound=False, called=called, extension=caller) if called else None


def dialled_leg(event: Event, kind: CallKind, at: datetime, reading: Reading, **values: object) -> CallStep | None:
    """A step of the leg that is being called: an operator's telephone, or the guest whom one of ours calls."""
    leg, call = event.get("DestUniqueid", ""), event.get("Linkedid", "") or event.get("DestLinkedid", "") or event.get("Uniqueid", "")
    if not leg:
        raise Unreadable("DestUniqueid is missing")
    caller, rung = number_in(event), number_in(event, "DestCallerIDNum")
    channel = event.get("DestChannel", "")
    extension = reading.extension(rung, event.get("Interface", ""), channel, event.get("DialString", ""))
    if extension and not reading.is_ours(caller):
        return step(kind, call or leg, leg, at, caller=reading.number(caller), extension=extension, **values)
    target = reading.number(rung or event.get("DialString", "").rpartition("/")[2].partition("@")[0])
    if not extension and reading.is_ours(caller) and target:
        return step(kind, call or leg, leg, at, inbound=False, called=target, extension=caller, **values)
    return None


def dial_begin(event: Event, at: datetime, reading: Reading) -> CallStep | None:
    return dialled_leg(event, CallKind.RINGING, at, reading)


def dial_end(event: Event, at: datetime, reading: Reading) -> CallStep | None:
    status = event.get("DialStatus", "").upper()
    if status == "ANSWER":
        return dialled_leg(event, CallKind.ANSWERED, at, reading)
    return dialled_leg(event, CallKind.MISSED, at, reading, reason=status)


def queue_join(event: Event, at: datetime, reading: Reading) -> CallStep | None:
    if reading.is_ours(number_in(event)):
        return None
    return own_leg(event, CallKind.QUEUED, at, caller=reading.number(number_in(event)), queue=event.get("Queue", ""))


def queue_abandon(event: Event, at: datetime, reading: Reading) -> CallStep | None:
    """The guest hung up in the queue."""
    if reading.is_ours(number_in(event)):
        return None
    caller, wait = reading.number(number_in(event)), whole_at(event, "HoldTime")
    return own_leg(event, CallKind.MISSED, at, caller=caller, queue=event.get("Queue", ""), wait=wait)


def agent_connect(event: Event, at: datetime, reading: Reading) -> CallStep | None:
    return dialled_leg(event, CallKind.ANSWERED, at, reading, queue=event.get("Queue", ""), wait=whole_at(event, "HoldTime"))


def agent_complete(event: Event, at: datetime, reading: Reading) -> CallStep | None:
    return dialled_leg(event, CallKind.ENDED, at, reading, duration=whole_at(event, "TalkTime"), reason=event.get("Reason", ""))


def agent_no_answer(event: Event, at: datetime, reading: Reading) -> CallStep | None:
    return dialled_leg(event, CallKind.MISSED, at, reading, reason="RINGNOANSWER")


def hold(event: Event, at: datetime, reading: Reading) -> CallStep | None:
    return own_leg(event, CallKind.HOLD, at, extension=reading.extension(number_in(event)))


def unhold(event: Event, at: datetime, reading: Reading) -> CallStep | None:
    return own_leg(event, CallKind.ANSWERED, at, extension=reading.extension(number_in(event)))


def transfer(event: Event, at: datetime, reading: Reading) -> CallStep | None:
    """The operator hands the guest on and leaves."""
    for prefix in ("Transferer", "OrigTransferer"):
        if leg := event.get(f"{prefix}Uniqueid", ""):
            return step(CallKind.TRANSFER, event.get(f"{prefix}Linkedid", "") or leg, leg, at)
    return None


def hangup(event: Event, at: datetime, reading: Reading) -> CallStep | None:
    """A channel ends; None for one between colleagues."""
    number, other = number_in(event), number_in(event, "ConnectedLineNum")
    if reading.is_ours(number) and reading.is_ours(other):
        return None
    guest = reading.number(number) or reading.number(other)
    outward = reading.is_ours(number) and event.get("Uniqueid") == event.get("Linkedid")
    numbers: dict[str, object] = {"inbound": False, "called": guest} if outward else {"caller": guest}
    reason = event.get("Cause-txt", "") or event.get("Cause", "")
    return own_leg(event, CallKind.ENDED, at, reason=reason, **(numbers if guest else {}))


def channel_seen(event: Event, at: datetime, reading: Reading) -> CallStep | None:
    """A channel of which we had not heard (CoreShowChannels): it goes on since before."""
    seconds = lasted(event)
    found = new_channel(event, at - seconds, reading)
    other, extension = number_in(event, "ConnectedLineNum"), reading.extension(number_in(event), event.get("Channel", ""))
    if found is not None or not extension or reading.is_ours(other):
        return found
    kind = {"Up": CallKind.ANSWERED, "Ringing": CallKind.RINGING}.get(event.get("ChannelStateDesc", ""))
    return own_leg(event, kind, at, caller=reading.number(other), extension=extension) if kind else None


def lasted(event: Event) -> timedelta:
    """`Duration`, hours:minutes:seconds."""
    parts = event.get("Duration", "").split(":")
    numbers = [int(part) for part in parts if part.isascii() and part.isdecimal() and len(part) < 6]
    return timedelta(hours=numbers[0], minutes=numbers[1], seconds=numbers[2]) if len(parts) == len(numbers) == 3 else timedelta()


def channel_gone(event: Event, at: datetime, reading: Reading) -> CallStep | None:
    """A channel that we had and the exchange has no longer."""
    return own_leg(event, CallKind.ENDED, at, reason="gone")


def pressed(event: Event, at: datetime, reading: Reading) -> CallStep | None:
    """A key of the guest's; what the exchange itself plays is no key pressed."""
    if event.get("Direction", "Received") != "Received":
        return None
    return own_leg(event, CallKind.DTMF, at, digits=event.get("Digit", "")[:1])


def recorded(event: Event, at: datetime, reading: Reading) -> CallStep | None:
    return own_leg(event, CallKind.RECORDING_READY, at, recording=event.get("Uniqueid", ""))


HANDLERS: Mapping[str, Handler] = {
    "Newchannel": new_channel,
    "DialBegin": dial_begin,
    "DialEnd": dial_end,
    "QueueCallerJoin": queue_join,
    "QueueCallerAbandon": queue_abandon,
    "AgentCalled": dial_begin,
    "AgentConnect": agent_connect,
    "AgentComplete": agent_complete,
    "AgentRingNoAnswer": agent_no_answer,
    "Hold": hold,
    "Unhold": unhold,
    "BlindTransfer": transfer,
    "AttendedTransfer": transfer,
    "Hangup": hangup,
    "DTMFEnd": pressed,
    "MixMonitorStop": recorded,
    "CoreShowChannel": channel_seen,
    GONE: channel_gone,
}
