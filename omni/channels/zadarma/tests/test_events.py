"""Zadarma's notices: the signature of PHP, the fields it covers, every kind of notice."""

import json
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omni.channels.contract import AccountConfig, CallKind, InboundKind, RawEvent, Unreadable, Unverified
from omni.channels.zadarma.adapter import ZadarmaAdapter
from omni.channels.zadarma.signing import SIGNED, authorization, signature
from tests.channel_checks import RECEIVED, items_or_unreadable, load

SAMPLES = load(Path(__file__).parent / "samples")
ADAPTER = ZadarmaAdapter()
SECRET = "demo-zadarma-secret"
ACCOUNT = AccountConfig("a", "zadarma", {}, {"api_key": "key", "api_secret": SECRET})


def event(name, headers=None, **changes):
    fields = {**SAMPLES[name], **changes}
    return RawEvent(urlencode(fields).encode(), headers or {}, RECEIVED)


def parse(name, **changes):
    (item,) = ADAPTER.parse(event(name, **changes), ACCOUNT)
    return item


def test_the_vendors_signature():
    text = "79001112233" + "74950001122" + "2026-03-03 12:40:05"
    assert signature(text, SECRET) == "MTVkZGVhZDI1ZDhlYmQwZjcyMDA1ZmNjZDQ1N2Q5N2ZhZTc0YTY2Ng=="


def sign(name, secret=SECRET):
    return {"signature": signature("".join(SAMPLES[name].get(field, "") for field in SIGNED[SAMPLES[name]["event"]]), secret)}


@pytest.mark.parametrize("name", SAMPLES)
def test_each_kind_is_signed_over_its_own_fields(name):
    ADAPTER.verify(event(name, sign(name)), ACCOUNT)
    covered = SIGNED[SAMPLES[name]["event"]][0]
    for headers, changes in ((sign(name, "other"), {}), ({}, {}), (sign(name), {covered: "forged"}), ({"signature": "\udcff"}, {})):
        with pytest.raises(Unverified):
            ADAPTER.verify(event(name, headers, **changes), ACCOUNT)
    with pytest.raises(Unverified):
        ADAPTER.verify(event(name, sign(name, "")), AccountConfig("a", "zadarma", {}, {}))


@pytest.mark.parametrize(
    ("name", "kind", "leg", "extension", "inbound", "guest"),
    [
        ("start", CallKind.RINGING, "in_1", "", True, "+79001112233"),
        ("internal", CallKind.RINGING, "in_1:101", "101", True, "+79001112233"),
        ("answer", CallKind.ANSWERED, "in_1:101", "101", True, "+79001112233"),
        ("end", CallKind.ENDED, "in_1", "101", True, "+79001112233"),
        ("out_start", CallKind.RINGING, "out_1", "101", False, "+79001112233"),
        ("out_end", CallKind.ENDED, "out_1", "101", False, "+79001112233"),
        ("record", CallKind.RECORDING_READY, "in_1", "", True, ""),
        ("ivr", CallKind.DTMF, "in_1", "", True, "+79001112233"),
    ],
)
def test_each_notice_is_its_step(name, kind, leg, extension, inbound, guest):
    call = parse(name).call
    assert (call.kind, call.leg_key, call.extension, call.inbound) == (kind, leg, extension, inbound)
    assert (call.caller if inbound else call.called) == guest


def test_particulars():
    assert parse("start").call.at == datetime(2026, 3, 3, 8, 4, 40, tzinfo=UTC)
    assert (parse("end").call.duration, parse("end").call.reason) == (75, "answered")
    assert parse("end", disposition="no answer").call.duration is None
    assert parse("end", last_internal="").call.duration is None, "the menu answered"
    assert parse("record").call.recording == "rec-1"
    assert parse("ivr").call.digits == parse("ivr", wait_dtmf="", **{"wait_dtmf[digits]": "2#"}).call.digits == "2#"
    assert parse("start", caller_id="Anonymous").call.caller == ""


def test_an_answer_to_a_call_of_ours():
    call = parse("answer", caller_id="101", destination="79001112233", internal="").call
    assert (call.kind, call.inbound, call.called, call.extension) == (CallKind.ANSWERED, False, "+79001112233", "101")


def test_what_is_not_for_the_feed():
    assert parse("start", event="SMS").kind is InboundKind.IGNORED
    assert parse("out_start", destination="102").kind is InboundKind.IGNORED


@pytest.mark.parametrize("changes", [{"event": ""}, {"pbx_call_id": ""}])
def test_what_is_no_notice_is_said(changes):
    with pytest.raises(Unreadable):
        parse("start", **changes)


def test_keys():
    keys = {name: ADAPTER.event_key(event(name)) for name in SAMPLES}
    assert keys["internal"] == "in_1:NOTIFY_INTERNAL:101"
    assert len(set(keys.values())) == len(SAMPLES)


def test_the_handshake_echoes_as_text():
    asked = RawEvent(b"", {}, RECEIVED, {"zd_echo": "<script>1"})
    reply = ADAPTER.greet(asked, "GET", ACCOUNT)
    assert (reply.body, reply.content_type) == (b"<script>1", "text/plain; charset=utf-8")
    assert ADAPTER.greet(asked, "POST", ACCOUNT) is None
    assert ADAPTER.greet(RawEvent(b"", {}, RECEIVED), "GET", ACCOUNT) is None


def test_the_apis_signature_as_the_vendors_library_makes_it():
    made = authorization("/v1/pbx/record/request/", {"pbx_call_id": "in_abc", "call_id": "1.2"}, "key", "secret")
    assert made == authorization("/v1/pbx/record/request/", {"call_id": "1.2", "pbx_call_id": "in_abc"}, "key", "secret")
    assert made.startswith("key:")


@given(
    st.dictionaries(st.sampled_from(sorted({field for sample in SAMPLES.values() for field in sample})), st.text(max_size=30)),
    st.sampled_from(sorted(SAMPLES)),
)
def test_any_form_is_items_or_unreadable(fields, name):
    items_or_unreadable(ADAPTER, urlencode({**SAMPLES[name], **fields}, errors="replace").encode())


@given(st.binary(max_size=200))
def test_any_bytes_are_items_or_unreadable(body):
    items_or_unreadable(ADAPTER, body)
    assert json.dumps(ADAPTER.event_key(RawEvent(body, {}, RECEIVED)))
