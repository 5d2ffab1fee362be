"""From the body of a webhook to inbound items (https://apiok.ru/dev/graph_api/methods/graph.user/graph.user.subscribe/post)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

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
from omni.channels.ok.content import attachments_of, content_of
from omni.channels.social.content import labelled

INT64 = 2**63
MILLISECONDS = 1000
CREATED, CALLBACK = "MESSAGE_CREATED", "MESSAGE_CALLBACK"
FROM_US = "сообщение самой группы"


@dataclass(frozen=True)
class Arrival:
    """What is known of an event apart from its payload."""

    key: str
    received_at: datetime


def kind_of(event: JsonObject) -> str:
    """`webhookType`; the official examples have none, so a message alone is a new one."""
    if kind := text_at(event, "webhookType"):
        return kind
    return CREATED if object_at(event, "message") else "CHAT_SYSTEM"


def key_of(body: bytes) -> str:
    """`<type>:<message or button>`, which repeats share; or a digest of the body. Never raises."""
    event = read_object_or_none(body) or {}
    kind = kind_of(event)
    name = _callback_id(event) if kind == CALLBACK else text_at(object_at(event, "message"), "mid") if kind == CREATED else ""
    return f"{kind}:{name}" if name else digest_key(body)


def items_of(body: bytes, received_at: datetime) -> Sequence[Inbound]:
    """The item of an event; kinds that are not for the feed come out IGNORED with the reason as text. Raises Unreadable."""
    event = read_object(body)
    if not event.keys() & {"webhookType", "message", "sender", "recipient"}:
        raise Unreadable("not an event of Odnoklassniki: no type, message or sender")
    arrival, kind = Arrival(key_of(body), received_at), kind_of(event)
    handler = HANDLERS.get(kind)
    return [handler(event, arrival) if handler else ignored(arrival, f"событие вида «{kind}» не обрабатывается")]


def message_created(event: JsonObject, arrival: Arrival) -> Inbound:
    message = object_at(event, "message")
    guest, chat = _people(event)
    if guest.startswith("group:"):
        return ignored(arrival, FROM_US)
    content = content_of(message)
    return Inbound(
        kind=InboundKind.MESSAGE,
        external_id=text_at(message, "mid") or arrival.key,
        guest_external_id=guest,
        guest_name=text_at(object_at(event, "sender"), "name"),
        sent_at=_time(event, arrival),
        text=content.text,
        attachments=content.attachments,
        # Larger than 2^53: only ever a whole number, never a float.
        sequence=integer_at(message, "seq", INT64) or 0,
        reply_to=text_at(message, "reply_to"),
        conversation=chat,
    )


def message_callback(event: JsonObject, arrival: Arrival) -> Inbound:
    """A pressed button reads as the guest saying its label; without a label, its payload."""
    guest, chat = _people(event)
    message = object_at(event, "message")
    payload = text_at(event, "payload") or text_at(object_at(event, "callback"), "payload")
    mid = text_at(message, "mid") or text_at(event, "mid")
    return Inbound(
        kind=InboundKind.MESSAGE,
        external_id=arrival.key,
        guest_external_id=guest,
        guest_name=text_at(object_at(event, "sender"), "name"),
        sent_at=_time(event, arrival),
        text=_label(message, payload) or payload or labelled("кнопка"),
        reply_to=mid,
        thread_keys=(mid,) if mid else (),
        conversation=chat,
        extra={"callback_id": _callback_id(event), "payload": payload},
    )


def _people(event: JsonObject) -> tuple[str, str]:
    guest, chat = text_at(object_at(event, "sender"), "user_id").strip(), text_at(object_at(event, "recipient"), "chat_id").strip()
    if not guest or not chat:
        raise Unreadable("sender.user_id or recipient.chat_id is missing")
    return guest, chat


def _callback_id(event: JsonObject) -> str:
    callback = object_at(event, "callback")
    return text_at(event, "callbackId") or text_at(event, "callback_id") or text_at(callback, "callbackId") or text_at(callback, "id")


def _label(message: JsonObject, payload: str) -> str:
    """The text of the inline button that carries this payload."""
    for attachment in attachments_of(message):
        rows = object_at(object_at(attachment, "payload"), "keyboard").get("buttons")
        for row in rows if isinstance(rows, list) else []:
            for button in objects_at({"row": row}, "row"):
                if payload and text_at(button, "payload") == payload:
                    return text_at(button, "text")
    return ""


def _time(event: JsonObject, arrival: Arrival) -> datetime:
    return moment_at(event, "timestamp", arrival.received_at, per_second=MILLISECONDS)


def ignored(arrival: Arrival, reason: str) -> Inbound:
    """An item that is shown in the journal and goes no further."""
    return Inbound(InboundKind.IGNORED, arrival.key, "", arrival.received_at, text=reason)


HANDLERS: Mapping[str, Callable[[JsonObject, Arrival], Inbound]] = {CREATED: message_created, CALLBACK: message_callback}
