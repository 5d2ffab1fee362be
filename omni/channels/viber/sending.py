"""One message out (https://developers.viber.com/docs/api/rest-bot-api/#send-message). There is no upload: Viber fetches our files."""

import html
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from omni.channels.contract import AccountConfig, Capabilities, Failed, Outgoing, OutgoingFile, Reason, Retry, SendResult, Sent
from omni.channels.http import unanswered
from omni.channels.json_fields import identifier_at, storable
from omni.channels.keyboards import Keyboard
from omni.channels.parts import send_parts
from omni.channels.published import address_of
from omni.channels.viber.client import Answer, call, token_of
from omni.channels.viber.errors import verdict

TEXT_LIMIT, CAPTION_LIMIT, SENDER_LIMIT, NAME_LIMIT = 7000, 768, 28, 256
MEGABYTE = 1024 * 1024
PICTURE_BYTES, VIDEO_BYTES, FILE_BYTES = 1 * MEGABYTE, 26 * MEGABYTE, 50 * MEGABYTE
JSON_BYTES = 30 * 1024
FILE_DAYS = 30

CAPABILITIES = Capabilities(
    private=True,
    text_limit=TEXT_LIMIT,
    caption_limit=CAPTION_LIMIT,
    attachments=True,
    attachment_bytes=FILE_BYTES,
    attachments_per_message=10,
    delivery_receipts=True,
    read_receipts=True,
    # https://developers.viber.com/docs/tools/keyboards: 24 rows; a row of ours is one button.
    keyboards=(Keyboard(24),),
)


@dataclass(frozen=True)
class Part:
    """One message at Viber: a text, or one file; a picture may have a text under it."""

    text: str = ""
    file: OutgoingFile | None = None
    choices: Sequence[str] = ()


def send(outgoing: Outgoing, account: AccountConfig) -> SendResult:
    """Send all parts in order; the first that fails ends it. Ids are the message tokens as text."""
    refused = refusal(outgoing) or account_refusal(account)
    if refused:
        return refused
    return send_parts(plan(outgoing), outgoing, lambda part, _: send_part(part, outgoing, account))


def account_refusal(account: AccountConfig) -> Failed | None:
    if token_of(account):
        return None
    return Failed("token_missing", "the channel account has no usable token", Reason.ACCOUNT_REFUSED)


def refusal(outgoing: Outgoing) -> Failed | None:
    """Why this message can never be sent, else None. Texts are refused over the limit, never cut."""
    text = outgoing.text
    if outgoing.template is not None:
        return Failed("no_templates", "this channel knows no templates")
    if not outgoing.recipient.strip():
        return Failed("no_recipient", "nobody to send to")
    if len(text) > TEXT_LIMIT or len(text.encode("utf-8", "replace")) > JSON_BYTES - 1024:
        return Failed("text_too_long", f"{len(text)} characters, at most {TEXT_LIMIT} are allowed", Reason.TOO_LONG)
    if storable(text) != text:
        return Failed("unsendable_text", "the text has NUL or half characters")
    if not text.strip() and not outgoing.files:
        return Failed("empty", "neither text nor files")
    return next((refused for file in outgoing.files if (refused := file_refusal(file))), None)


def file_refusal(file: OutgoingFile) -> Failed | None:
    if not file.data:
        return Failed("empty_file", f"{file.name}: the file is empty")
    if len(file.data) > FILE_BYTES:
        return Failed("file_too_large", f"{file.name}: {len(file.data)} bytes, at most {FILE_BYTES} are allowed")
    return None


def plan(outgoing: Outgoing) -> list[Part]:
    """The parts in order: files first, the text under a picture only if it is the only file and the text fits."""
    text = outgoing.text if outgoing.text.strip() else ""
    if len(outgoing.files) == 1 and len(text) <= CAPTION_LIMIT and media_type(outgoing.files[0]) == "picture":
        return [Part(text, outgoing.files[0])]
    return [*(Part(file=file) for file in outgoing.files), *([Part(text, choices=outgoing.choices or ())] if text else [])]


def media_type(file: OutgoingFile) -> str:
    """Type of the message: what is too large for a picture or a video goes as a file."""
    if file.mime in ("image/jpeg", "image/png") and len(file.data) <= PICTURE_BYTES:
        return "picture"
    return "video" if file.mime == "video/mp4" and len(file.data) <= VIDEO_BYTES else "file"


def send_part(part: Part, outgoing: Outgoing, account: AccountConfig) -> SendResult:
    # tracking_data comes back with the guest's next message.
    fields = {"receiver": outgoing.recipient, "min_api_version": 1, "sender": sender_of(account), "tracking_data": outgoing.key}
    try:
        answer = call(account, "send_message", fields | content_fields(part, account))
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return unanswered(error)
    return taken(answer) if answer.accepted else verdict(answer)


def sender_of(account: AccountConfig) -> dict[str, str]:
    """Who the guest sees above the answer; the name is required."""
    name = str(account.settings.get("sender_name") or "").strip()[:SENDER_LIMIT] or "Support"
    avatar = str(account.settings.get("sender_avatar") or "")
    return {"name": name} | ({"avatar": avatar} if avatar else {})


def content_fields(part: Part, account: AccountConfig) -> dict[str, Any]:
    if part.file is None:
        return {"type": "text", "text": part.text} | ({"keyboard": keyboard(part.choices)} if part.choices else {})
    kind = media_type(part.file)
    lasting = timedelta(days=float(account.settings.get("file_days") or FILE_DAYS))
    fields: dict[str, Any] = {"type": kind, "media": address_of(part.file, now=datetime.now(UTC), lasting=lasting)}
    if kind == "picture":
        return fields | {"text": part.text}
    return fields | {"size": len(part.file.data)} | ({"file_name": file_name(part.file)} if kind == "file" else {})


def keyboard(labels: Sequence[str]) -> dict[str, Any]:
    """A keyboard in place of the guest's own: a pressed button says its label. It goes away with the next message of ours."""
    common = {"Columns": 6, "Rows": 1, "ActionType": "reply"}
    # The text of a button may have HTML in it, the body is what the guest is taken to say.
    buttons = [common | {"ActionBody": label, "Text": html.escape(label, quote=False)} for label in labels]
    return {"Type": "keyboard", "DefaultHeight": False, "Buttons": buttons}


def file_name(file: OutgoingFile) -> str:
    """At most 256 characters with the extension, without which Viber shows no file."""
    stem, dot, extension = (file.name or "file").rpartition(".")
    if not dot or not stem:
        return f"{(file.name or 'file')[: NAME_LIMIT - 4]}.bin"
    return f"{stem[: NAME_LIMIT - len(extension) - 1]}.{extension}"[-NAME_LIMIT:]


def taken(answer: Answer) -> SendResult:
    token = identifier_at(answer.body or {}, "message_token")
    return Sent((token,)) if token else Retry("garbled_answer", "accepted, but the answer names no message", unknown=True)
