"""What an answer of the MAX Bot API means for a message (https://dev.max.ru/docs-api, HTTP response codes)."""

from omni.channels.contract import Failed, Reason, Retry
from omni.channels.max.client import Answer

NOT_READY = "attachment.not.ready"
PERMANENT: tuple[tuple[int, str, str, Reason], ...] = (
    (0, "verify.token", "token_refused", Reason.ACCOUNT_REFUSED),
    (401, "", "token_refused", Reason.ACCOUNT_REFUSED),
    (0, "dialog.suspended", "stopped_by_guest", Reason.CONTACT_BLOCKED),
    (403, "", "stopped_by_guest", Reason.CONTACT_BLOCKED),
    (404, "", "chat_not_found", Reason.CONTACT_GONE),
    (0, "chat.not.found", "chat_not_found", Reason.CONTACT_GONE),
    (0, "dialog.not.found", "chat_not_found", Reason.CONTACT_GONE),
    (0, "text.too.long", "text_too_long", Reason.TOO_LONG),
    (413, "", "file_too_large", Reason.REJECTED),
)
"""Status (0 = any), part of the error's key, our code, reason. The first that fits counts."""


def verdict(answer: Answer) -> Retry | Failed:
    """The meaning of an answer that is not a success."""
    if answer.status == 429 or answer.code == "too.many.requests":
        return Retry("throttled", words(answer), after=answer.after or 1.0, whole_account=True)
    if answer.status >= 500:
        return Retry(f"http_{answer.status}", words(answer), after=answer.after, unknown=answer.status == 504)
    if answer.code == NOT_READY:
        return Retry("attachment_not_ready", words(answer), after=5.0)
    if answer.body is None and answer.status not in (401, 413):
        text = f"HTTP {answer.status} without an answer of the MAX API"
        return Retry("garbled_answer", text, unknown=answer.status < 300)
    return permanent(answer)


def permanent(answer: Answer) -> Failed:
    for status, part, code, reason in PERMANENT:
        if status in (0, answer.status) and part in answer.code:
            return Failed(code, words(answer), reason)
    return Failed(answer.code.replace(".", "_")[:60] or f"http_{answer.status}", words(answer))


def words(answer: Answer) -> str:
    said = ": ".join(part for part in (answer.code, answer.said) if part)
    return said or f"HTTP {answer.status}"
