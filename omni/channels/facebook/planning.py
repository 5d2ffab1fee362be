"""Which calls one answer takes (Messenger Platform, Send API; Graph API, comments)."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from omni.channels.contract import Capabilities, Failed, Outgoing, OutgoingFile
from omni.channels.facebook.feed import COMMENT
from omni.channels.keyboards import Keyboard
from omni.channels.meta.graph import message_refusal

TEXT_LIMIT, COMMENT_LIMIT = 2000, 8000
FILE_BYTES = 25 * 1024 * 1024

CAPABILITIES = Capabilities(
    text_limit=TEXT_LIMIT,
    attachments=True,
    attachment_bytes=FILE_BYTES,
    attachments_per_message=10,
    # No reply_window: comments have none, and whether Messenger's is 24 hours or 7 days is a permission of the page.
    delivery_receipts=True,
    tells_our_key=True,
    # Send API, quick replies: 13 of 20 characters.
    keyboards=(Keyboard(13, 20),),
)


@dataclass(frozen=True)
class Part:
    """One call: a text or a file; a comment may carry both. `choices` are buttons under a text in Messenger."""

    text: str = ""
    file: OutgoingFile | None = None
    choices: Sequence[str] = ()


def comment_of(outgoing: Outgoing) -> str:
    """The comment or post to answer under: the one answered, else that of the address; empty for Messenger."""
    if not outgoing.recipient.startswith(COMMENT):
        return ""
    for written in (outgoing.reply_to, outgoing.recipient.removeprefix(COMMENT)):
        if re.fullmatch(r"\d{1,30}(_\d{1,30})?", written):
            return written
    return ""


def refusal(outgoing: Outgoing) -> Failed | None:
    """Why this message can never be sent, else None."""
    if outgoing.template is not None:
        return Failed("no_templates", "this channel knows no templates")
    public = outgoing.recipient.startswith(COMMENT)
    if public and not comment_of(outgoing):
        return Failed("no_recipient", "the comment's id is none")
    if public and any(not is_picture(file) for file in outgoing.files):
        return Failed("file_type", "a comment takes pictures only")
    return message_refusal(outgoing, text_limit=COMMENT_LIMIT if public else TEXT_LIMIT, file_limit=FILE_BYTES)


def plan(outgoing: Outgoing) -> list[Part]:
    """The parts in order: files first. Messenger takes text and files apart, a comment takes a picture with its text."""
    text = outgoing.text if outgoing.text.strip() else ""
    if outgoing.recipient.startswith(COMMENT) and outgoing.files:
        first, *others = outgoing.files
        return [Part(text, first), *(Part(file=file) for file in others)]
    return [*(Part(file=file) for file in outgoing.files), *([Part(text, choices=outgoing.choices or ())] if text else [])]


def is_picture(file: OutgoingFile) -> bool:
    return file.mime in ("image/jpeg", "image/png", "image/gif")


def media_type(file: OutgoingFile) -> str:
    """The attachment type of the Send API."""
    kind = file.mime.partition("/")[0]
    return kind if is_picture(file) or kind in ("video", "audio") else "file"
