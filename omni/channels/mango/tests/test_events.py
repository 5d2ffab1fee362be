"""Mango's notices: signature over the JSON as it came, numbers and strings alike, both readings of its clock."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omni.channels.contract import AccountConfig, CallKind, InboundKind, RawEvent, Unreadable, Unverified
from omni.channels.mango.adapter import MangoAdapter
from omni.channels.mango.signing import signature
from tests.channel_checks import RECEIVED, items_or_unreadable, json_objects, load, mutated, words_of

SAMPLES = load(Path(__file__).parent / "samples")
ADAPTER = MangoAdapter()
ACCOUNT = AccountConfig("a", "mango", {}, {"vpbx_api_key": "demokey", "vpbx_api_salt": "demosalt"})


def form(value, key="demokey", salt="demosalt"):
    text = value if isinstance(value, str) else json.dumps(value)
    return urlencode({"vpbx_api_key": key, "sign": signature(key, text, salt), "json": text}).encode()


def parse(name, **changes):
    (item,) = ADAPTER.parse(RawEvent(form({**SAMPLES[name], **changes}), {}, RECEIVED), ACCOUNT)
    return item


def test_the_vendors_own_rule_for_the_signature():
    text = '{"entry_id":"E1","call_id":"C1","seq":1}'
    assert signature("demokey", text, "demosalt") == "e68f3cd6432aedf1a78fe36fd38cfd4cfeb188eed04d4e1a20fbb0eaac8f8433"


def verify(body, account=ACCOUNT):
    ADAPTER.verify(RawEvent(body, {}, RECEIVED), account)


def test_the_signature_covers_the_json_as_it_stands():
    verify(form('{"a":  1}'))
    spoiled = form('{"a": 1}').replace(b"%3A+1", b"%3A++1")
    for body in (spoiled, form("{}", salt="other"), form("{}", key="other"), b"", b"\xff", urlencode({"json": "{}"}).encode()):
        with pytest.raises(Unverified):
            verify(body)
    with pytest.raises(Unverified):
        verify(form("{}", "", ""), AccountConfig("a", "mango", {}, {}))


@pytest.mark.parametrize(
    ("name", "changes", "kind", "leg", "extension"),
    [
        ("appeared", {}, CallKind.RINGING, "C-1", ""),
        ("appeared", {"call_state": "Connected"}, CallKind.RINGING, "C-1", ""),
        ("appeared", {"location": "queue"}, CallKind.QUEUED, "C-1", ""),
        ("appeared", {"location": "queue", "call_state": "Disconnected"}, CallKind.ENDED, "C-1", ""),
        ("connected", {}, CallKind.ANSWERED, "C-2", "101"),
        ("connected", {"call_state": "Appeared"}, CallKind.RINGING, "C-2", "101"),
        ("connected", {"call_state": "OnHold"}, CallKind.HOLD, "C-2", "101"),
        ("connected", {"call_state": "Disconnected", "disconnect_reason": 1110}, CallKind.ENDED, "C-2", "101"),
        ("summary", {}, CallKind.ENDED, "E-1", "101"),
        ("summary", {"talk_time": 0, "entry_result": 0}, CallKind.MISSED, "E-1", ""),
        ("dtmf", {}, CallKind.DTMF, "C-1", ""),
        ("record_added", {}, CallKind.RECORDING_READY, "E-1", ""),
    ],
)
def test_each_notice_is_its_step(name, changes, kind, leg, extension):
    call = parse(name, **changes).call
    assert (call.kind, call.call_key, call.leg_key, call.extension, call.inbound) == (kind, "E-1", leg, extension, True)


def test_numbers_written_as_text_are_numbers():
    call = parse("connected").call
    assert (call.sequence, call.caller, call.called) == (2, "+79001112233", "+74950001122")
    assert call.at == datetime.fromtimestamp(1772525110, UTC)


def test_the_whole_call_has_its_figures():
    call = parse("summary").call
    assert (call.duration, call.wait, call.reason) == (90, 10, "1110")
    assert parse("summary", talk_time=0).call.wait == 100


@pytest.mark.parametrize("name", ["appeared", "summary"])
def test_a_clock_of_moscow_is_set_right(name):
    fields = {key: value + 10800 for key, value in SAMPLES[name].items() if key in ("timestamp", "create_time", "talk_time", "end_time")}
    assert parse(name, **fields).call.at == parse(name).call.at
    assert parse(name, **fields).call.duration == parse(name).call.duration
    assert abs(parse(name).call.at - RECEIVED) < timedelta(hours=1)


@pytest.mark.parametrize(
    ("caller", "called", "more", "expected"),
    [
        ({"extension": "101"}, {"number": "79001112233"}, {}, (CallKind.ANSWERED, False, "+79001112233", "101")),
        ({"number": "79001112233"}, {"extension": "101"}, {"callback_initiator": "API"}, (CallKind.RINGING, False, "+79001112233", "101")),
        ({"extension": "101"}, {"number": "79001112233"}, {"callback_initiator": "API"}, (CallKind.ANSWERED, False, "+79001112233", "101")),
        ({"number": "anonymous"}, {"extension": "101"}, {}, (CallKind.ANSWERED, True, "", "101")),
    ],
)
def test_who_calls_whom(caller, called, more, expected):
    call = parse("connected", **{"from": caller, "to": called, **more}).call
    assert (call.kind, call.inbound, call.caller if call.inbound else call.called, call.extension) == expected


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("sms", {}),
        ("recording", {}),
        ("appeared", {"call_state": "Teleported"}),
        ("connected", {"from": {"extension": "102"}, "to": {"extension": "101"}}),
        ("summary", {"call_direction": 0}),
    ],
)
def test_what_is_not_for_the_feed_is_kept_with_a_reason(name, changes):
    item = parse(name, **changes)
    assert item.kind is InboundKind.IGNORED
    assert item.text


@pytest.mark.parametrize(
    "body",
    [b"", b"json=", b"json=[]", b"json=%7B", b"\xff", b"a=1", form({"call_state": "Appeared"}), form({"call_state": 1, "entry_id": "e"})],
)
def test_what_is_no_notice_is_said(body):
    with pytest.raises(Unreadable):
        ADAPTER.parse(RawEvent(body, {}, RECEIVED), ACCOUNT)


def key(value):
    return ADAPTER.event_key(RawEvent(form(value), {}, RECEIVED))


def test_the_key_is_the_legs_and_its_count():
    assert key(SAMPLES["connected"]) == key({**SAMPLES["connected"], "seq": 2}) == "call:C-2:2"
    assert key(SAMPLES["summary"]) != key(SAMPLES["record_added"])


@given(mutated(list(SAMPLES.values())))
def test_spoiled_samples_are_items_or_unreadable(value):
    items_or_unreadable(ADAPTER, form(json.dumps(value)))


@given(json_objects(words_of(list(SAMPLES.values()))))
def test_any_json_is_items_or_unreadable(value):
    items_or_unreadable(ADAPTER, form(json.dumps(value)))


@given(st.binary(max_size=200))
def test_any_bytes_are_items_or_unreadable(body):
    items_or_unreadable(ADAPTER, body)
