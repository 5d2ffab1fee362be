"""Which calls one outgoing message takes (Cloud API, messages and media; sizes by the page on supported media types)."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from omni.channels.contract import Capabilities, Failed, Outgoing, OutgoingFile, Template
from omni.channels.json_fields import storable
from omni.channels.keyboards import Keyboard, keyboard_for
from omni.channels.meta.graph import message_refusal

TEXT_LIMIT, CAPTION_LIMIT = 4096, 1024
MEGABYTE = 1024 * 1024
FILE_BYTES = 100 * MEGABYTE
CAPTIONED = frozenset({"image", "video", "document"})
OFFICE = "application/vnd.openxmlformats-officedocument"
SORTS: Mapping[str, tuple[int, tuple[str, ...]]] = {
    "image": (5 * MEGABYTE, ("image/jpeg", "image/png")),
    "video": (16 * MEGABYTE, ("video/mp4", "video/3gpp")),
    "audio": (16 * MEGABYTE, ("audio/aac", "audio/amr", "audio/mp4", "audio/mpeg", "audio/ogg")),
    "document": (
        FILE_BYTES,
        (
            "application/pdf",
            "text/plain",
            *(f"application/{name}" for name in ("msword", "vnd.ms-excel", "vnd.ms-powerpoint")),
            *(f"{OFFICE}.{name}" for name in ("wordprocessingml.document", "spreadsheetml.sheet", "presentationml.presentation")),
        ),
    ),
}
"""Type of a message: most bytes, MIME types. There are no others: what is not listed is refused at the upload."""
MEDIA = {mime: (sort, limit) for sort, (limit, mimes) in SORTS.items() for mime in mimes}

BUTTONS, LIST = "button", "list"
LIST_TITLE = "Варианты"
"""On the button that opens a list."""

CAPABILITIES = Capabilities(
    private=True,
    # Throughput and pair rate limit of the Cloud API: 80 a second, one in six seconds to one user beyond a burst.
    per_second=80,
    per_chat_per_second=1 / 6,
    text_limit=TEXT_LIMIT,
    caption_limit=CAPTION_LIMIT,
    attachments=True,
    attachment_bytes=FILE_BYTES,
    attachments_per_message=10,
    reply_window=timedelta(hours=24),
    templates=True,
    delivery_receipts=True,
    read_receipts=True,
    tells_our_key=True,
    # Interactive reply buttons and list messages.
    keyboards=(Keyboard(3, 20, CAPTION_LIMIT, BUTTONS), Keyboard(10, 24, CAPTION_LIMIT, LIST)),
)


@dataclass(frozen=True)
class Part:
    """One message at WhatsApp: a text with or without buttons, one file with or without a caption, or a template."""

    text: str = ""
    file: OutgoingFile | None = None
    template: Template | None = None
    choices: Sequence[str] = ()


def refusal(outgoing: Outgoing) -> Failed | None:
    """Why this message can never be sent, else None."""
    template = outgoing.template
    if template is not None and not (template.name and template.language):
        return Failed("template_unnamed", "a template needs its name and language")
    if template is not None and any(not value.strip() or storable(value) != value for value in template.parameters):
        return Failed("template_parameter", "a place of the template would stay empty")
    refused = message_refusal(outgoing, text_limit=TEXT_LIMIT, file_limit=FILE_BYTES)
    return refused or next((found for file in outgoing.files if (found := file_refusal(file))), None)


def file_refusal(file: OutgoingFile) -> Failed | None:
    mime = upload_type(file)
    if not mime:
        return Failed("file_type", f"{file.name}: WhatsApp takes no files of the type {file.mime or 'unknown'}")
    sort, limit = MEDIA[mime]
    if len(file.data) > limit:
        return Failed("file_too_large", f"{file.name}: {len(file.data)} bytes, at most {limit} are allowed for {sort}")
    return None


def upload_type(file: OutgoingFile) -> str:
    """The MIME type to upload as; empty if WhatsApp takes no such file. Any text goes as plain text, Ogg only with Opus in it."""
    if file.mime == "audio/ogg":
        return file.mime if b"OpusHead" in file.data[:64] else ""
    if file.mime in MEDIA:
        return file.mime
    return "text/plain" if file.mime.startswith("text/") else ""


def plan(outgoing: Outgoing) -> list[Part]:
    """The parts in order: files first, the text as caption only of a single file that can bear one and only if it fits."""
    if outgoing.template is not None:
        return [Part(template=outgoing.template)]
    text = outgoing.text if outgoing.text.strip() else ""
    if len(outgoing.files) == 1 and len(text) <= CAPTION_LIMIT and media_type(outgoing.files[0]) in CAPTIONED:
        return [Part(text, outgoing.files[0])]
    return [*(Part(file=file) for file in outgoing.files), *([Part(text, choices=outgoing.choices or ())] if text else [])]


def media_type(file: OutgoingFile) -> str:
    return MEDIA[upload_type(file)][0]


def recipient_fields(recipient: str) -> dict[str, str]:
    """A telephone number goes into `to`, a business-scoped user id (`RU.123`, `RU.ENT.123`) into `recipient`."""
    if re.fullmatch(r"[A-Z]{2}\.[\w.]+", recipient):
        return {"recipient": recipient}
    return {"to": recipient.lstrip("+")}


def content_fields(part: Part, media_id: str) -> dict[str, Any]:
    """`type` and its object for one part; `media_id` names the uploaded file."""
    if part.template is not None:
        return {"type": "template", "template": template_fields(part.template)}
    if part.file is None and (form := keyboard_for(CAPABILITIES.keyboards, part.choices, part.text)):
        return {"type": "interactive", "interactive": interactive_fields(part, form)}
    if part.file is None:
        return {"type": "text", "text": {"body": part.text, "preview_url": False}}
    kind = media_type(part.file)
    media = {"id": media_id} | ({"caption": part.text} if part.text else {})
    return {"type": kind, kind: media | ({"filename": part.file.name or "file"} if kind == "document" else {})}


def interactive_fields(part: Part, form: Keyboard) -> dict[str, Any]:
    """Up to three buttons, or a list that opens: either comes back with the title of what was chosen."""
    body = {"type": form.form, "body": {"text": part.text}}
    rows = [{"id": str(number), "title": label} for number, label in enumerate(part.choices, 1)]
    if form.form == BUTTONS:
        return body | {"action": {"buttons": [{"type": "reply", "reply": row} for row in rows]}}
    return body | {"action": {"button": LIST_TITLE, "sections": [{"rows": rows}]}}


def template_fields(template: Template) -> dict[str, Any]:
    values = [{"type": "text", "text": value} for value in template.parameters]
    components = [{"type": "body", "parameters": values}] if values else []
    return {
        "name": template.name,
        "language": {"code": template.language, "policy": "deterministic"},
        **({"components": components} if components else {}),
    }
