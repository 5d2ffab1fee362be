"""From a page of a chat's history, or a notification, to inbound items (Yandex Market partner API)."""

from collections.abc import Sequence

from omni.channels.contract import AttachmentKind, Inbound, InboundAttachment, InboundKind, RawEvent, Unreadable
from omni.channels.json_fields import (
    JsonObject,
    digest_key,
    identifier_at,
    integer_at,
    object_at,
    objects_at,
    read_object,
    read_object_or_none,
    text_at,
    time_at,
)

CHAT = "chatId"
"""The query of a history's event: the page itself does not name its chat."""
EMPTY = "[пустое сообщение]"
NOT_THE_BUYER = "сообщение не покупателя"
PING = "PING"
ABOUT_CHATS = frozenset({"CHAT_CREATED", "CHAT_MESSAGE_SENT", "CHAT_ARBITRAGE_STARTED", "CHAT_ARBITRAGE_FINISHED"})


def kind_of(event: RawEvent) -> str:
    """The notification's type; empty for what is none."""
    return text_at(read_object_or_none(event.body) or {}, "notificationType")


def key_of(event: RawEvent) -> str:
    """`history:<chat>:<first>-<last>:<count>`, `push:<type>:<digest>`, else a digest. Never raises."""
    if kind := kind_of(event):
        return f"push:{kind}:{digest_key(event.body)}"
    messages = objects_at(result_of(read_object_or_none(event.body) or {}), "messages")
    if event.query.get(CHAT) and messages:
        first, last = (identifier_at(messages[place], "messageId") for place in (0, -1))
        return f"history:{event.query[CHAT]}:{first}-{last}:{len(messages)}"
    return digest_key(event.body)


def result_of(body: JsonObject) -> JsonObject:
    return object_at(body, "result")


def items_of(event: RawEvent) -> Sequence[Inbound]:
    """The items of one event. Raises Unreadable."""
    body = read_object(event.body)
    if kind := text_at(body, "notificationType"):
        reason = "чат будет прочитан" if kind in ABOUT_CHATS else f"уведомление вида «{kind}» не обрабатывается"
        return [Inbound(InboundKind.IGNORED, key_of(event), "", event.received_at, text=reason)]
    chat, result = event.query.get(CHAT, ""), result_of(body)
    if not chat or not isinstance(result.get("messages"), list):
        raise Unreadable("neither a notification (notificationType) nor the history of a chat (result.messages)")
    messages = [message for message in objects_at(result, "messages") if identifier_at(message, "messageId")]
    return [item_of(message, chat, result, event) for message in messages]


def item_of(message: JsonObject, chat: str, result: JsonObject, event: RawEvent) -> Inbound:
    """A message of `chat`; whoever is not the buyer is only kept in the journal."""
    number, who = identifier_at(message, "messageId"), text_at(message, "sender")
    files = tuple(file_of(file) for file in objects_at(message, "payload") if text_at(file, "url"))
    text = text_at(message, "message").strip()
    from_buyer = who == "CUSTOMER"
    return Inbound(
        kind=InboundKind.MESSAGE if from_buyer else InboundKind.IGNORED,
        external_id=f"{chat}:{number}",
        guest_external_id=chat,
        guest_name=text_at(object_at(object_at(result, "context"), "customer"), "name"),
        sent_at=time_at(message, "createdAt", event.received_at),
        sequence=integer_at(message, "messageId") or 0,
        text=(text or ("" if files else EMPTY)) if from_buyer else f"{NOT_THE_BUYER} ({who or '?'}): {text}"[:200],
        attachments=files if from_buyer else (),
        conversation=chat,
        extra=context_of(result),
    )


def file_of(source: JsonObject) -> InboundAttachment:
    name, size = text_at(source, "name"), integer_at(source, "size")
    is_picture = name.lower().endswith((".jpg", ".jpeg", ".png", ".gif", ".webp"))
    kind = AttachmentKind.IMAGE if is_picture else AttachmentKind.DOCUMENT
    return InboundAttachment(kind, text_at(source, "url"), name or "file", size=size if size and size > 0 else None)


def context_of(result: JsonObject) -> dict[str, str]:
    """The order or return that the chat is about."""
    context = object_at(result, "context")
    found = {
        "order": identifier_at(context, "orderId") or identifier_at(result, "orderId"),
        "return": identifier_at(context, "returnId"),
        "about": text_at(context, "type"),
    }
    return {key: value for key, value in found.items() if value}


def newest(messages: Sequence[JsonObject]) -> str:
    """The highest message id; empty if there is none."""
    return str(max((number for message in messages if (number := integer_at(message, "messageId"))), default="")) if messages else ""
