"""Calls that an exchange remembers and we may never have heard of: its own history, asked for now and then.

A notice that was lost leaves a call unknown or without its end. What the history tells of a call goes through the journal once, under the
call's own key; of a call whose end is known already it changes nothing (`CallStep.reconciled`).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

from omni.channels.contract import AccountConfig, CallStep, Inbound, Polled
from omni.channels.json_fields import JsonObject, object_at, read_object_or_none, storable, text_at
from omni.channels.polled_events import event_of
from omni.channels.telephony.items import call_item

POLL_SECONDS = 900.0
SETTLED = timedelta(minutes=10)
"""Notices of a call may come so long after its end; until then nobody is asked about it."""
OVERLAP = timedelta(hours=6)
"""A call begins long before it ends, and the clock of a history may be another zone's: so much is asked for again."""
FIRST, LONGEST = timedelta(days=1), timedelta(days=7)
MOST_PAGES = 20


@dataclass(frozen=True)
class Period:
    """Calls that began from `since` until `until` (aware UTC)."""

    since: datetime
    until: datetime


@dataclass(frozen=True)
class Remembered:
    """One call as the exchange tells it: its `key` in our journal, the vendor's own object, when it was over (aware)."""

    key: str
    told: JsonObject
    ended_at: datetime


Ask = Callable[[AccountConfig, Period], Sequence[Remembered]]


def polled(account: AccountConfig, cursor: Mapping[str, Any], *, now: datetime, ask: Ask) -> Polled:
    """The calls that are over; the position is the moment until which was asked. `ask` raises PollFault."""
    if account.settings.get("history") is False:
        return Polled((), cursor, heals=False)
    period = period_of(cursor, now=now)
    over = [call for call in ask(account, period) if call.ended_at <= now - SETTLED]
    events = [event_of({"history": call.key, "call": call.told}, now=now) for call in over]
    return Polled(events, {"until": period.until.isoformat()}, heals=False)


def period_of(cursor: Mapping[str, Any], *, now: datetime) -> Period:
    """From where the last question ended, with the overlap; a day at first, a week at most."""
    try:
        asked = datetime.fromisoformat(str(cursor.get("until") or ""))
    except ValueError:
        asked = now - FIRST
    until = now - SETTLED
    return Period(max(min(asked, until), now - LONGEST) - OVERLAP, until)


def key_of(body: bytes) -> str:
    """`history:<call>` of an event made here, empty of any other."""
    named = _told(body)
    return f"history:{storable(text_at(named, 'history'))}" if named else ""


def call_of(body: bytes) -> JsonObject | None:
    """The vendor's object of an event made here; None of any other event."""
    named = _told(body)
    return object_at(named, "call") if named else None


def items(steps: Sequence[CallStep]) -> Sequence[Inbound]:
    return [call_item(step) for step in steps]


def written(text: str, zone: tzinfo) -> datetime | None:
    """A moment `YYYY-MM-DD HH:MM:SS` of that zone as UTC; None for anything else."""
    try:
        moment = datetime.fromisoformat(text.strip())
        return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def local(moment: datetime, zone: tzinfo) -> str:
    return f"{moment.astimezone(zone):%Y-%m-%d %H:%M:%S}"


def _told(body: bytes) -> JsonObject | None:
    if not body.startswith(b'{"history":'):
        return None
    found = read_object_or_none(body)
    return found if found and text_at(found, "history") else None
