"""Answers to buyers at Yandex Market: files first, then the text, one call each."""

from collections.abc import Callable, Sequence
from functools import partial

from omni.channels.asking import Answer, Rule, deliver, in_order, keyless, refusal
from omni.channels.contract import AccountConfig, Capabilities, Failed, Outgoing, OutgoingFile, Reason, SendResult
from omni.channels.json_fields import identifier_at, object_at
from omni.channels.yandex_market.client import business_of, call

CAPABILITIES = Capabilities(text_limit=4096, attachments=True, attachment_bytes=5 * 1024 * 1024, attachments_per_message=5)

RULES = (
    Rule(400, "closed", "chat_closed", Reason.WINDOW_CLOSED),
    Rule(400, "finished", "chat_closed", Reason.WINDOW_CLOSED),
    Rule(403, "closed", "chat_closed", Reason.WINDOW_CLOSED),
    Rule(403, "", "key_has_no_right", Reason.ACCOUNT_REFUSED),
    Rule(404, "", "chat_not_found", Reason.CONTACT_GONE),
    Rule(413, "", "file_too_large", Reason.REJECTED),
    Rule(423, "", "chat_locked", Reason.WINDOW_CLOSED),
)


def send(outgoing: Outgoing, account: AccountConfig) -> SendResult:
    """A sent id is `<chat>:<message id>` where the provider tells it, else `<chat>:sent:<our key>:<part>`."""
    refused = keyless(account, "api_key") or refusal(outgoing, CAPABILITIES)
    if refused:
        return refused
    if not business_of(account):
        return Failed("business_missing", "the number of the business is missing", Reason.ACCOUNT_REFUSED)
    calls: list[Callable[[], Answer]] = [partial(_file, account, outgoing.recipient, file) for file in outgoing.files]
    if outgoing.text.strip():
        calls.append(partial(_text, account, outgoing))
    parts = [partial(deliver, one, partial(_ids, outgoing, number), RULES) for number, one in enumerate(calls)]
    return in_order(parts, outgoing.already_sent)


def _text(account: AccountConfig, outgoing: Outgoing) -> Answer:
    return call(account, "POST", "/message", params={"chatId": outgoing.recipient}, json={"message": outgoing.text})


def _file(account: AccountConfig, chat: str, file: OutgoingFile) -> Answer:
    upload = {"file": (file.name or "file", file.data, file.mime or "application/octet-stream")}
    return call(account, "POST", "/file/send", params={"chatId": chat}, files=upload)


def _ids(outgoing: Outgoing, part: int, answer: Answer) -> Sequence[str]:
    """The documented answer is {"status": "OK"}; some answers carry the message's id."""
    if answer.object.get("status") != "OK":
        return []
    number = identifier_at(object_at(answer.object, "result"), "messageId")
    return [f"{outgoing.recipient}:{number}" if number else f"{outgoing.recipient}:sent:{outgoing.key}:{part}"]
