"""What an answer of the Bot API means for a message: sent, try again, or never (https://core.telegram.org/bots/api#making-requests)."""

import re

import httpx

from omni.channels.contract import Failed, Reason, Retry
from omni.channels.json_fields import integer_at, number_at, storable
from omni.channels.telegram.client import Answer

NOT_WRITTEN = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)
NO_ADDRESS = (httpx.UnsupportedProtocol, httpx.InvalidURL)
"""Faults before the first byte of the request: the provider cannot have the message."""

PERMANENT: tuple[tuple[int, str, str, Reason], ...] = (
    (400, "message is too long", "text_too_long", Reason.TOO_LONG),
    (400, "message_too_long", "text_too_long", Reason.TOO_LONG),
    (400, "caption is too long", "caption_too_long", Reason.TOO_LONG),
    (400, "chat not found", "chat_not_found", Reason.CONTACT_GONE),
    (400, "user not found", "chat_not_found", Reason.CONTACT_GONE),
    (400, "peer_id_invalid", "chat_not_found", Reason.CONTACT_GONE),
    (403, "bot was blocked by the user", "blocked_by_guest", Reason.CONTACT_BLOCKED),
    (403, "user is deactivated", "guest_deactivated", Reason.CONTACT_GONE),
    (403, "bot was kicked", "kicked", Reason.CONTACT_BLOCKED),
    (403, "can't initiate conversation", "not_started_by_guest", Reason.CONTACT_BLOCKED),
    (401, "", "token_refused", Reason.ACCOUNT_REFUSED),
    # The Bot API knows no bot under the address: the token is malformed.
    (404, "", "token_refused", Reason.ACCOUNT_REFUSED),
    (413, "", "file_too_large", Reason.REJECTED),
)
"""Status, part of the description in lower case, our code, reason. The first that fits counts."""


def verdict(answer: Answer) -> Retry | Failed:
    """The meaning of an answer that is not a success."""
    if answer.status == 413:
        return permanent(answer)
    if answer.status == 429:
        return throttled(answer)
    if answer.status >= 500:
        # A gateway's time-out is the only 5xx after which the server behind it may have gone on.
        return Retry(f"http_{answer.status}", said(answer), unknown=answer.status == 504)
    if answer.body is None:
        return foreign(answer)
    return permanent(answer)


def throttled(answer: Answer) -> Retry:
    """The Bot API does not say whether the chat or the bot was too fast, so the account rests for exactly the time asked."""
    return Retry("throttled", said(answer), after=pause_of(answer), whole_account=True)


def pause_of(answer: Answer) -> float | None:
    asked = number_at(answer.parameters, "retry_after")
    if asked is not None and asked >= 0:
        return asked
    written = re.search(r"retry after (\d{1,9})", answer.description) or re.fullmatch(r"(\d{1,9})", answer.retry_after.strip())
    return float(written[1]) if written else None


def foreign(answer: Answer) -> Retry:
    """Not the provider's answer but something on the way to it. A 2xx of that sort may hide an accepted message."""
    return Retry("garbled_answer", f"HTTP {answer.status} without an answer of the Bot API", unknown=answer.status < 300)


def permanent(answer: Answer) -> Failed:
    description = answer.description.lower()
    for status, part, code, reason in PERMANENT:
        if answer.status == status and part in description:
            return Failed(code, said(answer), reason)
    return Failed(f"http_{answer.status}", said(answer))


def said(answer: Answer) -> str:
    return storable(answer.description) or f"HTTP {answer.status}"


def unanswered(error: Exception) -> Retry:
    """The meaning of a call without an answer. Only the kind of the fault is told: texts of errors may quote addresses."""
    if isinstance(error, NOT_WRITTEN + NO_ADDRESS):
        return Retry("no_connection", type(error).__name__)
    return Retry("no_answer", type(error).__name__, unknown=True)


def is_migration(answer: Answer) -> int | None:
    """The new id of a group that became a supergroup, else None."""
    return integer_at(answer.parameters, "migrate_to_chat_id") if answer.status == 400 else None


def is_bad_picture(answer: Answer) -> bool:
    """Whether the file cannot be shown as a photo (its dimensions or its data) and may still go as a document."""
    description = answer.description.upper()
    return answer.status == 400 and any(mark in description for mark in ("PHOTO_INVALID_DIMENSIONS", "IMAGE_PROCESS_FAILED"))
