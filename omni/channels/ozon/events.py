"""From a page of a chat's history, or a notification, to inbound items (Ozon Seller API, chats and push notifications)."""

from collections.abc import Sequence

from omni.channels.contract import DeliveryState, Inbound, InboundKind, RawEvent, Unreadable
from omni.channels.json_fields import (
    JsonObject,
    digest_key,
    identifier_at,
    object_at,
    objects_at,
    read_object,
    read_object_or_none,
    text_at,
    time_at,
)
from omni.channels.ozon.content import item_of
from omni.channels.ozon.words import is_customer, is_with_buyer

CHAT = "chat_id"
"""The query of a history's event: the page itself does not name its chat."""
PING = "TYPE_PING"


def key_of(event: RawEvent) -> str:
    """`history:<chat>:<first>-<last>:<count>`, `push:<type>:<chat>:<message>:<changed>`, else a digest. Never raises."""
    body = read_object_or_none(event.body) or {}
    if kind := text_at(body, "message_type"):
        ids = (identifier_at(body, name) for name in ("chat_id", "message_id", "last_read_message_id", "posting_number"))
        changed = text_at(body, "updated_at") or text_at(body, "changed_state_date")
        known = [part for part in (*ids, changed) if part]
        return ":".join(["push", kind, *known]) if known else digest_key(event.body)
    messages = objects_at(body, "messages")
    if event.query.get(CHAT) and messages:
        first, last = (identifier_at(messages[place], "message_id") for place in (0, -1))
        return f"history:{event.query[CHAT]}:{first}-{last}:{len(messages)}"
    return digest_key(event.body)


def is_ping(event: RawEvent) -> bool:
    return text_at(read_object_or_none(event.body) or {}, "message_type") == PING


def items_of(event: RawEvent) -> Sequence[Inbound]:
    """The items of one event. Raises Unreadable."""
    body = read_object(event.body)
    if text_at(body, "message_type"):
        return [pushed(body, event)]
    chat, messages = event.query.get(CHAT, ""), objects_at(body, "messages")
    if not chat or not isinstance(body.get("messages"), list):
        raise Unreadable("neither a notification (message_type) nor the history of a chat (messages)")
    return [item_of(message, chat, event.received_at) for message in messages if identifier_at(message, "message_id")]


def pushed(body: JsonObject, event: RawEvent) -> Inbound:
    """One notification. Those that are not about chats with buyers are kept in the journal only."""
    kind, chat, number = text_at(body, "message_type"), identifier_at(body, "chat_id"), identifier_at(body, "message_id")
    if not is_with_buyer(text_at(body, "chat_type")) or not chat:
        return ignored(event, f"уведомление вида «{kind}» не обрабатывается")
    if kind in ("TYPE_NEW_MESSAGE", "TYPE_UPDATE_MESSAGE"):
        if not number:
            raise Unreadable(f"{kind} without a message_id")
        return item_of(body, chat, event.received_at, kind=InboundKind.EDIT if kind == "TYPE_UPDATE_MESSAGE" else InboundKind.MESSAGE)
    if kind == "TYPE_MESSAGE_READ":
        return read_mark(body, chat, event)
    return ignored(event, "чат закрыт на площадке" if kind == "TYPE_CHAT_CLOSED" else f"уведомление вида «{kind}» не обрабатывается")


def read_mark(body: JsonObject, chat: str, event: RawEvent) -> Inbound:
    """The buyer has read up to a message. Only our own messages have a fate."""
    last = identifier_at(body, "last_read_message_id") or identifier_at(body, "message_id")
    if not is_customer(text_at(object_at(body, "user"), "type")) or not last:
        return ignored(event, "прочитано не покупателем")
    return Inbound(
        kind=InboundKind.STATUS,
        external_id=f"{chat}:{last}",
        guest_external_id=chat,
        sent_at=time_at(body, "created_at", event.received_at),
        state=DeliveryState.READ,
    )


def ignored(event: RawEvent, reason: str) -> Inbound:
    return Inbound(InboundKind.IGNORED, external_id=key_of(event), guest_external_id="", sent_at=event.received_at, text=reason)
