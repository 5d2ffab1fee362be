"""Signature, handshake and times as WhatsApp and Facebook share them."""

import hashlib
import hmac
from datetime import UTC, datetime

import pytest

from omni.channels.contract import AccountConfig, RawEvent, Unreadable, Unverified
from omni.channels.meta.webhooks import entries_of, handshake, meta_time, verify_signature
from tests.channel_checks import RECEIVED

BODY = b'{"object":"page","entry":[]}'
SIGNATURE = "sha256=3c40f31ec747dd03cb82556404d27610b8f5b474bc9781fbf7d8f775adf7d07b"
SECRETS = {"app_secret": "demo-app-secret", "verify_token": "demo-verify-token"}


def event(body=BODY, headers=None, query=None):
    return RawEvent(body, headers or {}, RECEIVED, query or {})


def account(secrets=None):
    return AccountConfig("a", "facebook", {}, SECRETS if secrets is None else secrets)


def test_the_vector():
    verify_signature(event(headers={"x-hub-signature-256": SIGNATURE}), account())


def test_any_bytes_are_signed():
    body = b"\xff\x00 not JSON"
    signature = "sha256=" + hmac.new(b"demo-app-secret", body, hashlib.sha256).hexdigest()
    verify_signature(event(body, {"x-hub-signature-256": signature}), account())


REFUSED = {
    "none": ({}, SECRETS),
    "empty": ({"x-hub-signature-256": ""}, SECRETS),
    "without prefix": ({"x-hub-signature-256": SIGNATURE.removeprefix("sha256=")}, SECRETS),
    "capitals": ({"x-hub-signature-256": SIGNATURE.upper()}, SECRETS),
    "other secret": ({"x-hub-signature-256": SIGNATURE}, {"app_secret": "other"}),
    "old header": ({"x-hub-signature": SIGNATURE}, SECRETS),
    "not ASCII": ({"x-hub-signature-256": "подпись\udcff"}, SECRETS),
    "no secret configured": ({"x-hub-signature-256": SIGNATURE}, {}),
    "an empty secret's own signature": (
        {"x-hub-signature-256": "sha256=" + hmac.new(b"", BODY, hashlib.sha256).hexdigest()},
        {"app_secret": ""},
    ),
}


@pytest.mark.parametrize(("headers", "secrets"), REFUSED.values(), ids=REFUSED)
def test_anything_else_is_refused(headers, secrets):
    with pytest.raises(Unverified):
        verify_signature(event(headers=headers), account(secrets))


def test_one_changed_byte_is_refused():
    with pytest.raises(Unverified):
        verify_signature(event(BODY + b" ", {"x-hub-signature-256": SIGNATURE}), account())


QUERY = {"hub.mode": "subscribe", "hub.verify_token": "demo-verify-token", "hub.challenge": "1158201444"}


def test_the_challenge_comes_back_word_for_word():
    reply = handshake(event(query=QUERY), "GET", account())
    assert (reply.status, reply.body, reply.content_type) == (200, b"1158201444", "text/plain; charset=utf-8")


def test_a_post_is_no_handshake():
    assert handshake(event(query=QUERY), "POST", account()) is None


@pytest.mark.parametrize(
    ("query", "secrets"),
    [
        ({}, SECRETS),
        (QUERY | {"hub.mode": "unsubscribe"}, SECRETS),
        (QUERY | {"hub.verify_token": "guess"}, SECRETS),
        (QUERY | {"hub.verify_token": ""}, {}),
        (QUERY, {}),
    ],
)
def test_a_stranger_gets_no_challenge(query, secrets):
    with pytest.raises(Unverified):
        handshake(event(query=query), "GET", account(secrets))


TIMES = {
    "1772524805": datetime(2026, 3, 3, 8, 0, 5, tzinfo=UTC),
    1772524805: datetime(2026, 3, 3, 8, 0, 5, tzinfo=UTC),
    1772524805123: datetime(2026, 3, 3, 8, 0, 5, 123000, tzinfo=UTC),
    "1772524805123": datetime(2026, 3, 3, 8, 0, 5, 123000, tzinfo=UTC),
    "2026-03-03T11:00:05+0300": datetime(2026, 3, 3, 8, 0, 5, tzinfo=UTC),
    "": RECEIVED,
    "0": RECEIVED,
    "вчера": RECEIVED,
    "2026-03-03T11:00:05": RECEIVED,
    "9" * 400: RECEIVED,
    "9" * 19: RECEIVED,
    "٣": RECEIVED,
    -5: RECEIVED,
    2**70: RECEIVED,
    1.5: RECEIVED,
    None: RECEIVED,
}


@pytest.mark.parametrize(("written", "read"), TIMES.items(), ids=str)
def test_times(written, read):
    assert meta_time({"at": written}, "at", RECEIVED) == read


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "not JSON"),
        (b"[]", "not list"),
        (b"[" * 100_000, "not JSON"),
        (b"{}", "object is missing"),
        (b'{"object": "instagram", "entry": []}', "object is instagram"),
        (b'{"object": "page"}', "entry is not a list"),
        (b'{"object": "page", "entry": {}}', "entry is not a list"),
    ],
)
def test_unreadable(body, reason):
    with pytest.raises(Unreadable, match=reason):
        entries_of(body, "page")
