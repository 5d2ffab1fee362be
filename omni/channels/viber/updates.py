"""From the body of a Viber callback to inbound items (https://developers.viber.com/docs/api/rest-bot-api/#callbacks).

`message_token` has 64 bits and is kept as text everywhere.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from omni.channels.contract import DeliveryState, Inbound, InboundKind, Unreadable
from omni.channels.json_fields import (
    JsonObject,
    digest_key,
    identifier_at,
    moment_at,
    object_at,
    read_object,
    read_object_or_none,
    text_at,
)
from omni.channels.viber import placeholders as words
from omni.channels.viber.content import content_of

RECEIPTS = {"delivered": DeliveryState.DELIVERED, "seen": DeliveryState.READ, "failed": DeliveryState.FAILED}


@dataclass(frozen=True)
class Arrival:
    """What every callback has: its kind, token, time, and a key in case it has no token."""

    event: str
    token: str
    at: datetime
    key: str


def key_of(body: bytes) -> str:
    """`<event>:<message_token>`, for receipts with the guest too; a digest of a body that has none. Never raises."""
    callback = read_object_or_none(body) or {}
    event, token = text_at(callback, "event"), identifier_at(callback, "message_token")
    if not event or not token:
        return digest_key(body)
    # One message to many guests has one token and a receipt for each.
    return f"{event}:{token}:{identifier_at(callback, 'user_id')}".rstrip(":")


def items_of(body: bytes, received_at: datetime) -> Sequence[Inbound]:
    """The item of a callback; kinds that are not for the feed come out IGNORED with the reason as text. Raises Unreadable."""
    callback = read_object(body)
    event = text_at(callback, "event")
    if not event:
        raise Unreadable("not a Viber callback: no event")
    at = moment_at(callback, "timestamp", received_at, per_second=1000)
    arrival = Arrival(event, identifier_at(callback, "message_token"), at, key_of(body))
    if event not in HANDLERS:
        return [ignored(arrival, words.unused_event(event))]
    return [HANDLERS[event](callback, arrival)]


def message(callback: JsonObject, arrival: Arrival) -> Inbound:
    sender, said = object_at(callback, "sender"), callback.get("message")
    guest = identifier_at(sender, "id")
    if not isinstance(said, dict) or not guest:
        return ignored(arrival, words.NO_ID)
    content = content_of(said)
    found = {
        "tracking_data": text_at(said, "tracking_data"),
        "language": text_at(sender, "language"),
        "country": text_at(sender, "country"),
    }
    return Inbound(
        kind=InboundKind.MESSAGE,
        external_id=arrival.token or arrival.key,
        guest_external_id=guest,
        guest_name=text_at(sender, "name"),
        sent_at=arrival.at,
        text=content.text,
        attachments=content.attachments,
        conversation=guest,
        extra={name: told for name, told in found.items() if told},
    )


def receipt(callback: JsonObject, arrival: Arrival) -> Inbound:
    guest = identifier_at(callback, "user_id")
    if not arrival.token:
        return ignored(arrival, words.NO_ID)
    error = text_at(callback, "desc") if arrival.event == "failed" else ""
    return Inbound(InboundKind.STATUS, arrival.token, guest, arrival.at, state=RECEIPTS[arrival.event], error=error)


def subscribed(callback: JsonObject, arrival: Arrival) -> Inbound:
    return membership(InboundKind.UNBLOCKED, object_at(callback, "user"), "id", arrival)


def unsubscribed(callback: JsonObject, arrival: Arrival) -> Inbound:
    return membership(InboundKind.BLOCKED, callback, "user_id", arrival)


def membership(kind: InboundKind, source: JsonObject, key: str, arrival: Arrival) -> Inbound:
    guest = identifier_at(source, key)
    if not guest:
        return ignored(arrival, words.NO_ID)
    return Inbound(kind, arrival.key, guest, arrival.at, text_at(source, "name"), conversation=guest)


def conversation_started(callback: JsonObject, arrival: Arrival) -> Inbound:
    """Not a subscription: until the guest writes, only the welcome in the answer to this very callback reaches him."""
    user = object_at(callback, "user")
    extra = {"context": text_at(callback, "context")} if text_at(callback, "context") else {}
    return ignored(arrival, words.STARTED, guest=identifier_at(user, "id"), name=text_at(user, "name"), extra=extra)


def webhook(callback: JsonObject, arrival: Arrival) -> Inbound:
    return ignored(arrival, words.WEBHOOK)


HANDLERS: Mapping[str, Callable[[JsonObject, Arrival], Inbound]] = {
    "message": message,
    "delivered": receipt,
    "seen": receipt,
    "failed": receipt,
    "subscribed": subscribed,
    "unsubscribed": unsubscribed,
    "conversation_started": conversation_started,
    "webhook": webhook,
}


def ignored(arrival: Arrival, reason: str, *, guest: str = "", name: str = "", extra: Mapping[str, str] | None = None) -> Inbound:
    """An item that is shown in the journal and goes no further."""
    return Inbound(InboundKind.IGNORED, arrival.key, guest, arrival.at, name, reason, extra=extra or {})
