"""From the body of a webhook to inbound items (Bot API, type Update)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from omni.channels.contract import Inbound, InboundKind, Unreadable
from omni.channels.json_fields import (
    JsonObject,
    digest_key,
    integer_at,
    moment_at,
    object_at,
    objects_at,
    read_object,
    read_object_or_none,
    storable,
    text_at,
)
from omni.channels.telegram.content import content_of, person_name
from omni.channels.telegram.placeholders import NO_PAYLOAD, NOT_BLOCKED, NOT_PRIVATE, placeholder, unused_kind


@dataclass(frozen=True)
class Arrival:
    """What is known of an update apart from its payload."""

    key: str
    received_at: datetime


def key_of(body: bytes) -> str:
    """`update:<update_id>`, or `sha256:<digest>` of a body that has none. Never raises."""
    number = integer_at(read_object_or_none(body) or {}, "update_id")
    return digest_key(body) if number is None else f"update:{number}"


def items_of(body: bytes, received_at: datetime) -> Sequence[Inbound]:
    """All items of an update; kinds that are not for the feed come out IGNORED with the reason as text. Raises Unreadable."""
    update = read_object(body)
    kinds = [kind for kind in update if kind != "update_id"]
    if integer_at(update, "update_id") is None and not HANDLERS.keys() & kinds:
        raise Unreadable("not a Telegram update: no update_id")
    arrival = Arrival(key_of(body), received_at)
    return [item_of(kind, update, arrival) for kind in kinds] or [ignored(arrival, "", NO_PAYLOAD)]


def item_of(kind: str, update: JsonObject, arrival: Arrival) -> Inbound:
    if kind not in HANDLERS:
        return ignored(arrival, storable(kind), unused_kind(storable(kind)), payload=object_at(update, kind))
    payload = update[kind]
    if not isinstance(payload, dict):
        raise Unreadable(f"{kind} is not an object")
    return HANDLERS[kind](payload, arrival)


def new_message(message: JsonObject, arrival: Arrival) -> Inbound:
    return message_item(InboundKind.MESSAGE, message, arrival)


def edited_message(message: JsonObject, arrival: Arrival) -> Inbound:
    return message_item(InboundKind.EDIT, message, arrival)


def message_item(kind: InboundKind, message: JsonObject, arrival: Arrival) -> Inbound:
    """A message or its new version: the same external id, the time of the edit in `edited_at`."""
    chat_id = required(object_at(message, "chat"), "id", "message.chat.id")
    message_id = required(message, "message_id", "message.message_id")
    if not is_private(object_at(message, "chat")):
        return ignored(arrival, kind.value, NOT_PRIVATE, payload=message)
    content = content_of(message)
    sender = object_at(message, "from")
    return Inbound(
        kind=kind,
        external_id=f"{chat_id}:{message_id}" if message_id else f"{chat_id}:{arrival.key}",
        guest_external_id=guest_of(sender, chat_id),
        guest_name=person_name(sender) or person_name(object_at(message, "chat")),
        sent_at=moment_at(message, "date", arrival.received_at),
        text=content.text,
        attachments=content.attachments,
        phone=content.phone,
        sequence=message_id,
        album=text_at(message, "media_group_id"),
        reply_to=replied_to(message, chat_id),
        thread_keys=own_keys(message, chat_id),
        edited_at=moment_at(message, "edit_date", arrival.received_at) if kind is InboundKind.EDIT else None,
        conversation=str(chat_id),
        extra=particulars(message),
    )


def callback_query(query: JsonObject, arrival: Arrival) -> Inbound:
    """A pressed button reads as the guest saying its label; without a label, its data."""
    guest = required(object_at(query, "from"), "id", "callback_query.from.id")
    message = object_at(query, "message")
    if message and not is_private(object_at(message, "chat")):
        return ignored(arrival, "callback_query", NOT_PRIVATE, payload=query)
    chat_id = integer_at(object_at(message, "chat"), "id") or guest
    message_id = integer_at(message, "message_id") or 0
    data = text_at(query, "data")
    return Inbound(
        kind=InboundKind.MESSAGE,
        external_id=f"callback:{text_at(query, 'id') or arrival.key}",
        guest_external_id=str(guest),
        guest_name=person_name(object_at(query, "from")),
        sent_at=arrival.received_at,
        text=label_of(message, data) or data or placeholder("button"),
        sequence=message_id,
        reply_to=f"{chat_id}:{message_id}" if message_id else "",
        thread_keys=(f"{chat_id}:{message_id}",) if message_id else (),
        conversation=str(chat_id),
        extra={"callback_query_id": text_at(query, "id"), "callback_data": data},
    )


def label_of(message: JsonObject, data: str) -> str:
    """The text of the inline button that carries this data."""
    rows = object_at(message, "reply_markup").get("inline_keyboard")
    buttons = [objects_at({"row": row}, "row") for row in rows] if isinstance(rows, list) else []
    return next((text_at(button, "text") for row in buttons for button in row if text_at(button, "callback_data") == data), "")


MEMBERSHIPS = {"kicked": InboundKind.BLOCKED, "member": InboundKind.UNBLOCKED}


def my_chat_member(change: JsonObject, arrival: Arrival) -> Inbound:
    """In a private chat the bot becomes `kicked` when the guest blocks it and `member` when he lets it back in."""
    chat = object_at(change, "chat")
    chat_id = required(chat, "id", "my_chat_member.chat.id")
    kind = MEMBERSHIPS.get(text_at(object_at(change, "new_chat_member"), "status"))
    if not is_private(chat) or kind is None:
        return ignored(arrival, "my_chat_member", NOT_PRIVATE if kind else NOT_BLOCKED, payload=change)
    sender = object_at(change, "from")
    return Inbound(
        kind=kind,
        external_id=f"{arrival.key}:my_chat_member",
        guest_external_id=guest_of(sender, chat_id),
        guest_name=person_name(sender),
        sent_at=moment_at(change, "date", arrival.received_at),
        conversation=str(chat_id),
    )


HANDLERS: Mapping[str, Callable[[JsonObject, Arrival], Inbound]] = {
    "message": new_message,
    "edited_message": edited_message,
    "callback_query": callback_query,
    "my_chat_member": my_chat_member,
}


def ignored(arrival: Arrival, kind: str, reason: str, *, payload: JsonObject | None = None) -> Inbound:
    """An item that is shown in the journal and goes no further."""
    sender = object_at(payload or {}, "from")
    guest = integer_at(sender, "id")
    return Inbound(
        kind=InboundKind.IGNORED,
        external_id=f"{arrival.key}:{kind}" if kind else arrival.key,
        guest_external_id="" if guest is None else str(guest),
        guest_name=person_name(sender),
        sent_at=moment_at(payload or {}, "date", arrival.received_at),
        text=reason,
    )


def required(source: JsonObject, key: str, path: str) -> int:
    value = integer_at(source, key)
    if value is None:
        raise Unreadable(f"{path} is missing or not a whole number")
    return value


def is_private(chat: JsonObject) -> bool:
    """Whether the chat is one with a person. Only their ids are positive, should the type be missing."""
    return chat.get("type", "private") == "private" and (integer_at(chat, "id") or 0) > 0


def guest_of(sender: JsonObject, chat_id: int) -> str:
    """The person's id; in a private chat the chat has the same one."""
    return str(integer_at(sender, "id") or chat_id)


