"""Our own form: signature, every event of a batch, anything else."""

import hashlib
import hmac
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given

from omni.channels.contract import AccountConfig, CallKind, InboundKind, RawEvent, Unreadable, Unverified
from omni.channels.voice.adapter import VoiceAdapter
from tests.channel_checks import RECEIVED, body_of, items_or_unreadable, json_objects, load, mutated, words_of

SAMPLES = load(Path(__file__).parent / "samples")
ADAPTER, ACCOUNT = VoiceAdapter(), AccountConfig("a", "voice", {}, {"signing_key": "demo"})


def parse(value):
    return ADAPTER.parse(RawEvent(body_of(value), {}, RECEIVED), ACCOUNT)


def test_an_event_of_all_fields():
    (item,) = parse(SAMPLES["ringing"])
    call = item.call
    assert (item.kind, item.guest_name, item.guest_external_id) == (InboundKind.CALL, "Анна", "+79001112233")
    assert (call.kind, call.call_key, call.leg_key, call.sequence) == (CallKind.RINGING, "c-1", "c-1:101", 2)
    assert (call.caller, call.called, call.extension, call.queue, call.wait) == ("+79001112233", "+74950001122", "101", "Первая линия", 4)
    assert call.at == datetime(2026, 3, 3, 9, 40, 5, tzinfo=UTC)


def test_every_event_of_a_batch_in_order():
    ringing, unknown, ended, recorded, pressed = parse(SAMPLES["batch"])
    assert (ringing.call.call_key, ringing.call.leg_key, ringing.call.caller) == ("77", "77", "")
    assert (unknown.kind, "telepathy" in unknown.text) == (InboundKind.IGNORED, True)
    assert (ended.call.inbound, ended.call.called, ended.call.duration, ended.call.extension) == (False, "+79001112233", 80, "101")
    assert ended.call.at == datetime(2026, 3, 3, 8, 1, 35, 123000, tzinfo=UTC)
    assert (recorded.call.recording, recorded.call.at) == ("r-1", RECEIVED)
    assert (pressed.call.digits, pressed.call.sequence) == ("1", 9)


def test_a_list_is_a_batch():
    assert len(parse(SAMPLES["batch"]["events"])) == 5


@pytest.mark.parametrize(
    "value", [{}, {"type": "ringing"}, {"call_key": "x"}, [1], 7, None, {"events": {}}, [{"type": "ringing", "call_key": "x"}] * 1001]
)
def test_what_is_no_event_is_said(value):
    with pytest.raises(Unreadable):
        parse(value)


def signed(body, key="demo"):
    return {"x-signature": "sha256=" + hmac.new(key.encode(), body, hashlib.sha256).hexdigest()}


def test_the_signature_is_over_the_bytes_as_they_came():
    body = b'{"type":  "ringing"}'
    ADAPTER.verify(RawEvent(body, signed(body), RECEIVED), ACCOUNT)
    for headers in (signed(b'{"type": "ringing"}'), signed(body, "other"), {}, {"x-signature": ""}, {"x-signature": "sha256=прав\udcff"}):
        with pytest.raises(Unverified):
            ADAPTER.verify(RawEvent(body, headers, RECEIVED), ACCOUNT)
    with pytest.raises(Unverified):
        ADAPTER.verify(RawEvent(body, signed(body, ""), RECEIVED), AccountConfig("a", "voice", {}, {}))


def test_the_key_is_the_senders_id():
    assert ADAPTER.event_key(RawEvent(b"{}", {"x-event-id": "e-1"}, RECEIVED)) == "event:e-1"
    assert ADAPTER.event_key(RawEvent(b"{}", {}, RECEIVED)).startswith("sha256:")
    assert ADAPTER.reply(RawEvent(b"{}", {}, RECEIVED), ACCOUNT).status == 202


@given(mutated(list(SAMPLES.values())))
def test_spoiled_samples_are_items_or_unreadable(value):
    items_or_unreadable(ADAPTER, body_of(value))


@given(json_objects(words_of(list(SAMPLES.values())) | set(CallKind)))
def test_any_json_is_items_or_unreadable(value):
    items_or_unreadable(ADAPTER, body_of(value))


@pytest.mark.parametrize("body", [b"", b"\xff\xfe", b"[" * 100_000, json.dumps(SAMPLES["ringing"]).encode("utf-16")])
def test_any_bytes_are_items_or_unreadable(body):
    items_or_unreadable(ADAPTER, body)
