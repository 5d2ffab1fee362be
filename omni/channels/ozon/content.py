"""What a message of an Ozon chat says: Markdown lines, pictures as links in it."""

import re
from collections.abc import Sequence
from datetime import datetime

from omni.channels.contract import AttachmentKind, Inbound, InboundAttachment, InboundKind
from omni.channels.json_fields import JsonObject, identifier_at, object_at, storable, text_at, time_at
from omni.channels.ozon.words import is_customer

EMPTY = "[пустое сообщение]"
IN_MODERATION = "[изображение на проверке у площадки]"
NOT_THE_BUYER = "сообщение не покупателя"
LINK = re.compile(r"!\[[^\]]*\]\(\s*(https?://[^\s)]{1,900})\s*\)|^(https?://\S{1,900})$", re.MULTILINE)
"""A picture in Markdown, or a line that is nothing but an address (counts where the message says it is a picture)."""
MARKED = re.compile(r"!\[[^\]]*\]\(\s*(https?://[^\s)]{1,900})\s*\)")


def item_of(message: JsonObject, chat: str, received_at: datetime, *, kind: InboundKind = InboundKind.MESSAGE) -> Inbound:
    """A message of `chat`; whoever is not the buyer is only kept in the journal."""
    number = identifier_at(message, "message_id")
    user = object_at(message, "user")
    text, pictures = content_of(message)
    who = text_at(user, "type")
    from_buyer = is_customer(who)
    return Inbound(
        kind=kind if from_buyer else InboundKind.IGNORED,
        external_id=f"{chat}:{number}",
        guest_external_id=chat,
        guest_name=text_at(user, "name"),
        sent_at=time_at(message, "created_at", received_at),
        edited_at=time_at(message, "updated_at", received_at) if kind is InboundKind.EDIT else None,
        sequence=sequence_of(number),
        text=text if from_buyer else f"{NOT_THE_BUYER} ({who or '?'}): {text}"[:200],
        attachments=pictures if from_buyer else (),
        conversation=chat,
        extra=context_of(message),
    )


def content_of(message: JsonObject) -> tuple[str, tuple[InboundAttachment, ...]]:
    """The text without its pictures, and the pictures; never both empty."""
    lines = message.get("data")
    lines = [storable(line) for line in lines if isinstance(line, str)] if isinstance(lines, list) else []
    whole = "\n".join(lines)
    pattern = LINK if message.get("is_image") is True else MARKED
    links = [next(group for group in found.groups() if group) for found in pattern.finditer(whole)]
    pictures = tuple(InboundAttachment(AttachmentKind.IMAGE, link, "photo.jpg") for link in links)
    text = re.sub(r"\n{2,}", "\n", pattern.sub("", whole)).strip()
    if not text and not pictures:
        checked = text_at(message, "moderate_image_status") or message.get("is_image") is True
        text = IN_MODERATION if checked else EMPTY
    return text, pictures


def context_of(message: JsonObject) -> dict[str, str]:
    """The order and the goods the buyer writes about."""
    context = object_at(message, "context")
    found = {"order": identifier_at(context, "order_number"), "sku": identifier_at(context, "sku")}
    return {key: value for key, value in found.items() if value}


def sequence_of(number: str) -> int:
    """The order within one instant: ids grow; they are beyond 2^53, but fit the feed's 64 bits."""
    fits = number.isascii() and number.isdecimal() and len(number) <= 19
    return int(number) if fits and int(number) < 2**63 else 0


def newest(messages: Sequence[JsonObject]) -> str:
    """The highest message id; empty if there is none."""
    numbers = [number for message in messages if (number := identifier_at(message, "message_id")).isascii() and number.isdecimal()]
    return max(numbers, key=int, default="")
