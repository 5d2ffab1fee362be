"""Answers to buyers at Ozon: files first, then the text, one call each."""

import base64
from collections.abc import Callable, Sequence
from functools import partial

from omni.channels.asking import Answer, Rule, deliver, in_order, keyless, refusal
from omni.channels.contract import AccountConfig, Capabilities, Outgoing, OutgoingFile, Reason, SendResult
from omni.channels.json_fields import identifier_at, object_at
from omni.channels.ozon.client import NAMES, call

MESSAGE_PATH, FILE_PATH = "/v1/chat/send/message", "/v1/chat/send/file"
CAPABILITIES = Capabilities(
    text_limit=1000, attachments=True, attachment_bytes=10 * 1024 * 1024, attachments_per_message=5, read_receipts=True
)

RULES = (
    Rule(403, "api-key", "key_refused", Reason.ACCOUNT_REFUSED),
    Rule(403, "api key", "key_refused", Reason.ACCOUNT_REFUSED),
    Rule(403, "company is blocked", "company_blocked", Reason.ACCOUNT_REFUSED),
    Rule(403, "subscription", "no_subscription", Reason.ACCOUNT_REFUSED),
    Rule(403, "closed", "chat_closed", Reason.WINDOW_CLOSED),
    Rule(400, "closed", "chat_closed", Reason.WINDOW_CLOSED),
    Rule(403, "", "not_allowed", Reason.WINDOW_CLOSED),
    Rule(400, "too long", "text_too_long", Reason.TOO_LONG),
    Rule(404, "", "chat_not_found", Reason.CONTACT_GONE),
    Rule(413, "", "file_too_large", Reason.REJECTED),
)


def send(outgoing: Outgoing, account: AccountConfig) -> SendResult:
    """A sent id is `<chat>:<message id>` where the provider tells it, else `<chat>:sent:<our key>:<part>`."""
    refused = keyless(account, *NAMES) or refusal(outgoing, CAPABILITIES)
    if refused:
        return refused
    calls: list[Callable[[], Answer]] = [partial(_file, account, outgoing.recipient, file) for file in outgoing.files]
    if outgoing.text.strip():
        calls.append(partial(call, account, MESSAGE_PATH, {"chat_id": outgoing.recipient, "text": outgoing.text}))
    parts = [partial(deliver, one, partial(_ids, outgoing, number), RULES) for number, one in enumerate(calls)]
    return in_order(parts, outgoing.already_sent)


def _file(account: AccountConfig, chat: str, file: OutgoingFile) -> Answer:
    content = base64.b64encode(file.data).decode()
    return call(account, FILE_PATH, {"base64_content": content, "chat_id": chat, "name": file.name or "file"})


def _ids(outgoing: Outgoing, part: int, answer: Answer) -> Sequence[str]:
    """The documented answer is {"result": "success"}; some answers carry the message."""
    if answer.object.get("result") in (None, ""):
        return []
    number = identifier_at(object_at(answer.object, "result"), "message_id") or identifier_at(answer.object, "message_id")
    return [f"{outgoing.recipient}:{number}" if number else f"{outgoing.recipient}:sent:{outgoing.key}:{part}"]
