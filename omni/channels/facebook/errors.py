"""Error codes of the Messenger Platform and of the pages API (developers.facebook.com/docs/messenger-platform/error-codes)."""

from omni.channels.contract import Reason
from omni.channels.meta.errors import THROTTLED, TOKEN, UNAVAILABLE, Codes, Meaning

WINDOW = Meaning("window_closed", Reason.WINDOW_CLOSED)
BLOCKED = Meaning("guest_unavailable", Reason.CONTACT_BLOCKED)

CODES: Codes = {
    (10, 2018065): WINDOW,
    (10, 2018278): WINDOW,
    (10, 2534022): WINDOW,
    (100, 33): Meaning("comment_gone", Reason.CONTACT_GONE),
    (100, 2018001): Meaning("guest_unknown", Reason.CONTACT_GONE),
    (100, 2018109): Meaning("file_too_large", Reason.REJECTED),
    (200, 1545041): BLOCKED,
    (200, 2018028): Meaning("permission_missing", Reason.ACCOUNT_REFUSED),
    230: TOKEN,
    551: BLOCKED,
    1200: UNAVAILABLE,
    80001: THROTTLED,
    80006: THROTTLED,
}
