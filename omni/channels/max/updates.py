"""From the body of a webhook to inbound items (https://dev.max.ru/docs-api/objects/Update)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
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
    text_at,
)
from omni.channels.max.content import content_of, person_name
from omni.channels.social.content import labelled

INT64 = 2**63
MILLISECONDS = 1000
NOT_PRIVATE = "сообщение не из личного диалога: обращениями становятся только личные"
FROM_BOT = "сообщение бота"


@dataclass(frozen=True)
class Arrival:
    """What is known of an update apart from its payload."""

    key: str
    kind: str
    received_at: datetime


def key_of(body: bytes) -> str:
    """`<type>:<message, button or chat and person>:<time>`, which repeats share; or a digest of the body. Never raises."""
    update = read_object_or_none(body) or {}
    kind, at, name = text_at(update, "update_type"), integer_at(update, "timestamp"), _subject(update)
    return f"{kind}:{name}:{at}" if kind and at and name else digest_key(body)


def _subject(update: JsonObject) -> str:
    callback = object_at(update, "callback")
    person = integer_at(object_at(update, "user"), "user_id", INT64) or integer_at(update, "user_id", INT64)
    chat = integer_at(update, "chat_id", INT64)
    return (
        text_at(callback, "callback_id")
        or text_at(object_at(object_at(update, "message"), "body"), "mid")
        or text_at(update, "message_id")
        or (f"{chat}:{person}" if chat is not None and person is not None else "")
    )


def items_of(body: bytes, received_at: datetime) -> Sequence[Inbound]:
    """The item of an update; kinds that are not for the feed come out IGNORED with the reason as text. Raises Unreadable."""
    update = read_object(body)
    kind = text_at(update, "update_type")
    if not kind:
        raise Unreadable("not an update of MAX: no update_type")
    arrival = Arrival(key_of(body), kind, received_at)
    handler = HANDLERS.get(kind)
    return [handler(update, arrival) if handler else ignored(arrival, f"событие вида «{kind}» не обрабатывается")]


def message_created(update: JsonObject, arrival: Arrival) -> Inbound:
    return _message(InboundKind.MESSAGE, update, arrival)


def message_edited(update: JsonObject, arrival: Arrival) -> Inbound:
    return _message(InboundKind.EDIT, update, arrival)


def _message(kind: InboundKind, update: JsonObject, arrival: Arrival) -> Inbound:
    message = object_at(update, "message")
    sender, recipient, body = object_at(message, "sender"), object_at(message, "recipient"), object_at(message, "body")
    if not message:
        raise Unreadable("message is missing")
    if sender.get("is_bot") is True:
        return ignored(arrival, FROM_BOT)
    if not _is_private(recipient):
        return ignored(arrival, NOT_PRIVATE)
    guest, chat = _required(sender, "user_id"), _required(recipient, "chat_id")
    content = content_of(message)
    at = moment_at(update, "timestamp", arrival.received_at, per_second=MILLISECONDS)
    return Inbound(
        kind=kind,
        external_id=text_at(body, "mid") or arrival.key,
        guest_external_id=str(guest),
        guest_name=person_name(sender),
        sent_at=moment_at(message, "timestamp", at, per_second=MILLISECONDS),
        text=content.text,
        attachments=content.attachments,
        sequence=integer_at(body, "seq", INT64) or 0,
        reply_to=_answered(message),
        thread_keys=_own_keys(message),
        edited_at=at if kind is InboundKind.EDIT else None,
        conversation=str(chat),
        extra=_particulars(update, sender),
    )


def _is_private(recipient: JsonObject) -> bool:
    return bool(recipient.get("chat_type", "dialog") == "dialog")


def _answered(message: JsonObject) -> str:
    link = object_at(message, "link")
    if text_at(link, "type") != "reply":
        return ""
    return text_at(object_at(link, "message"), "mid") or text_at(link, "mid")


def _own_keys(message: JsonObject) -> Sequence[str]:
    """The message answered, if a bot wrote it: in a dialogue that is ours."""
    key = _answered(message)
    return (key,) if key and object_at(object_at(message, "link"), "sender").get("is_bot") is True else ()


def _particulars(update: JsonObject, sender: JsonObject) -> Mapping[str, Any]:
    found = {
        "language": text_at(update, "user_locale"),
        "username": text_at(sender, "username"),
        "start_payload": text_at(update, "payload"),
    }
    return {key: value for key, value in found.items() if value}


def message_removed(update: JsonObject, arrival: Arrival) -> Inbound:
    removed, guest = text_at(update, "message_id"), integer_at(update, "user_id", INT64)
    if not removed:
        raise Unreadable("message_id is missing")
    at = moment_at(update, "timestamp", arrival.received_at, per_second=MILLISECONDS)
    chat = integer_at(update, "chat_id", INT64)
    return Inbound(InboundKind.DELETE, removed, str(guest or ""), at, conversation="" if chat is None else str(chat))


def message_callback(update: JsonObject, arrival: Arrival) -> Inbound:
    """A pressed button reads as the guest saying its label; without a label, its payload."""
    callback, message = object_at(update, "callback"), object_at(update, "message")
    guest = object_at(callback, "user")
    if message and not _is_private(object_at(message, "recipient")):
        return ignored(arrival, NOT_PRIVATE)
    number = _required(guest, "user_id")
    chat = integer_at(object_at(message, "recipient"), "chat_id", INT64)
    payload, mid = text_at(callback, "payload"), text_at(object_at(message, "body"), "mid")
    return Inbound(
        kind=InboundKind.MESSAGE,
        # The vendor calls callback_id the id of the keyboard, so the time of the press belongs to the key.
        external_id=arrival.key,
        guest_external_id=str(number),
        guest_name=person_name(guest),
        sent_at=moment_at(callback, "timestamp", arrival.received_at, per_second=MILLISECONDS),
        text=_label(message, payload) or payload or labelled("кнопка"),
        reply_to=mid,
        thread_keys=(mid,) if mid else (),
        conversation=str(number if chat is None else chat),
        extra={"callback_id": text_at(callback, "callback_id"), "payload": payload},
    )


def _label(message: JsonObject, payload: str) -> str:
    """The text of the inline button that carries this payload."""
    for attachment in objects_at(object_at(message, "body"), "attachments"):
        rows = object_at(attachment, "payload").get("buttons")
        for row in rows if isinstance(rows, list) else []:
            for button in objects_at({"row": row}, "row"):
                if payload and text_at(button, "payload") == payload:
                    return text_at(button, "text")
    return ""


def _stopping(kind: InboundKind) -> Callable[[JsonObject, Arrival], Inbound]:
    """The guest stops the bot or starts it (again)."""

    def read(update: JsonObject, arrival: Arrival) -> Inbound:
        person = object_at(update, "user")
        guest, chat = _required(person, "user_id"), integer_at(update, "chat_id", INT64)
        return Inbound(
            kind=kind,
            external_id=arrival.key,
            guest_external_id=str(guest),
            guest_name=person_name(person),
            sent_at=moment_at(update, "timestamp", arrival.received_at, per_second=MILLISECONDS),
            conversation="" if chat is None else str(chat),
            extra=_particulars(update, person),
        )

    return read


def ignored(arrival: Arrival, reason: str) -> Inbound:
    """An item that is shown in the journal and goes no further."""
    return Inbound(InboundKind.IGNORED, arrival.key, "", arrival.received_at, text=reason)


def _required(source: JsonObject, key: str) -> int:
    value = integer_at(source, key, INT64)
    if value is None:
        raise Unreadable(f"{key} is missing or not a whole number")
    return value


HANDLERS: Mapping[str, Callable[[JsonObject, Arrival], Inbound]] = {
    "message_created": message_created,
    "message_edited": message_edited,
    "message_removed": message_removed,
    "message_callback": message_callback,
    "bot_started": _stopping(InboundKind.UNBLOCKED),
    "bot_stopped": _stopping(InboundKind.BLOCKED),
}
