"""Which calls one outgoing message takes, and what is refused before any (https://core.telegram.org/bots/api#sendmessage)."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from omni.channels.contract import Capabilities, Failed, Outgoing, OutgoingFile, Reason
from omni.channels.json_fields import storable
from omni.channels.keyboards import Keyboard

TEXT_LIMIT = 4096
"""Characters (code points) of a message; only the offsets of entities count UTF-16 units."""
CAPTION_LIMIT = 1024
PHOTO_BYTES = 10 * 1024 * 1024
FILE_BYTES = 50 * 1024 * 1024
GROUP_SIZE = 10
PHOTO_TYPES = frozenset({"image/jpeg", "image/png"})

CAPABILITIES = Capabilities(
    private=True,
    # https://core.telegram.org/bots/faq, "My bot is hitting limits"
    per_second=30,
    per_chat_per_second=1,
    text_limit=TEXT_LIMIT,
    caption_limit=CAPTION_LIMIT,
    attachments=True,
    attachment_bytes=FILE_BYTES,
    attachments_per_message=GROUP_SIZE,
    typing=True,
    keyboards=(Keyboard(12),),
    asks_phone=True,
)


@dataclass(frozen=True)
class Part:
    """One call: a text, or up to ten files of one sort with a caption."""

    text: str = ""
    files: Sequence[OutgoingFile] = ()
    as_photo: bool = False
    markup: Mapping[str, Any] | None = None
    """`reply_markup`: the keyboard under the text."""


def refusal(outgoing: Outgoing) -> Failed | None:
    """Why this message can never be sent, else None. Texts are refused over the limit, never cut."""
    if not outgoing.recipient.strip():
        return Failed("no_recipient", "no chat to send to")
    if len(outgoing.text) > TEXT_LIMIT:
        return Failed("text_too_long", f"{len(outgoing.text)} characters, at most {TEXT_LIMIT} are allowed", Reason.TOO_LONG)
    if storable(outgoing.text) != outgoing.text:
        return Failed("unsendable_text", "the text has NUL or half characters")
    if not outgoing.text.strip() and not outgoing.files:
        return Failed("empty", "neither text nor files")
    return next((refused for file in outgoing.files if (refused := file_refusal(file))), None)


def file_refusal(file: OutgoingFile) -> Failed | None:
    if not file.data:
        return Failed("empty_file", f"{file.name}: the file is empty")
    if len(file.data) > FILE_BYTES:
        return Failed("file_too_large", f"{file.name}: {len(file.data)} bytes, at most {FILE_BYTES} are allowed")
    return None


def plan(outgoing: Outgoing) -> list[Part]:
    """The calls in order: files first, the text as caption only of a single file and only if it fits."""
    text = outgoing.text if outgoing.text.strip() else ""
    groups = list(groups_of(outgoing.files))
    if len(outgoing.files) == 1 and len(text) <= CAPTION_LIMIT:
        return [Part(text, groups[0].files, groups[0].as_photo)]
    return [*groups, *([Part(text, markup=keyboard(outgoing))] if text else [])]


SHARE_PHONE = "Поделиться номером телефона"


def keyboard(outgoing: Outgoing) -> Mapping[str, Any] | None:
    """ReplyKeyboardMarkup: a pressed button says its label. ReplyKeyboardRemove when there is nothing to choose any more."""
    if outgoing.choices is None:
        return None
    rows: list[list[Mapping[str, Any]]] = [[{"text": SHARE_PHONE, "request_contact": True}]] if outgoing.asks_phone else []
    rows += [[{"text": label}] for label in outgoing.choices]
    return {"keyboard": rows, "resize_keyboard": True, "one_time_keyboard": True} if rows else {"remove_keyboard": True}


def groups_of(files: Sequence[OutgoingFile]) -> Iterator[Part]:
    """Photos and documents apart: a media group of documents may hold nothing else."""
    for as_photo in (True, False):
        alike = [file for file in files if is_photo(file) is as_photo]
        for start in range(0, len(alike), GROUP_SIZE):
            yield Part(files=tuple(alike[start : start + GROUP_SIZE]), as_photo=as_photo)


def is_photo(file: OutgoingFile) -> bool:
    return file.mime in PHOTO_TYPES and len(file.data) <= PHOTO_BYTES


def message_number(external_id: str) -> int | None:
    """The message_id inside our `<chat>:<message_id>`; None for ids of another make (a pressed button has no message)."""
    found = re.fullmatch(r"(?:-?\d{1,16}:)?(\d{1,16})", external_id)
    return int(found[1]) if found and int(found[1]) else None


def chat_of(recipient: str) -> int | str:
    """chat_id as the Bot API types it: a number, or `@name` of a channel."""
    return int(recipient) if re.fullmatch(r"-?\d{1,16}", recipient) else recipient
