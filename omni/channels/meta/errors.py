"""What an answer of the Graph API means for a message: sent, try again, or never.

https://developers.facebook.com/docs/graph-api/guides/error-handling; each channel adds its own codes as a table.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from omni.channels.contract import Failed, Reason, Retry
from omni.channels.meta.graph import Answer


@dataclass(frozen=True)
class Meaning:
    """What a code stands for: `reason` = for good; else to be tried again, `throttled` after a pause of the whole account,
    `after` seconds where the documents name them."""

    code: str
    reason: Reason | None = None
    throttled: bool = False
    after: float | None = None


Codes = Mapping[int | tuple[int, int], Meaning]
"""Code, or code and subcode; the more exact one counts."""

TOKEN = Meaning("token_refused", Reason.ACCOUNT_REFUSED)
PERMISSION = Meaning("permission_missing", Reason.ACCOUNT_REFUSED)
THROTTLED = Meaning("throttled", throttled=True)
UNAVAILABLE = Meaning("provider_unavailable")

SHARED: Codes = {
    0: TOKEN,
    1: UNAVAILABLE,
    2: UNAVAILABLE,
    3: PERMISSION,
    4: THROTTLED,
    10: PERMISSION,
    17: THROTTLED,
    32: THROTTLED,
    102: TOKEN,
    190: TOKEN,
    368: Meaning("account_blocked", Reason.ACCOUNT_REFUSED),
    613: THROTTLED,
}


def verdict(answer: Answer, codes: Codes) -> Retry | Failed:
    """The meaning of an answer that is not a success; `codes` are the channel's own, before the shared ones."""
    if answer.code is not None:
        return as_result(meaning_of(answer, codes), answer)
    if answer.status == 429:
        return as_result(THROTTLED, answer)
    if answer.status >= 500:
        # A gateway's time-out is the only 5xx after which the server behind it may have gone on.
        return Retry(f"http_{answer.status}", answer.said, after=answer.pause, unknown=answer.status == 504)
    if answer.status == 413:
        return Failed("file_too_large", answer.said)
    return Retry("garbled_answer", f"HTTP {answer.status} without an answer of the Graph API", unknown=answer.status < 300)


def meaning_of(answer: Answer, codes: Codes) -> Meaning:
    """The code's meaning; one that nobody knows is temporary only if the provider says so (is_transient) or failed itself (5xx)."""
    number, pair = answer.code or 0, (answer.code or 0, answer.subcode or 0)
    for table in (codes, SHARED):
        found = table.get(pair) or table.get(number)
        if found is not None:
            return found
    if 200 <= number <= 299:
        return PERMISSION
    if answer.error.get("is_transient") is True or answer.status >= 500:
        return Meaning(f"meta_{number}")
    return Meaning(f"meta_{number}", Reason.REJECTED)


def as_result(meaning: Meaning, answer: Answer) -> Retry | Failed:
    number = "" if answer.code is None else f"{answer.code}: "
    text = f"{number}{answer.said}"
    if meaning.reason is not None:
        return Failed(meaning.code, text, meaning.reason)
    after = answer.pause if answer.pause is not None else meaning.after
    return Retry(meaning.code, text, after=after, whole_account=meaning.throttled)
