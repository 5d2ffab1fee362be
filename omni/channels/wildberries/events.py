"""From an event of the buyers' chat, a review or a question, to inbound items (Wildberries API, buyer chat and feedbacks)."""

import re
from collections.abc import Sequence
from datetime import datetime

from omni.channels.contract import AttachmentKind, Inbound, InboundAttachment, InboundKind, RawEvent, Unreadable
from omni.channels.json_fields import (
    JsonObject,
    digest_key,
    identifier_at,
    integer_at,
    moment_at,
    object_at,
    objects_at,
    read_object,
    read_object_or_none,
    text_at,
    time_at,
)
from omni.channels.reviews import review_item, review_text, version_key, version_of

EMPTY = "[пустое сообщение]"
NOT_THE_BUYER = "сообщение не покупателя"
DOWNLOAD = "download:"
CHANGING = ("text", "pros", "cons", "productValuation")
"""What a buyer may change in his review."""


def key_of(event: RawEvent) -> str:
    """`event:<eventID>`, `feedback:<id>:<version>`, `question:<id>:<version>`, else a digest. Never raises."""
    found = read_object_or_none(event.body) or {}
    if number := identifier_at(found, "eventID"):
        return f"event:{number}"
    if is_question(found):
        return version_key(event, f"question:{identifier_at(found, 'id')}", version_of(found, "text"))
    if is_review(found):
        return version_key(event, f"feedback:{identifier_at(found, 'id')}", version_of(found, *CHANGING))
    return digest_key(event.body)


def is_review(value: JsonObject) -> bool:
    return bool(identifier_at(value, "id")) and "productValuation" in value


def is_question(value: JsonObject) -> bool:
    """A question about goods has no stars."""
    return bool(identifier_at(value, "id")) and "productValuation" not in value and "productDetails" in value


def items_of(event: RawEvent) -> Sequence[Inbound]:
    """The items of one event, review or question. Raises Unreadable."""
    value = read_object(event.body)
    if is_review(value):
        return [review_of(value, event)]
    if is_question(value):
        return [question_of(value, event)]
    chat, number = identifier_at(value, "chatID"), identifier_at(value, "eventID")
    if not chat or not number:
        raise Unreadable("no event of a chat (chatID, eventID), no review (id, productValuation), no question (id, productDetails)")
    return [chat_item(value, chat, number, event.received_at)]


def chat_item(value: JsonObject, chat: str, number: str, received_at: datetime) -> Inbound:
    """What the buyer said; the seller's own words are only kept in the journal."""
    message = object_at(value, "message")
    attachments = attachments_of(object_at(message, "attachments"))
    is_buyer = text_at(value, "sender") not in ("seller", "wb")
    text = text_of(value, message)
    return Inbound(
        kind=InboundKind.MESSAGE if is_buyer else InboundKind.IGNORED,
        external_id=f"{chat}:{number}",
        guest_external_id=chat,
        guest_name=text_at(value, "clientName"),
        sent_at=moment_at(value, "addTimestamp", time_at(value, "addTime", received_at), per_second=1000),
        text=(text or ("" if attachments else EMPTY)) if is_buyer else f"{NOT_THE_BUYER}: {text}"[:200],
        attachments=attachments if is_buyer else (),
        conversation=chat,
        extra={"new_chat": True} if value.get("isNewChat") is True else {},
    )


def text_of(value: JsonObject, message: JsonObject) -> str:
    """The words, the card of goods they are about, and the name of an event that has neither."""
    card = object_at(object_at(message, "attachments"), "goodCard")
    parts = [text_at(message, "text"), card_text(card) if card else ""]
    kind = text_at(value, "eventType")
    if kind not in ("", "message"):
        parts.insert(0, f"[событие вида «{kind}»]")
    return "\n".join(part for part in parts if part)


def card_text(card: JsonObject) -> str:
    """The goods a chat is about: article, size, price in roubles, return asked for."""
    price = integer_at(card, "price")
    details = (
        f"артикул {identifier_at(card, 'nmID')}" if identifier_at(card, "nmID") else "",
        f"размер {text_at(card, 'size')}" if text_at(card, "size") not in ("", "0") else "",
        f"{price} {text_at(card, 'priceCurrency') or '₽'}" if price else "",
        "нужен возврат" if card.get("needRefund") is True else "",
    )
    return f"[товар] {', '.join(detail for detail in details if detail)}".rstrip()


def attachments_of(source: JsonObject) -> tuple[InboundAttachment, ...]:
    """Pictures and files; `ref` is `download:<id>`, or the address where there is no id."""
    pictures = [file_of(one, AttachmentKind.IMAGE, "photo.jpg") for one in objects_at(source, "images")]
    files = [file_of(one, AttachmentKind.DOCUMENT, "file") for one in objects_at(source, "files")]
    return tuple(one for one in (*pictures, *files) if one.ref)


def file_of(source: JsonObject, kind: AttachmentKind, name: str) -> InboundAttachment:
    number = identifier_at(source, "downloadID")
    ref = f"{DOWNLOAD}{number}" if re.fullmatch(r"[\w-]{1,200}", number, re.ASCII) else text_at(source, "url")
    size = integer_at(source, "size")
    return InboundAttachment(
        kind, ref, text_at(source, "name") or name, text_at(source, "contentType"), size if size and size > 0 else None
    )


def review_of(value: JsonObject, event: RawEvent) -> Inbound:
    """A review of goods: the answer goes to `feedback:<id>`."""
    number = identifier_at(value, "id")
    product = text_at(object_at(value, "productDetails"), "productName")
    parts = (("Достоинства", text_at(value, "pros")), ("Недостатки", text_at(value, "cons")))
    words = "\n".join([text_at(value, "text"), *(f"{label}: {words}" for label, words in parts if words)])
    return review_item(
        event,
        review=f"feedback:{number}",
        author=text_at(value, "userName"),
        text=review_text(integer_at(value, "productValuation"), product, words),
        at=time_at(value, "createdDate", event.received_at),
        attachments=tuple(
            InboundAttachment(AttachmentKind.IMAGE, text_at(photo, "fullSize"), "photo.jpg")
            for photo in objects_at(value, "photoLinks")
            if text_at(photo, "fullSize")
        ),
        rating=integer_at(value, "productValuation"),
    )


def question_of(value: JsonObject, event: RawEvent) -> Inbound:
    """A question about goods: the answer goes to `question:<id>`."""
    goods = object_at(value, "productDetails")
    named = ", ".join(part for part in (text_at(goods, "productName"), f"артикул {identifier_at(goods, 'nmId')}") if part.strip())
    return review_item(
        event,
        review=f"question:{identifier_at(value, 'id')}",
        author=text_at(value, "userName"),
        text=f"[вопрос о товаре] {named}\n{text_at(value, 'text') or EMPTY}",
        at=time_at(value, "createdDate", event.received_at),
    )
