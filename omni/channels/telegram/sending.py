"""One message out: its calls, and what their answers make of it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import httpx

from omni.channels.contract import AccountConfig, Failed, Outgoing, OutgoingFile, Reason, Retry, SendResult, Sent
from omni.channels.json_fields import JsonObject, integer_at, object_at
from omni.channels.telegram.client import Answer, Upload, call
from omni.channels.telegram.errors import is_bad_picture, is_migration, unanswered, verdict
from omni.channels.telegram.planning import Part, chat_of, message_number, plan, refusal


def send(outgoing: Outgoing, account: AccountConfig) -> SendResult:
    """Send all parts in order; the first that fails ends it. Sent ids are `<chat id>:<message id>`."""
    refused = refusal(outgoing) or account_refusal(account)
    if refused:
        return refused
    parts = plan(outgoing)
    left = unsent(parts, len(outgoing.already_sent))
    sent = list(outgoing.already_sent)
    for part in left:
        outcome = send_part(part, outgoing.recipient, "" if sent else outgoing.reply_to, account)
        if not isinstance(outcome, Sent):
            done = len(parts) - len(left) + left.index(part)
            return partly(outcome, sent=sent[len(outgoing.already_sent) :], done=done, total=len(parts))
        sent.extend(outcome.external_ids)
    return Sent(tuple(sent))


def unsent(parts: Sequence[Part], messages: int) -> list[Part]:
    """The parts after those that already became `messages` messages: a part is one message, a group of files one for each."""
    left = list(parts)
    while left and messages >= (size := len(left[0].files) or 1):
        messages -= size
        left.pop(0)
    return left


def account_refusal(account: AccountConfig) -> Failed | None:
    if account.secrets.get("bot_token"):
        return None
    return Failed("token_missing", "the channel account has no bot token", Reason.ACCOUNT_REFUSED)


def partly(fault: Retry | Failed, *, sent: Sequence[str], done: int, total: int) -> Retry | Failed:
    """A fault after some parts arrived: the next attempt begins with the part that failed."""
    if not done:
        return fault
    text = f"{done} of {total} parts were sent, then {fault.code}: {fault.text}"
    if isinstance(fault, Retry):
        return replace(fault, code="partly_sent", text=text, sent=tuple(sent))
    return replace(fault, text=text, sent=tuple(sent))


def send_part(part: Part, recipient: str, reply_to: str, account: AccountConfig) -> SendResult:
    try:
        answer = deliver(part, {"chat_id": chat_of(recipient), **reply(reply_to)}, account)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return unanswered(error)
    return taken(answer) if answer.accepted else verdict(answer)


def deliver(part: Part, target: JsonObject, account: AccountConfig) -> Answer:
    """The call, and its one other form where the answer names it: the group's new id, a picture as a document."""
    answer = call_part(part, target, account)
    moved = is_migration(answer)
    if moved is not None:
        target = {**target, "chat_id": moved}
        answer = call_part(part, target, account)
    if part.as_photo and is_bad_picture(answer):
        answer = call_part(replace(part, as_photo=False), target, account)
    return answer


def call_part(part: Part, target: JsonObject, account: AccountConfig) -> Answer:
    if not part.files:
        marked = {"reply_markup": part.markup} if part.markup else {}
        return call(account, "sendMessage", {**target, "text": part.text, **marked})
    kind = "photo" if part.as_photo else "document"
    if len(part.files) == 1:
        fields = {**target, **({"caption": part.text} if part.text else {})}
        return call(account, f"send{kind.title()}", form(fields), [(kind, upload(part.files[0]))])
    media = [{"type": kind, "media": f"attach://file{number}"} for number in range(len(part.files))]
    return call(account, "sendMediaGroup", form({**target, "media": media}), attached(part.files))


def attached(files: Sequence[OutgoingFile]) -> list[tuple[str, Upload]]:
    return [(f"file{number}", upload(file)) for number, file in enumerate(files)]


def upload(file: OutgoingFile) -> Upload:
    return file.name or "file", file.data, file.mime or "application/octet-stream"


def form(fields: JsonObject) -> dict[str, str]:
    """Values of a multipart call: objects and arrays go JSON-serialised."""
    return {key: value if isinstance(value, str) else json.dumps(value) for key, value in fields.items()}


def reply(reply_to: str) -> Mapping[str, Any]:
    """An answer goes out even if the guest has deleted what it answers."""
    number = message_number(reply_to)
    return {} if number is None else {"reply_parameters": {"message_id": number, "allow_sending_without_reply": True}}


def taken(answer: Answer) -> SendResult:
    """The ids of what was sent; sendMediaGroup answers with an array."""
    messages = answer.result if isinstance(answer.result, list) else [answer.result]
    ids = [key for message in messages if isinstance(message, dict) and (key := id_of(message))]
    if len(ids) != len(messages) or not ids:
        return Retry("garbled_answer", "accepted, but the answer names no message", unknown=True)
    return Sent(tuple(ids))


def id_of(message: JsonObject) -> str:
    chat, number = integer_at(object_at(message, "chat"), "id"), integer_at(message, "message_id")
    return f"{chat}:{number}" if chat is not None and number is not None else ""
