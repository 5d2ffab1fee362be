"""Notices of our own templates, and the secret that stands for a signature."""

import base64
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given

from omni.channels.contract import (
    AccountConfig,
    AttachmentGone,
    AttachmentKind,
    CallKind,
    InboundAttachment,
    InboundKind,
    RawEvent,
    Unreadable,
    Unverified,
)
from omni.channels.uis.adapter import UisAdapter
from omni.channels.uis.template import TYPES, VARIABLES, body_of
from tests.channel_checks import RECEIVED, items_or_unreadable, json_objects, load, mutated, words_of
from tests.channel_checks import body_of as json_body

SAMPLES = load(Path(__file__).parent / "samples")
ADAPTER, ACCOUNT = UisAdapter(), AccountConfig("a", "uis", {}, {"webhook_secret": "hook-secret"})


def parse(**changes):
    (item,) = ADAPTER.parse(RawEvent(json_body({**SAMPLES["answered"], **changes}), {}, RECEIVED), ACCOUNT)
    return item


def test_a_filled_template():
    item = parse()
    assert (item.guest_name, item.call.kind, item.call.call_key, item.call.leg_key) == ("Анна", CallKind.ANSWERED, "9001", "9001:101")
    assert (item.call.caller, item.call.extension, item.call.recording, item.call.duration) == ("+79001112233", "101", "", None)
    assert item.call.at == datetime(2026, 3, 3, 8, 4, 50, tzinfo=UTC)


@pytest.mark.parametrize(
    ("kind", "step", "leg"),
    [
        ("inbound", CallKind.RINGING, "9001"),
        ("ringing", CallKind.RINGING, "9001:101"),
        ("talk_ended", CallKind.ENDED, "9001:101"),
        ("missed", CallKind.MISSED, "9001"),
        ("ended", CallKind.ENDED, "9001"),
        ("recording", CallKind.RECORDING_READY, "9001"),
    ],
)
def test_each_notice_is_its_step(kind, step, leg):
    call = parse(type=kind, talk="80").call
    assert (call.kind, call.leg_key, call.duration) == (step, leg, 80 if kind == "ended" else None)


def test_notices_of_one_second_follow_each_other_as_a_call_does():
    kinds = ["inbound", "ringing", "answered", "talk_ended", "ended"]
    numbers = [parse(type=kind).call.sequence for kind in kinds]
    assert numbers == sorted(set(numbers))


def test_a_call_outwards():
    call = parse(type="outbound").call
    assert (call.inbound, call.caller, call.called) == (False, "+74950001122", "+79001112233")
    assert parse(direction="out").call.inbound is False


def test_what_is_no_notice_of_ours():
    assert parse(type="chat_started").kind is InboundKind.IGNORED
    with pytest.raises(Unreadable):
        parse(call="")


def test_every_template_is_json_with_all_variables():
    for kind in TYPES:
        assert json.loads(body_of(kind)) == {"type": kind, **{name: f"{{{{{value}}}}}" for name, value in VARIABLES.items()}}
    found = ADAPTER.check(ACCOUNT, "https://otklik.example/hooks/uis/1/")
    assert len(found) == 1 + len(TYPES)
    assert "hook-secret" not in " ".join(one.text for one in found)


def basic(password):
    return "Basic " + base64.b64encode(f"uis:{password}".encode()).decode()


@pytest.mark.parametrize("headers", [{"x-otklik-secret": "hook-secret"}, {"authorization": basic("hook-secret")}])
def test_the_secret_in_either_place(headers):
    ADAPTER.verify(RawEvent(b"{}", headers, RECEIVED), ACCOUNT)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"x-otklik-secret": ""},
        {"x-otklik-secret": "Hook-secret"},
        {"authorization": basic("")},
        {"authorization": "Basic !!!"},
        {"authorization": "Bearer hook-secret"},
        {"x-otklik-secret": "\udcff"},
    ],
)
def test_anything_else_is_refused(headers):
    with pytest.raises(Unverified):
        ADAPTER.verify(RawEvent(b"{}", headers, RECEIVED), ACCOUNT)
    with pytest.raises(Unverified):
        ADAPTER.verify(RawEvent(b"{}", headers, RECEIVED), AccountConfig("a", "uis", {}, {}))


@pytest.mark.parametrize(
    "address", ["", "records/1.mp3", "file:///etc/passwd", "http://127.0.0.1:1/x", "http://169.254.169.254/latest", "https://[bad"]
)
def test_recordings_come_from_public_hosts_only(address):
    with pytest.raises(AttachmentGone):
        ADAPTER.fetch(InboundAttachment(AttachmentKind.AUDIO, address), ACCOUNT, limit=1000)


@given(mutated(list(SAMPLES.values())))
def test_spoiled_samples_are_items_or_unreadable(value):
    items_or_unreadable(ADAPTER, json_body(value))


@given(json_objects(words_of(list(SAMPLES.values())) | set(TYPES)))
def test_any_json_is_items_or_unreadable(value):
    items_or_unreadable(ADAPTER, json_body(value))
