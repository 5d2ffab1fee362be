"""What an answer of the Viber API means for a message (https://developers.viber.com/docs/api/rest-bot-api/#error-codes)."""

from collections.abc import Mapping

from omni.channels.contract import Failed, Reason, Retry
from omni.channels.viber.client import Answer

THROTTLED = 12

PERMANENT: Mapping[int, tuple[str, Reason]] = {
    1: ("bad_address", Reason.REJECTED),
    2: ("token_refused", Reason.ACCOUNT_REFUSED),
    3: ("bad_data", Reason.REJECTED),
    4: ("missing_data", Reason.REJECTED),
    5: ("not_registered", Reason.CONTACT_GONE),
    6: ("not_subscribed", Reason.CONTACT_BLOCKED),
    7: ("account_blocked", Reason.ACCOUNT_REFUSED),
    8: ("account_unknown", Reason.ACCOUNT_REFUSED),
    9: ("account_suspended", Reason.ACCOUNT_REFUSED),
    10: ("no_webhook", Reason.ACCOUNT_REFUSED),
    11: ("no_suitable_device", Reason.REJECTED),
    13: ("api_version", Reason.REJECTED),
    14: ("api_version", Reason.REJECTED),
    15: ("not_authorised", Reason.ACCOUNT_REFUSED),
    16: ("reply_not_allowed", Reason.REJECTED),
    17: ("not_inline", Reason.REJECTED),
    18: ("no_public_chat", Reason.REJECTED),
    19: ("broadcast_refused", Reason.REJECTED),
    20: ("broadcast_refused", Reason.REJECTED),
    21: ("country_not_supported", Reason.REJECTED),
    22: ("payment_not_supported", Reason.REJECTED),
    23: ("no_free_messages", Reason.ACCOUNT_REFUSED),
    24: ("no_balance", Reason.ACCOUNT_REFUSED),
}


def verdict(answer: Answer) -> Retry | Failed:
    """The meaning of an answer that is not a success; a code that the documents do not know is their "general error"."""
    if answer.body is None:
        return foreign(answer)
    status = answer.status or 0
    if status == THROTTLED:
        # Viber does not say whether the bot or this one guest had too much.
        return Retry("throttled", answer.said, after=answer.pause, whole_account=True)
    if status in PERMANENT:
        code, reason = PERMANENT[status]
        return Failed(code, f"{status}: {answer.said}", reason)
    return Retry(f"viber_{status}", f"{status}: {answer.said}")


def foreign(answer: Answer) -> Retry | Failed:
    """Not the API's answer but something on the way to it. A 2xx of that sort may hide an accepted message."""
    if answer.http_status == 429:
        return Retry("throttled", answer.said, after=answer.pause, whole_account=True)
    if answer.http_status == 413:
        return Failed("too_large", answer.said)
    if answer.http_status >= 500:
        # A gateway's time-out is the only 5xx after which the server behind it may have gone on.
        return Retry(f"http_{answer.http_status}", answer.said, after=answer.pause, unknown=answer.http_status == 504)
    return Retry("garbled_answer", f"HTTP {answer.http_status} without an answer of Viber", unknown=answer.http_status < 300)
