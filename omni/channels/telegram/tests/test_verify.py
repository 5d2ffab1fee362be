"""The secret of the webhook."""

from datetime import UTC, datetime

import pytest

from omni.channels.contract import AccountConfig, RawEvent, Unverified
from omni.channels.telegram.adapter import TelegramAdapter

HEADER = "x-telegram-bot-api-secret-token"


def verify(headers, secrets) -> None:
    TelegramAdapter().verify(RawEvent(b"{}", headers, datetime(2026, 3, 3, tzinfo=UTC)), AccountConfig("a", "telegram", {}, secrets))


def test_the_right_secret_passes():
    verify({HEADER: "right_secret-1"}, {"webhook_secret": "right_secret-1"})


REFUSED = {
    "wrong": ({HEADER: "wrong"}, {"webhook_secret": "right"}),
    "longer": ({HEADER: "right "}, {"webhook_secret": "right"}),
    "other case": ({HEADER: "Right"}, {"webhook_secret": "right"}),
    "not ASCII": ({HEADER: "прав\udcff"}, {"webhook_secret": "right"}),
    "empty": ({HEADER: ""}, {"webhook_secret": "right"}),
    "no header": ({}, {"webhook_secret": "right"}),
    "nothing configured": ({HEADER: ""}, {"webhook_secret": ""}),
    "no secret at all": ({}, {}),
}


@pytest.mark.parametrize(("headers", "secrets"), REFUSED.values(), ids=REFUSED)
def test_anything_else_is_refused(headers, secrets):
    with pytest.raises(Unverified):
        verify(headers, secrets)