def replied_to(message: JsonObject, chat_id: int) -> str:
    replied = integer_at(object_at(message, "reply_to_message"), "message_id")
    return f"{chat_id}:{replied}" if replied else ""


def own_keys(message: JsonObject, chat_id: int) -> Sequence[str]:
    """The message answered, if a bot wrote it: in a private chat that is ours."""
    author = object_at(object_at(message, "reply_to_message"), "from")
    key = replied_to(message, chat_id)
    return (key,) if key and author.get("is_bot") is True else ()


def particulars(message: JsonObject) -> Mapping[str, Any]:
    """What the feed or the guest's card may show besides: only keys that have a value."""
    sender = object_at(message, "from")
    edited = integer_at(message, "edit_date")
    command, _, payload = text_at(message, "text").partition(" ")
    found = {
        "edit_date": moment_at(message, "edit_date", datetime.fromtimestamp(0, UTC)).isoformat() if edited else "",
        "username": text_at(sender, "username"),
        "language": text_at(sender, "language_code"),
        "start_payload": payload.strip() if command == "/start" else "",
        "quote": text_at(object_at(message, "quote"), "text"),
        "forwarded_from": origin_of(object_at(message, "forward_origin")),
    }
    return {key: value for key, value in found.items() if value}


def origin_of(origin: JsonObject) -> str:
    """Who wrote a forwarded message (type MessageOrigin): person, name of a hidden person, chat or channel."""
    chat = object_at(origin, "chat") or object_at(origin, "sender_chat")
    return person_name(object_at(origin, "sender_user")) or text_at(origin, "sender_user_name") or text_at(chat, "title")
