"""One message out (https://dev.max.ru/docs-api/methods/POST/messages): its uploads, its calls, and what their answers make of it."""

import re
import time
from collections.abc import Mapping, Sequence
from typing import Any

import httpx

from omni.channels.contract import AccountConfig, Capabilities, Failed, Outgoing, OutgoingFile, Retry, SendResult, Sent
from omni.channels.http import unanswered
from omni.channels.json_fields import JsonObject, object_at, text_at
from omni.channels.keyboards import Keyboard
from omni.channels.max.client import DEFAULT_BASE, Answer, call
from omni.channels.max.errors import NOT_READY, verdict
from omni.channels.social.files import upload
from omni.channels.social.sending import NotUploaded, Part, refusal, send_parts

CAPABILITIES = Capabilities(
    private=True,
    per_second=30,  # https://dev.max.ru/docs-api: 30 calls a second
    text_limit=4000,
    caption_limit=4000,
    attachments=True,
    attachment_bytes=50 * 1024 * 1024,
    attachments_per_message=10,
    # https://dev.max.ru/docs-api, inline keyboard: 30 rows; a row of ours is one button, so that long labels are read whole.
    keyboards=(Keyboard(30),),
)
PICTURES = frozenset({"image/jpeg", "image/png", "image/gif", "image/bmp", "image/tiff", "image/heic"})
READY_PAUSES = (1.0, 2.0, 4.0)
"""Seconds until a fresh upload is asked for again; the vendor gives no number."""


def send(outgoing: Outgoing, account: AccountConfig) -> SendResult:
    """Send all parts in order; the first that fails ends it. Sent ids are MAX's message ids."""
    if failed := refusal(outgoing, CAPABILITIES, account, token="bot_token"):  # noqa: S106 - the secret's name
        return failed
    if not re.fullmatch(r"-?\d{1,19}", outgoing.recipient.strip()):
        return Failed("no_recipient", "the recipient is no chat of MAX")
    return send_parts(plan(outgoing), outgoing, lambda part, reply_to: _send_part(part, outgoing.recipient.strip(), reply_to, account))


def plan(outgoing: Outgoing) -> list[Part]:
    """Pictures together, every other file alone as the vendor demands; the text goes with the only part, else after all of them."""
    text = outgoing.text if outgoing.text.strip() else ""
    pictures = [file for file in outgoing.files if file.mime in PICTURES]
    parts = [Part(files=pictures)] if pictures else []
    parts += [Part(files=(file,)) for file in outgoing.files if file.mime not in PICTURES]
    if len(parts) <= 1:
        return [Part(text, parts[0].files if parts else (), choices=outgoing.choices or ())]
    return [*parts, *([Part(text, choices=outgoing.choices or ())] if text else [])]


def _send_part(part: Part, chat: str, reply_to: str, account: AccountConfig) -> SendResult:
    try:
        attachments = [_attachment(file, account) for file in part.files]
    except NotUploaded as fault:
        return fault.result
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return NotUploaded(unanswered(error)).result
    attachments += [_keyboard(part.choices)] if part.choices else []
    link = {"type": "reply", "mid": reply_to} if _is_message(reply_to) else None
    body = {"text": part.text or None, "attachments": attachments, "link": link, "notify": True}
    try:
        answer = _posted(account, chat, body)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return unanswered(error)
    return _taken(answer) if answer.accepted else verdict(answer)


def _keyboard(labels: Sequence[str]) -> Mapping[str, Any]:
    """Buttons under the message; the event of a pressed one carries its payload, which is the label."""
    return {"type": "inline_keyboard", "payload": {"buttons": [[{"type": "callback", "text": one, "payload": one}] for one in labels]}}


def _is_message(external_id: str) -> bool:
    """Pressed buttons and the like have ids of ours, which MAX does not know."""
    return bool(re.fullmatch(r"mid[.:]?[A-Za-z0-9_.\-]{1,200}", external_id))


def _posted(account: AccountConfig, chat: str, body: JsonObject) -> Answer:
    """The call, repeated while MAX still works on an attachment: it says so before it takes the message."""
    answer = call(account, "POST", "/messages", query={"chat_id": chat}, body=body)
    for pause in READY_PAUSES:
        if answer.code != NOT_READY:
            break
        time.sleep(pause)
        answer = call(account, "POST", "/messages", query={"chat_id": chat}, body=body)
    return answer


def _taken(answer: Answer) -> SendResult:
    mid = text_at(object_at(object_at(answer.body or {}, "message"), "body"), "mid")
    return Sent((mid,)) if mid else Retry("garbled_answer", "accepted, but the answer names no message", unknown=True)


def _attachment(file: OutgoingFile, account: AccountConfig) -> Mapping[str, Any]:
    """Upload a file and name it as messages do. Raises NotUploaded, httpx.HTTPError, httpx.InvalidURL."""
    kind = "image" if file.mime in PICTURES else "file"
    asked = call(account, "POST", "/uploads", query={"type": kind})
    if not asked.accepted:
        raise NotUploaded(verdict(asked))
    address = text_at(asked.body or {}, "url")
    if not address:
        raise NotUploaded(Retry("garbled_answer", "no address to upload to"))
    taken = upload(account, address, "data", file, base=DEFAULT_BASE)
    payload = _payload(kind, taken, asked.body or {})
    if payload is None:
        raise NotUploaded(Failed("file_refused", f"{file.name}: {text_at(taken, 'message') or 'the upload server took no file'}"))
    return {"type": kind, "payload": payload}


def _payload(kind: str, taken: JsonObject, asked: JsonObject) -> Mapping[str, Any] | None:
    """Pictures are named by the tokens of the upload server, files by its token or the one given before."""
    if kind == "image" and (photos := object_at(taken, "photos")):
        return {"photos": dict(photos)}
    token = text_at(taken, "token") or text_at(asked, "token")
    return {"token": token} if token else None
