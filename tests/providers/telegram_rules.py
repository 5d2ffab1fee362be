"""The documented rules of Bot API calls (https://core.telegram.org/bots/api): parameters, their types, sizes, pictures."""

import html
import json
import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from tests.providers.frame import Request

TEXT_LIMIT, CAPTION_LIMIT = 4096, 1024
PHOTO_BYTES, FILE_BYTES, DOWNLOAD_BYTES = 10 * 1024**2, 50 * 1024**2, 20 * 1024**2
PORTS = (443, 80, 88, 8443)
UPDATE_KINDS = frozenset(
    {"message", "edited_message", "channel_post", "edited_channel_post", "business_connection", "business_message"}
    | {"edited_business_message", "deleted_business_messages", "message_reaction", "message_reaction_count", "inline_query"}
    | {"chosen_inline_result", "callback_query", "shipping_query", "pre_checkout_query", "poll", "poll_answer", "my_chat_member"}
    | {"chat_member", "chat_join_request", "chat_boost", "removed_chat_boost", "purchased_paid_media"}
)
BY_REQUEST_ONLY = frozenset({"chat_member", "message_reaction", "message_reaction_count"})

SHARED = {"business_connection_id": "str", "message_thread_id": "int", "disable_notification": "bool", "protect_content": "bool"}
SHARED |= {"message_effect_id": "str", "reply_parameters": "object", "allow_paid_broadcast": "bool"}
MARKED = {"parse_mode": "str", "reply_markup": "object"}
CAPTIONED = {"caption": "str", "caption_entities": "array", "show_caption_above_media": "bool"}

METHODS: Mapping[str, Mapping[str, str]] = {
    "getMe": {},
    "getWebhookInfo": {},
    "deleteWebhook": {"drop_pending_updates": "bool"},
    "setWebhook": {"url": "str!", "secret_token": "str", "allowed_updates": "array", "max_connections": "int"}
    | {"drop_pending_updates": "bool", "ip_address": "str", "certificate": "file"},
    "sendMessage": {"chat_id": "chat!", "text": "str!", "entities": "array", "link_preview_options": "object"} | SHARED | MARKED,
    "sendPhoto": {"chat_id": "chat!", "photo": "file!", "has_spoiler": "bool"} | SHARED | MARKED | CAPTIONED,
    "sendDocument": {"chat_id": "chat!", "document": "file!", "thumbnail": "file", "disable_content_type_detection": "bool"}
    | SHARED
    | MARKED
    | CAPTIONED,
    "sendMediaGroup": {"chat_id": "chat!", "media": "array!"} | SHARED,
    "editMessageText": {"chat_id": "chat", "message_id": "int", "inline_message_id": "str", "text": "str!", "entities": "array"}
    | {"link_preview_options": "object", "business_connection_id": "str"}
    | MARKED,
    "deleteMessage": {"chat_id": "chat!", "message_id": "int!"},
    "sendChatAction": {"chat_id": "chat!", "action": "str!", "message_thread_id": "int", "business_connection_id": "str"},
    "getFile": {"file_id": "str!"},
    "answerCallbackQuery": {"callback_query_id": "str!", "text": "str", "show_alert": "bool", "url": "str", "cache_time": "int"},
}
"""Method -> parameter -> documented type; `!` = required."""

ACTIONS = frozenset(
    {"typing", "upload_photo", "record_video", "upload_video", "record_voice", "upload_voice", "upload_document"}
    | {"choose_sticker", "find_location", "record_video_note", "upload_video_note"}
)


class BotError(Exception):
    """An error answer of the Bot API."""

    def __init__(self, code: int, description: str, **parameters: Any) -> None:
        super().__init__(description)
        self.code = code
        self.description = description
        self.parameters = parameters


@dataclass(frozen=True)
class Upload:
    name: str
    mime: str
    data: bytes


@dataclass
class Call:
    """A call as understood: typed parameters, uploaded files by field, rules it broke."""

    method: str
    params: dict[str, Any] = field(default_factory=dict)
    uploads: dict[str, Upload] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)


def read_call(call: Call, request: Request) -> None:
    """Fill the call from a request: JSON, form, multipart or query. Raises BotError for a body that is none of them."""
    content_type = request.headers.get("content-type", "")
    call.params |= request.query
    if content_type.startswith("application/json"):
        call.params |= json_params(request)
    elif content_type.startswith("multipart/form-data"):
        read_multipart(call, request.body, content_type)
    elif content_type.startswith("application/x-www-form-urlencoded"):
        call.params |= dict(parse_qsl(request.body.decode()))
    elif request.body:
        call.broken.append(f"{call.method}: body of the type {content_type}")
        raise BotError(400, "Bad Request: unsupported content type")
    check_types(call, native=content_type.startswith("application/json"))


def json_params(request: Request) -> dict[str, Any]:
    try:
        value = request.json()
    except ValueError as error:
        raise BotError(400, "Bad Request: can't parse JSON object") from error
    if not isinstance(value, dict):
        raise BotError(400, "Bad Request: object expected")
    return value


def read_multipart(call: Call, body: bytes, content_type: str) -> None:
    """Fields and files of a multipart body (RFC 7578); file names are UTF-8 as clients write them (WHATWG form-data)."""
    boundary = re.search(r'boundary="?([^";]+)"?', content_type)
    if not boundary:
        raise BotError(400, "Bad Request: multipart without a boundary")
    for part in (b"\r\n" + body).split(b"\r\n--" + boundary[1].encode())[1:-1]:
        head, _, data = part.partition(b"\r\n\r\n")
        found = dict(re.findall(r'(\bname|filename|Content-Type)[=:] ?"?([^"\r\n;]*)', head.decode()))
        if "filename" in found:
            call.uploads[found["name"]] = Upload(found["filename"], found.get("Content-Type", ""), data)
        else:
            call.params[found["name"]] = data.decode()


