"""What an error of the VK API means for a message (https://dev.vk.com/ru/reference/errors, schema 5.199)."""

from collections.abc import Mapping

from omni.channels.contract import Failed, Reason, Retry
from omni.channels.vk.client import Answer

# code -> our code, seconds to wait, whether the whole community is too fast
TEMPORARY: Mapping[int, tuple[str, float | None, bool]] = {
    1: ("vk_unknown", None, False),
    6: ("throttled", 1.0, True),
    9: ("flood", 120.0, False),
    10: ("vk_internal", None, False),
    14: ("captcha", 600.0, True),
    29: ("rate_limit", 600.0, True),
    43: ("section_off", 300.0, False),
}
PERMANENT: Mapping[int, tuple[str, Reason]] = {
    5: ("token_refused", Reason.ACCOUNT_REFUSED),
    15: ("access_denied", Reason.ACCOUNT_REFUSED),
    17: ("validation_required", Reason.ACCOUNT_REFUSED),
    18: ("user_deleted", Reason.CONTACT_GONE),
    27: ("token_refused", Reason.ACCOUNT_REFUSED),
    28: ("token_refused", Reason.ACCOUNT_REFUSED),
    113: ("no_such_user", Reason.CONTACT_GONE),
    900: ("blacklisted", Reason.CONTACT_BLOCKED),
    901: ("not_allowed_by_guest", Reason.CONTACT_BLOCKED),
    902: ("privacy", Reason.CONTACT_BLOCKED),
    911: ("keyboard_refused", Reason.REJECTED),
    912: ("keyboards_off", Reason.REJECTED),
    914: ("text_too_long", Reason.TOO_LONG),
    917: ("no_access_to_chat", Reason.CONTACT_GONE),
    936: ("no_such_contact", Reason.CONTACT_GONE),
    950: ("reply_timed_out", Reason.WINDOW_CLOSED),
}
NO_KEYBOARD = frozenset({PERMANENT[911][0], PERMANENT[912][0]})
"""The community may show no buttons (its bot's abilities are off), or VK does not take ours: the words still can go."""
ABOUT_THE_OBJECT = frozenset({15, 27, 28})
"""Under a comment these speak of that post or photo (closed comments, a method no community may call), not of our token."""


def verdict(answer: Answer, *, public: bool = False) -> Retry | Failed:
    """The meaning of an answer that is not a success; `public` = it was about a comment."""
    if answer.code in TEMPORARY:
        code, seconds, whole = TEMPORARY[answer.code]
        return Retry(code, words(answer), after=answer.after or seconds, whole_account=whole)
    if answer.code:
        code, reason = PERMANENT.get(answer.code, (f"vk_{answer.code}", Reason.REJECTED))
        return Failed(code, words(answer), Reason.REJECTED if public and answer.code in ABOUT_THE_OBJECT else reason)
    return by_status(answer)


def by_status(answer: Answer) -> Retry | Failed:
    """An answer without an error of the API's own: the way there. A 2xx of that sort may hide an accepted message."""
    if answer.status == 429:
        return Retry("throttled", words(answer), after=answer.after, whole_account=True)
    if answer.status >= 500:
        return Retry(f"http_{answer.status}", words(answer), after=answer.after, unknown=answer.status == 504)
    if answer.status == 413:
        return Failed("file_too_large", words(answer))
    text = f"HTTP {answer.status} without an answer of the VK API"
    return Retry("garbled_answer", text, unknown=answer.status < 300)


def words(answer: Answer) -> str:
    return f"{answer.code}: {answer.said}" if answer.code else f"HTTP {answer.status}"
