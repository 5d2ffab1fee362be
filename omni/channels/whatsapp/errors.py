"""The Cloud API's own error codes (developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes)."""

from omni.channels.contract import Reason
from omni.channels.meta.errors import THROTTLED, TOKEN, UNAVAILABLE, Codes, Meaning

PAIR_SECONDS = 6.0
"""A number may send one guest one message every six seconds (Cloud API, pair rate limits)."""

POLICY = Meaning("not_delivered_by_policy", Reason.REJECTED)
"""Sending again before 24 hours have passed makes it worse."""
WINDOW = Meaning("window_closed", Reason.WINDOW_CLOSED)
ACCOUNT = Meaning("account_blocked", Reason.ACCOUNT_REFUSED)
PARAMETER = Meaning("bad_parameter", Reason.REJECTED)
TEMPLATE = Meaning("template_refused", Reason.REJECTED)

CODES: Codes = {
    33: PARAMETER,
    100: PARAMETER,
    470: WINDOW,
    80007: THROTTLED,
    130429: THROTTLED,
    130472: POLICY,
    130497: Meaning("country_restricted", Reason.REJECTED),
    131000: UNAVAILABLE,
    131005: TOKEN,
    131008: PARAMETER,
    131009: PARAMETER,
    131016: UNAVAILABLE,
    131021: Meaning("own_number", Reason.REJECTED),
    131026: Meaning("undeliverable", Reason.REJECTED),
    131030: Meaning("not_a_test_recipient", Reason.REJECTED),
    131031: ACCOUNT,
    131037: ACCOUNT,
    131042: Meaning("payment_missing", Reason.ACCOUNT_REFUSED),
    131045: ACCOUNT,
    131047: WINDOW,
    131048: THROTTLED,
    131049: POLICY,
    131050: Meaning("guest_declined", Reason.REJECTED),
    131051: Meaning("unsupported_type", Reason.REJECTED),
    131052: Meaning("media_not_found", Reason.REJECTED),
    131053: Meaning("media_not_uploaded"),
    131056: Meaning("throttled_pair", after=PAIR_SECONDS),
    131057: UNAVAILABLE,
    131064: THROTTLED,
    133010: ACCOUNT,
    133016: THROTTLED,
    **dict.fromkeys(range(132000, 132070), TEMPLATE),
}
