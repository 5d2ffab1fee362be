"""Answers to buyers at Wildberries: a message of a chat takes the chat's signature, a review takes its id."""

import threading
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import httpx

from omni.channels.asking import Answer, Rule, deliver, keyless, refusal, verdict
from omni.channels.contract import AccountConfig, Capabilities, Failed, Outgoing, Reason, Retry, SendResult, Sent
from omni.channels.http import unanswered
from omni.channels.json_fields import identifier_at, object_at, objects_at, text_at
from omni.channels.wildberries.client import call, chats, feedbacks
from omni.channels.wildberries.polling import CHATS_PATH, QUESTIONS_PATH

MESSAGE_PATH, ANSWER_PATH = "/api/v1/seller/message", "/api/v1/feedbacks/answer"
MIB = 1024 * 1024
CAPABILITIES = Capabilities(text_limit=1000, attachments=True, attachment_bytes=5 * MIB, attachments_per_message=6)
REVIEW = replace(CAPABILITIES, text_limit=5000, attachments=False)
FILE_TYPES = frozenset({"image/jpeg", "image/png", "application/pdf"})
ALL_FILES = 30 * MIB
REVIEW_PREFIX, QUESTION_PREFIX = "feedback:", "question:"

RULES = (
    Rule(400, "replysign", "reply_sign_refused", Reason.CONTACT_GONE),
    Rule(400, "too long", "text_too_long", Reason.TOO_LONG),
    Rule(400, "closed", "chat_closed", Reason.WINDOW_CLOSED),
    Rule(402, "", "unpaid", Reason.ACCOUNT_REFUSED),
    Rule(403, "", "key_has_no_right", Reason.ACCOUNT_REFUSED),
    Rule(404, "", "not_found", Reason.CONTACT_GONE),
    Rule(413, "", "file_too_large", Reason.REJECTED),
)

SIGNS_KEPT = 50_000
_signs: dict[tuple[str, str], str] = {}
_lock = threading.Lock()


def send(outgoing: Outgoing, account: AccountConfig) -> SendResult:
    """One call: a message with its files, or an answer in public. A sent id is `<chat>:sent:<time>` or `feedback:<id>:<key>`."""
    if outgoing.recipient.startswith((REVIEW_PREFIX, QUESTION_PREFIX)):
        return _answer_in_public(outgoing, account)
    refused = keyless(account, "token") or refusal(outgoing, CAPABILITIES, mimes=FILE_TYPES)
    if refused:
        return refused
    if sum(len(file.data) for file in outgoing.files) > ALL_FILES:
        return Failed("file_too_large", f"at most {ALL_FILES} bytes of files are allowed together")
    return _message(outgoing, account)


def _message(outgoing: Outgoing, account: AccountConfig) -> SendResult:
    """A signature from the memory may have been replaced: it is asked for once more before the message counts as refused."""
    remembered = (account.id, outgoing.recipient) in _signs
    result = _with_sign(outgoing, account)
    if remembered and isinstance(result, Failed) and result.code == "reply_sign_refused":
        with _lock:
            _signs.pop((account.id, outgoing.recipient), None)
        return _with_sign(outgoing, account)
    return result


def _with_sign(outgoing: Outgoing, account: AccountConfig) -> SendResult:
    sign = _sign_of(outgoing.recipient, account)
    if not isinstance(sign, str):
        return sign
    fields: list[tuple[str, tuple[str | None, bytes, str]]] = [("replySign", (None, sign.encode(), "text/plain; charset=utf-8"))]
    if outgoing.text.strip():
        fields.append(("message", (None, outgoing.text.encode(), "text/plain; charset=utf-8")))
    fields += [("file", (file.name or "file", file.data, file.mime)) for file in outgoing.files]
    return deliver(lambda: call(chats(account), "POST", MESSAGE_PATH, files=fields), lambda answer: _ids(answer, outgoing), RULES)


def _ids(answer: Answer, outgoing: Outgoing) -> Sequence[str]:
    result = object_at(answer.object, "result")
    at = identifier_at(result, "addTime")
    return [f"{outgoing.recipient}:sent:{at}"] if at else []


def _sign_of(chat: str, account: AccountConfig) -> str | Retry | Failed:
    """The chat's signature, remembered by process; the provider lists those of all chats at once."""
    known = _signs.get((account.id, chat))
    if known:
        return known
    try:
        answer = call(chats(account), "GET", CHATS_PATH)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return replace(unanswered(error), unknown=False)
    if not answer.accepted or not isinstance(answer.body, dict):
        return replace(fault, unknown=False) if isinstance(fault := verdict(answer, RULES), Retry) else fault
    found = {(account.id, identifier_at(one, "chatID")): text_at(one, "replySign") for one in objects_at(answer.object, "result")}
    with _lock:
        if len(_signs) > SIGNS_KEPT:
            _signs.clear()
        _signs.update({key: sign for key, sign in found.items() if sign})
    return found.get((account.id, chat)) or Failed("chat_not_found", "the provider lists no such chat", Reason.CONTACT_GONE)


def _answer_in_public(outgoing: Outgoing, account: AccountConfig) -> SendResult:
    """Under a review, or to a question about goods; `wbRu` = the question and its answer are shown on the site.

    https://dev.wildberries.ru/openapi/user-communication: POST feedbacks/answer {id, text} is answered by an empty 204,
    PATCH questions {id, answer {text}, state} by {data, error, errorText, additionalErrors}.
    """
    refused = keyless(account, "token") or refusal(outgoing, REVIEW, least=2)
    if refused:
        return refused
    kind, _sign, number = outgoing.recipient.partition(":")
    text: dict[str, Any]
    if f"{kind}:" == REVIEW_PREFIX:
        method, path, text = "POST", ANSWER_PATH, {"text": outgoing.text}
    else:
        method, path, text = "PATCH", QUESTIONS_PATH, {"answer": {"text": outgoing.text}, "state": "wbRu"}
    ids = [f"{outgoing.recipient}:{outgoing.key}"]
    body = {"id": number, **text}
    result = deliver(lambda: _judged(call(feedbacks(account), method, path, json=body)), lambda answer: ids, RULES)
    return replace(result, external_ids=tuple(ids)) if isinstance(result, Sent) else result


def _judged(answer: Answer) -> Answer:
    """A refusal may come with the status of a success and `error` true."""
    return replace(answer, status=400) if answer.accepted and answer.object.get("error") is True else answer