def check_types(call: Call, *, native: bool) -> None:
    """Compare parameters with METHODS; objects written as JSON text are decoded. Deviations are noted, missing ones raise BotError."""
    documented = METHODS[call.method]
    attached = {name for name in call.uploads if f"attach://{name}" in json.dumps(call.params)}
    unknown = {*call.params, *call.uploads} - {*documented, *attached}
    call.broken += [f"{call.method}: unknown parameter {name}" for name in sorted(unknown)]
    for name, kind in documented.items():
        if name in call.params:
            call.params[name] = typed(call, name, kind.rstrip("!"), native=native)
        elif kind.endswith("!") and name not in call.uploads:
            call.broken.append(f"{call.method}: {name} is missing")
            raise BotError(400, f"Bad Request: {name.replace('_', ' ')} is empty")


DECODED: Mapping[str, tuple[type, ...]] = {"int": (int,), "bool": (bool,), "object": (dict,), "array": (list,), "chat": (int, str)}


def typed(call: Call, name: str, kind: str, *, native: bool) -> Any:
    value = call.params[name]
    if kind in ("int", "bool", "object", "array") and isinstance(value, str):
        if native:
            call.broken.append(f"{call.method}: {name} is text, {kind} is documented")
        value = decoded(name, value)
    if kind == "chat" and isinstance(value, str) and re.fullmatch(r"-?\d+", value):
        value = int(value)
    wanted = DECODED.get(kind, (str,))
    if not isinstance(value, wanted) or (isinstance(value, bool) and bool not in wanted):
        call.broken.append(f"{call.method}: {name} is {type(value).__name__}, {kind} is documented")
        raise BotError(400, f"Bad Request: {name} has a wrong type")
    return value


def decoded(name: str, value: str) -> Any:
    try:
        return json.loads(value)
    except ValueError as error:
        raise BotError(400, f"Bad Request: can't parse {name}: expected JSON") from error


def plain(text: str, parse_mode: str) -> str:
    """The text after entity parsing. Raises BotError for unbalanced HTML and modes this server does not know."""
    if not parse_mode:
        return text
    if parse_mode.upper() != "HTML":
        raise BotError(400, "Bad Request: unsupported parse_mode")
    still_open: list[str] = []
    for closing, tag in re.findall(r"<(/?)([a-z-]+)[^<>]*>", text):
        if not closing:
            still_open.append(tag)
        elif not still_open or still_open.pop() != tag:
            raise BotError(400, "Bad Request: can't parse entities: unexpected end tag")
    stripped = re.sub(r"</?[a-z-]+[^<>]*>", "", text)
    if still_open or "<" in stripped:
        raise BotError(400, "Bad Request: can't parse entities: unsupported start tag")
    return html.unescape(stripped)


def checked_text(call: Call) -> str:
    """1-4096 characters after entity parsing; code points, as the real server was measured to count."""
    text = plain(call.params["text"], call.params.get("parse_mode", ""))
    if not text.strip():
        call.broken.append(f"{call.method}: empty text")
        raise BotError(400, "Bad Request: message text is empty")
    if len(text) > TEXT_LIMIT:
        call.broken.append(f"{call.method}: {len(text)} characters of text")
        raise BotError(400, "Bad Request: message is too long")
    return text


def checked_caption(call: Call, source: Mapping[str, Any]) -> str:
    caption = plain(source.get("caption", ""), source.get("parse_mode", ""))
    if len(caption) > CAPTION_LIMIT:
        call.broken.append(f"{call.method}: {len(caption)} characters of caption")
        raise BotError(400, "Bad Request: message caption is too long")
    return caption


def checked_upload(call: Call, upload: Upload, *, photo: bool) -> Upload:
    """Sizes, and for a photo its picture: width + height <= 10000, ratio <= 20."""
    if not upload.data:
        call.broken.append(f"{call.method}: empty file")
        raise BotError(400, "Bad Request: file must be non-empty")
    limit = PHOTO_BYTES if photo else FILE_BYTES
    if len(upload.data) > limit:
        call.broken.append(f"{call.method}: {len(upload.data)} bytes, at most {limit}")
        raise BotError(413, "Request Entity Too Large")
    if photo:
        check_picture(picture_size(upload.data))
    return upload


def check_picture(size: tuple[int, int] | None) -> None:
    if size is None:
        raise BotError(400, "Bad Request: IMAGE_PROCESS_FAILED")
    width, height = size
    if width + height > 10000 or max(size) > 20 * min(size):
        raise BotError(400, "Bad Request: PHOTO_INVALID_DIMENSIONS")


def picture_size(data: bytes) -> tuple[int, int] | None:
    """Width and height of a PNG (IHDR) or JPEG (SOF segment); None for anything else."""
    if data.startswith(b"\x89PNG\r\n\x1a\n") and len(data) >= 24:
        width, height = struct.unpack(">II", data[16:24])
        return (width, height) if width and height else None
    segment = rb"\xff[\xc0-\xc3\xc5-\xc7\xc9-\xcb\xcd-\xcf].{3}(.{4})"
    found = re.search(segment, data, re.DOTALL) if data.startswith(b"\xff\xd8\xff") else None
    height, width = struct.unpack(">HH", found[1]) if found else (0, 0)
    return (width, height) if width and height else None
