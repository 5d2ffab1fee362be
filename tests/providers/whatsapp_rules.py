"""The documented rules of Cloud API messages and media: fields, their types and limits (Cloud API reference, messages, media)."""

import re
from collections.abc import Callable, Mapping
from typing import Any

TEXT_LIMIT, CAPTION_LIMIT, CALLBACK_LIMIT = 4096, 1024, 512
MEGABYTE = 1024 * 1024
OFFICE = "application/vnd.openxmlformats-officedocument."
OFFICE_TYPES = [f"{OFFICE}{name}" for name in ("wordprocessingml.document", "spreadsheetml.sheet", "presentationml.presentation")]
DOCUMENTS = [
    "application/pdf",
    "text/plain",
    "application/msword",
    "application/vnd.ms-excel",
    "application/vnd.ms-powerpoint",
    *OFFICE_TYPES,
]
MEDIA: Mapping[str, int] = {
    **dict.fromkeys(("image/jpeg", "image/png"), 5 * MEGABYTE),
    **dict.fromkeys(("video/mp4", "video/3gpp"), 16 * MEGABYTE),
    **dict.fromkeys(("audio/aac", "audio/mp4", "audio/mpeg", "audio/amr", "audio/ogg"), 16 * MEGABYTE),
    **dict.fromkeys(DOCUMENTS, 100 * MEGABYTE),
    "image/webp": 512 * 1024,
}
KINDS = {"image": "image/", "video": "video/", "audio": "audio/", "sticker": "image/webp", "document": ""}
COMMON = {"messaging_product", "recipient_type", "to", "recipient", "type", "context", "biz_opaque_callback_data"}
Check = Callable[[Any], bool]


def text_between(low: int, high: int) -> Check:
    return lambda value: isinstance(value, str) and low <= len(value) <= high


def broken_rules(message: Mapping[str, Any]) -> list[str]:
    """Every rule that the body of POST /messages breaks, apart from what the server's state decides."""
    kind = message.get("type", "text")
    wrong = [f"unknown field {name}" for name in sorted(set(message) - COMMON - {kind})]
    if message.get("messaging_product") != "whatsapp":
        wrong.append("messaging_product must be whatsapp")
    if message.get("recipient_type", "individual") != "individual":
        wrong.append("recipient_type must be individual")
    wrong += recipient_rules(message)
    if not text_between(0, CALLBACK_LIMIT)(message.get("biz_opaque_callback_data", "")):
        wrong.append(f"biz_opaque_callback_data: at most {CALLBACK_LIMIT} characters")
    content = message.get(kind)
    if not isinstance(content, dict):
        return [*wrong, f"{kind} is missing"]
    rules = CONTENT.get(kind)
    return wrong + (rules(content) if rules else [f"type {kind} is not sent by this product"])


def recipient_rules(message: Mapping[str, Any]) -> list[str]:
    if "to" in message:
        return [] if re.fullmatch(r"\+?\d{7,15}", str(message["to"])) else ["to must be a telephone number"]
    if re.fullmatch(r"[A-Z]{2}\.(ENT\.)?\w{1,128}", str(message.get("recipient", ""))):
        return []
    return ["neither to nor a business-scoped recipient"]


def text_rules(content: Mapping[str, Any]) -> list[str]:
    wrong = [] if text_between(1, TEXT_LIMIT)(content.get("body")) else [f"text.body: 1-{TEXT_LIMIT} characters"]
    return wrong if str(content.get("body", "")).strip() else [*wrong, "text.body is blank"]


def media_rules(kind: str) -> Callable[[Mapping[str, Any]], list[str]]:
    def rules(content: Mapping[str, Any]) -> list[str]:
        known = {"id", "link"} | ({"caption"} if kind in ("image", "video", "document") else set())
        known |= {"filename"} if kind == "document" else set()
        wrong = [f"{kind}: unknown field {name}" for name in sorted(set(content) - known)]
        if ("id" in content) == ("link" in content):
            wrong.append(f"{kind}: either id or link")
        if not text_between(0, CAPTION_LIMIT)(content.get("caption", "")):
            wrong.append(f"{kind}.caption: at most {CAPTION_LIMIT} characters")
        return wrong

    return rules


def template_rules(content: Mapping[str, Any]) -> list[str]:
    wrong = [] if re.fullmatch(r"[a-z0-9_]{1,512}", str(content.get("name", ""))) else ["template.name is wrong"]
    language = content.get("language")
    if not isinstance(language, dict) or not language.get("code") or language.get("policy", "deterministic") != "deterministic":
        wrong.append("template.language is wrong")
    for component in content.get("components", []):
        if component.get("type") not in ("header", "body", "button"):
            wrong.append(f"template: component of the type {component.get('type')}")
        for parameter in component.get("parameters", []):
            if parameter.get("type") != "text" or not str(parameter.get("text", "")).strip():
                wrong.append("template: a parameter must be a text that is not empty")
    return wrong


def interactive_rules(content: Mapping[str, Any]) -> list[str]:
    """Reply buttons (1-3, titles of 20) and lists (1-10 rows in all, titles of 24, descriptions of 72; a button of 20 opens them)."""
    kind, action = content.get("type"), content.get("action", {})
    wrong = [f"interactive: unknown field {name}" for name in sorted(set(content) - {"type", "header", "body", "footer", "action"})]
    if not text_between(1, 1024)(content.get("body", {}).get("text")):
        wrong.append("interactive.body.text: 1-1024 characters")
    if kind == "button":
        buttons = action.get("buttons", [])
        shown = [one.get("reply", {}) for one in buttons if one.get("type") == "reply"]
        wrong += [] if 1 <= len(buttons) <= 3 and len(shown) == len(buttons) else ["interactive: 1-3 buttons of the type reply"]
        return wrong + choice_rules(shown, 20)
    if kind == "list":
        sections = action.get("sections", [])
        rows = [row for section in sections for row in section.get("rows", [])]
        wrong += [] if text_between(1, 20)(action.get("button")) else ["interactive.action.button: 1-20 characters"]
        wrong += [] if 1 <= len(rows) <= 10 else ["interactive: 1-10 rows"]
        wrong += [] if len(sections) < 2 or all(section.get("title") for section in sections) else ["interactive: untitled sections"]
        return wrong + choice_rules(rows, 24)
    return [*wrong, f"interactive of the type {kind} is not sent by this product"]


def choice_rules(shown: list[Mapping[str, Any]], title: int) -> list[str]:
    fit = all(text_between(1, title)(one.get("title")) and text_between(1, 200)(one.get("id")) for one in shown)
    wrong = [] if fit else [f"interactive: titles of 1-{title}, ids of 1-200 characters"]
    for name in ("id", "title"):
        if len({one.get(name) for one in shown}) != len(shown):
            wrong.append(f"interactive: {name} given twice")
    return wrong


CONTENT: Mapping[str, Callable[[Mapping[str, Any]], list[str]]] = {
    "text": text_rules,
    "template": template_rules,
    "interactive": interactive_rules,
    **{kind: media_rules(kind) for kind in KINDS},
}


def upload_fault(mime: str, data: bytes) -> str:
    """Why a file is not taken; empty = it is."""
    if not data:
        return "the file is empty"
    if mime not in MEDIA or (mime == "audio/ogg" and b"OpusHead" not in data[:64]):
        return f"no file of the type {mime}"
    return f"{len(data)} bytes of {mime}" if len(data) > MEDIA[mime] else ""


def fits(kind: str, mime: str) -> bool:
    return mime.startswith(KINDS[kind])
