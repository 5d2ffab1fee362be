"""One message out (https://apiok.ru/dev/graph_api/methods/graph.user/graph.user.messages/post), its files first."""

import re
import time
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

import httpx
from django.utils.translation import gettext as _

from omni.channels.contract import AccountConfig, Capabilities, Failed, Outgoing, OutgoingFile, Retry, SendResult, Sent
from omni.channels.http import unanswered
from omni.channels.json_fields import JsonObject, object_at, text_at
from omni.channels.keyboards import Keyboard
from omni.channels.ok.client import DEFAULT_BASE, Answer, call
from omni.channels.ok.comments import PUBLIC
from omni.channels.ok.errors import verdict
from omni.channels.social.files import upload
from omni.channels.social.sending import NotUploaded, refusal

CAPABILITIES = Capabilities(
    text_limit=4000,
    attachments=True,
    attachment_bytes=50 * 1024 * 1024,
    # "Максимальное количество всех приложений 5."
    attachments_per_message=5,
    # https://apiok.ru/en/dev/graph_api/methods/graph.user/graph.user.messages/post describes INLINE_KEYBOARD and limits nothing but
    # attachments (5): no more buttons than the dialogues of ours can have.
    keyboards=(Keyboard(12),),
)
PICTURES = frozenset({"image/jpeg", "image/png", "image/gif"})
UPLOAD_PAUSE = 2.0
"""Seconds the vendor wants ("a couple of seconds") before a fresh upload is sent."""


def send(outgoing: Outgoing, account: AccountConfig) -> SendResult:
    """Text and files go in one call. The sent id is the vendor's message id."""
    if failed := refusal(outgoing, CAPABILITIES, account, token="access_token"):  # noqa: S106 - the secret's name
        return failed
    chat = outgoing.recipient.strip()
    if chat.startswith(PUBLIC):
        return Failed("cannot_be_answered", _("This source cannot be answered from here; the answer must be written on its own site."))
    if not re.fullmatch(r"chat:[A-Za-z0-9_-]{1,100}", chat):
        return Failed("no_recipient", "the recipient is no chat of Odnoklassniki")
    try:
        attachments = [_attachment(file, account) for file in outgoing.files]
    except NotUploaded as fault:
        return fault.result
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return NotUploaded(unanswered(error)).result
    if attachments:
        time.sleep(_pause(account))
    return _posted(account, chat, _body(outgoing, chat, attachments))


def _pause(account: AccountConfig) -> float:
    given = account.settings.get("upload_pause")
    return UPLOAD_PAUSE if given in (None, "") else max(0.0, min(float(str(given)), 30.0))


def _body(outgoing: Outgoing, chat: str, attachments: list[Mapping[str, Any]]) -> Mapping[str, Any]:
    message: dict[str, Any] = {"text": outgoing.text} if outgoing.text.strip() else {}
    if shown := [*attachments, *([_keyboard(outgoing.choices)] if outgoing.choices else [])]:
        message["attachments"] = shown[: CAPABILITIES.attachments_per_message]
    if outgoing.reply_to.startswith("mid:"):
        message["reply_to"] = outgoing.reply_to
    return {"recipient": {"chat_id": chat}, "message": message}


def _keyboard(labels: Sequence[str]) -> Mapping[str, Any]:
    """Buttons under the message. The event of a pressed one carries its payload and nothing else, so that is the label."""
    buttons = [[{"type": "CALLBACK", "text": label, "intent": "DEFAULT", "payload": label}] for label in labels]
    return {"type": "INLINE_KEYBOARD", "payload": {"keyboard": {"buttons": buttons}}}


def _posted(account: AccountConfig, chat: str, body: Mapping[str, Any]) -> SendResult:
    try:
        answer = call(account, "POST", f"me/messages/{quote(chat, safe=':')}", body=body)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return unanswered(error)
    return _taken(answer) if answer.accepted else verdict(answer)


def _taken(answer: Answer) -> SendResult:
    """The answer names the message; a plain `success` without a name is a success too."""
    body = answer.body or {}
    mid = text_at(body, "message_id") or text_at(body, "mid") or text_at(object_at(body, "message"), "mid")
    if mid:
        return Sent((mid,))
    return Sent(()) if body.get("success") is True else Retry("garbled_answer", "accepted, but the answer names no message", unknown=True)


def _attachment(file: OutgoingFile, account: AccountConfig) -> Mapping[str, Any]:
    """Upload a file and name it as messages do. Raises NotUploaded, httpx.HTTPError, httpx.InvalidURL."""
    kind = "IMAGE" if file.mime in PICTURES else "FILE"
    asked = call(account, "GET", "me/fileUploadUrl", query={"type": kind})
    if not asked.accepted:
        raise NotUploaded(verdict(asked))
    address = text_at(asked.body or {}, "url")
    if not address:
        raise NotUploaded(Retry("garbled_answer", "no address to upload to"))
    taken = upload(account, address, "data", file, base=DEFAULT_BASE)
    token = _token(kind, taken, asked.body or {})
    if not token:
        raise NotUploaded(Failed("file_refused", f"{file.name}: {text_at(taken, 'error_msg') or 'the upload server took no file'}"))
    return {"type": kind, "payload": {"token": token}}


def _token(kind: str, taken: JsonObject, asked: JsonObject) -> str:
    """A picture is named by the upload server, any other file by the token given before."""
    if kind != "IMAGE":
        return text_at(asked, "token")
    photos = object_at(taken, "photos")
    return next((token for photo in photos if (token := text_at(object_at(photos, photo), "token"))), "")
