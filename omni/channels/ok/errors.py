"""What an error of the graph API means for a message (https://apiok.ru/dev/errors).

The vendor documents few of the numbers for messages; those not listed here refuse the message and are shown with their sentence.
"""

from collections.abc import Mapping

from omni.channels.contract import Failed, Reason, Retry
from omni.channels.ok.client import Answer

# code -> our code, seconds to wait, whether the whole group is too fast
TEMPORARY: Mapping[int, tuple[str, float | None, bool]] = {
    -1: ("ok_unknown", None, False),
    1: ("ok_unknown", None, False),
    2: ("service_unavailable", None, False),
    4: ("request_failed", None, False),
    7: ("throttled", 60.0, True),
    11: ("throttled", 60.0, True),
    9999: ("ok_internal", None, False),
}
PERMANENT: Mapping[int, tuple[str, Reason]] = {
    10: ("not_allowed_by_guest", Reason.CONTACT_BLOCKED),
    101: ("token_refused", Reason.ACCOUNT_REFUSED),
    102: ("token_refused", Reason.ACCOUNT_REFUSED),
    103: ("token_refused", Reason.ACCOUNT_REFUSED),
    104: ("token_refused", Reason.ACCOUNT_REFUSED),
    300: ("not_found", Reason.CONTACT_GONE),
    455: ("not_allowed_by_guest", Reason.CONTACT_BLOCKED),
    458: ("not_allowed_by_guest", Reason.CONTACT_BLOCKED),
}


def verdict(answer: Answer) -> Retry | Failed:
    """The meaning of an answer that is not a success."""
    if answer.code in TEMPORARY:
        code, seconds, whole = TEMPORARY[answer.code]
        return Retry(code, words(answer), after=answer.after or seconds, whole_account=whole)
    if answer.code:
        code, reason = PERMANENT.get(answer.code, (f"ok_{answer.code}", Reason.REJECTED))
        return Failed(code, words(answer), reason)
    return by_status(answer)


def by_status(answer: Answer) -> Retry | Failed:
    """An answer without an error of the API's own. A 2xx that is none of its answers may hide an accepted message."""
    if answer.status == 429:
        return Retry("throttled", words(answer), after=answer.after or 1.0, whole_account=True)
    if answer.status >= 500:
        return Retry(f"http_{answer.status}", words(answer), after=answer.after, unknown=answer.status == 504)
    if answer.status == 401:
        return Failed("token_refused", words(answer), Reason.ACCOUNT_REFUSED)
    if answer.status == 413:
        return Failed("file_too_large", words(answer))
    if answer.body is None:
        text = f"HTTP {answer.status} without an answer of the Odnoklassniki API"
        return Retry("garbled_answer", text, unknown=answer.status < 300)
    return Failed(f"http_{answer.status}", words(answer))


def words(answer: Answer) -> str:
    return f"{answer.code}: {answer.said}" if answer.code else f"HTTP {answer.status}"
