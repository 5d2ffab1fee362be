"""ARI's and AMI's events: who calls whom, what counts as an answer, calls between colleagues left out."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omni.channels.asterisk.account import shape
from omni.channels.asterisk.adapter import AsteriskAdapter
from omni.channels.asterisk.ami_events import HANDLERS as AMI_HANDLERS
from omni.channels.asterisk.ami_events import fields_of
from omni.channels.asterisk.ari_events import HANDLERS as ARI_HANDLERS
from omni.channels.contract import AccountConfig, CallKind, InboundKind, RawEvent, Unreadable, Unverified
from tests.channel_checks import RECEIVED, body_of, items_or_unreadable, json_objects, load, mutated, words_of

SAMPLES = load(Path(__file__).parent / "samples")
ADAPTER, ACCOUNT = AsteriskAdapter(), AccountConfig("a", "asterisk", {}, {})
K = CallKind
FIRST, SECOND = "1772525080.1", "1772525081.2"
GUEST = "+79001112233"


def parsed(body):
    (item,) = ADAPTER.parse(RawEvent(body, {}, RECEIVED), ACCOUNT)
    return item


def ari(name, **changes):
    return parsed(body_of({**SAMPLES[name], **changes}))


def channel(**changes):
    return {**SAMPLES["entered_bridge"]["channel"], **changes}


def test_a_guest_calls():
    item = ari("stasis_start")
    call = item.call
    assert (item.guest_name, call.kind, call.call_key, call.leg_key) == ("Анна", K.RINGING, FIRST, FIRST)
    assert (call.inbound, call.caller, call.called, call.extension) == (True, GUEST, "+74950001122", "")
    assert call.at == datetime(2026, 3, 3, 8, 4, 40, 123000, tzinfo=UTC)
    assert call.sequence == 1772525080123000


@pytest.mark.parametrize(
    ("status", "kind"),
    [("", K.RINGING), ("RINGING", K.RINGING), ("PROGRESS", K.RINGING), ("ANSWER", K.ANSWERED), ("BUSY", K.ENDED), ("NOANSWER", K.ENDED)],
)
def test_a_telephone_rings_and_is_taken_or_not(status, kind):
    call = ari("dial", dialstatus=status).call
    assert (call.kind, call.call_key, call.leg_key, call.extension, call.caller) == (kind, FIRST, SECOND, "101", GUEST)


@pytest.mark.parametrize("linked", [{"CHANNEL(linkedid)": FIRST}, {}])
def test_together_with_the_guest_is_an_answer(linked):
    call = ari("entered_bridge", channel=channel(channelvars=linked)).call
    assert (call.kind, call.call_key, call.leg_key, call.extension) == (K.ANSWERED, FIRST, SECOND, "101")


@pytest.mark.parametrize(
    ("kind", "more", "expected"),
    [
        ("ChannelStateChange", {"channel": channel(state="Up")}, K.ANSWERED),
        ("ChannelStateChange", {"channel": channel(state="Ringing")}, K.RINGING),
        ("ChannelHold", {}, K.HOLD),
        ("ChannelUnhold", {}, K.ANSWERED),
        ("ChannelDestroyed", {"cause": 16, "cause_txt": "Normal Clearing"}, K.ENDED),
        ("ChannelDtmfReceived", {"digit": "5"}, K.DTMF),
        ("OtklikChannelSeen", {"channel": channel(state="Up")}, K.ANSWERED),
    ],
)
def test_an_operators_channel(kind, more, expected):
    call = ari("entered_bridge", type=kind, **more).call
    assert (call.kind, call.leg_key, call.caller, call.extension, call.inbound) == (expected, SECOND, GUEST, "101", True)


def test_the_guests_own_line_going_up_is_the_menu():
    guest = {**SAMPLES["stasis_start"]["channel"], "state": "Up"}
    assert ari("stasis_start", type="ChannelStateChange", channel=guest).kind is InboundKind.IGNORED


def outward(**changes):
    return channel(connected={"number": ""}, dialplan={"exten": "89001112233"}, **changes)


def test_one_of_ours_calls_out():
    call = ari("entered_bridge", type="StasisStart", channel=outward()).call
    assert (call.kind, call.inbound, call.called, call.extension) == (K.RINGING, False, GUEST, "101")
    peer = {"id": "x.3", "name": "PJSIP/trunk-3", "caller": {"number": "89001112233"}, "connected": {"number": "101"}}
    answered = ari("dial", caller=outward(), peer=peer, dialstatus="ANSWER", dialstring="89001112233@trunk").call
    assert (answered.kind, answered.inbound, answered.called, answered.extension, answered.call_key) == (
        K.ANSWERED,
        False,
        GUEST,
        "101",
        SECOND,
    )


@pytest.mark.parametrize("kind", ["StasisStart", "ChannelEnteredBridge", "ChannelDestroyed", "ChannelHold", "ChannelDtmfReceived"])
def test_between_colleagues_there_is_no_guest(kind):
    assert ari("entered_bridge", type=kind, channel=channel(connected={"number": "102"})).kind is InboundKind.IGNORED


def test_a_withheld_number():
    hidden = {**SAMPLES["stasis_start"]["channel"], "caller": {"number": "anonymous", "name": ""}}
    assert (ari("stasis_start", channel=hidden).call.kind, ari("stasis_start", channel=hidden).call.caller) == (K.RINGING, "")


def test_recordings_of_a_channel_and_of_a_bridge():
    assert (ari("recording_finished").call.call_key, ari("recording_finished").call.recording) == (FIRST, "rec-1")
    of_bridge = {"name": FIRST, "target_uri": "bridge:b1"}
    assert ari("recording_finished", recording=of_bridge).call.call_key == FIRST


def test_a_channel_that_is_gone():
    call = parsed(body_of({"type": "OtklikChannelGone", "channel": {"id": SECOND}, "call": FIRST})).call
    assert (call.kind, call.call_key, call.leg_key, call.reason) == (K.ENDED, FIRST, SECOND, "gone")


def ami(kind, **changes):
    fields = {
        "Event": kind,
        "Timestamp": "1772525080.123456",
        "Channel": "SIP/trunk-00000001",
        "CallerIDNum": "89001112233",
        "CallerIDName": "Анна",
        "ConnectedLineNum": "<unknown>",
        "Exten": "74950001122",
        "Uniqueid": FIRST,
        "Linkedid": FIRST,
        **changes,
    }
    return parsed("\r\n".join(f"{name}: {value}" for name, value in fields.items()).encode())


DESK = {"DestChannel": "SIP/101-00000002", "DestCallerIDNum": "101", "DestUniqueid": SECOND, "DestLinkedid": FIRST, "DialString": "101"}
OURS = {"CallerIDNum": "101", "Uniqueid": SECOND}


@pytest.mark.parametrize(
    ("kind", "fields", "expected", "leg", "extension"),
    [
        ("Newchannel", {}, K.RINGING, FIRST, ""),
        ("DialBegin", DESK, K.RINGING, SECOND, "101"),
        ("DialEnd", {**DESK, "DialStatus": "ANSWER"}, K.ANSWERED, SECOND, "101"),
        ("DialEnd", {**DESK, "DialStatus": "NOANSWER"}, K.MISSED, SECOND, "101"),
        ("QueueCallerJoin", {"Queue": "first"}, K.QUEUED, FIRST, ""),
        ("QueueCallerAbandon", {"Queue": "first", "HoldTime": "31"}, K.MISSED, FIRST, ""),
        ("AgentCalled", {**DESK, "Interface": "SIP/101"}, K.RINGING, SECOND, "101"),
        ("AgentConnect", {**DESK, "HoldTime": "12", "Queue": "first"}, K.ANSWERED, SECOND, "101"),
        ("AgentComplete", {**DESK, "TalkTime": "80", "Reason": "caller"}, K.ENDED, SECOND, "101"),
        ("AgentRingNoAnswer", DESK, K.MISSED, SECOND, "101"),
        ("Hold", OURS, K.HOLD, SECOND, "101"),
        ("Unhold", OURS, K.ANSWERED, SECOND, "101"),
        ("BlindTransfer", {"TransfererUniqueid": SECOND, "TransfererLinkedid": FIRST}, K.TRANSFER, SECOND, ""),
        ("AttendedTransfer", {"OrigTransfererUniqueid": SECOND, "OrigTransfererLinkedid": FIRST}, K.TRANSFER, SECOND, ""),
        ("Hangup", {"Cause": "16", "Cause-txt": "Normal Clearing"}, K.ENDED, FIRST, ""),
        ("DTMFEnd", {"Digit": "7", "Direction": "Received"}, K.DTMF, FIRST, ""),
        ("MixMonitorStop", {}, K.RECORDING_READY, FIRST, ""),
        ("CoreShowChannel", {"Duration": "00:01:10"}, K.RINGING, FIRST, ""),
        ("CoreShowChannel", {**OURS, "ConnectedLineNum": "89001112233", "ChannelStateDesc": "Up"}, K.ANSWERED, SECOND, "101"),
        ("OtklikChannelGone", {}, K.ENDED, FIRST, ""),
    ],
)
def test_each_event_of_ami_is_its_step(kind, fields, expected, leg, extension):
    call = ami(kind, **fields).call
    assert (call.kind, call.call_key, call.leg_key, call.extension, call.inbound) == (expected, FIRST, leg, extension, True)


def test_amis_particulars():
    assert (ami("Newchannel").guest_name, ami("Newchannel").call.at) == ("Анна", datetime.fromtimestamp(1772525080.123456, UTC))
    assert ami("AgentConnect", **DESK, HoldTime="12").call.wait == 12
    assert ami("AgentComplete", **DESK, TalkTime="80").call.duration == 80
    assert ami("CoreShowChannel", Duration="00:01:10").call.at == datetime.fromtimestamp(1772525080.123456, UTC) - timedelta(seconds=70)
    assert ami("Newchannel", Timestamp="").call.at == RECEIVED


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("Newchannel", {"CallerIDNum": "101", "Exten": "102"}),
        ("Newchannel", {"Uniqueid": SECOND}),
        ("DialBegin", {**DESK, "CallerIDNum": "102"}),
        ("QueueCallerJoin", {"CallerIDNum": "102"}),
        ("Hangup", {"CallerIDNum": "101", "ConnectedLineNum": "102"}),
        ("DTMFEnd", {"Digit": "7", "Direction": "Sent"}),
        ("Newexten", {}),
    ],
)
def test_what_says_nothing_of_a_guest(kind, fields):
    assert ami(kind, **fields).kind is InboundKind.IGNORED


def test_ami_outwards():
    out = {"CallerIDNum": "101", "Exten": "89001112233"}
    begun = ami("Newchannel", **out).call
    assert (begun.inbound, begun.called, begun.extension) == (False, GUEST, "101")
    dest = {"DestChannel": "SIP/trunk-2", "DestCallerIDNum": "89001112233", "DestUniqueid": SECOND, "DialString": "89001112233@trunk"}
    answered = ami("DialEnd", **out, **dest, DialStatus="ANSWER").call
    assert (answered.kind, answered.inbound, answered.called, answered.extension) == (K.ANSWERED, False, GUEST, "101")
    ended = ami("Hangup", **out, ConnectedLineNum="89001112233").call
    assert (ended.inbound, ended.called) == (False, GUEST)


def test_lines_of_old_exchanges():
    block = "Event: Newchannel\r\nCallerIDName: Анна\r\nVariable: a\r\nVariable: b\r\nno colon".encode("cp1251")
    assert fields_of(block) == {"Event": "Newchannel", "CallerIDName": "Анна", "Variable": "a"}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"[1]",
        b"{",
        b"Uniqueid: 1",
        b"Event: Hangup",
        body_of({"type": "ChannelDestroyed"}),
        body_of({"type": "RecordingFinished"}),
    ],
)
def test_what_is_no_event_is_said(body):
    with pytest.raises(Unreadable):
        parsed(body)


def test_nothing_is_believed_that_comes_by_http():
    with pytest.raises(Unverified):
        ADAPTER.verify(RawEvent(b"{}", {}, RECEIVED), AccountConfig("a", "asterisk", {}, {"password": "x"}))


def test_one_event_has_one_key_and_events_without_a_time_have_their_arrivals():
    def key(body, seconds=0):
        return ADAPTER.event_key(RawEvent(body, {}, RECEIVED + timedelta(seconds=seconds)))

    timed, timeless = b"Event: Hold\r\nTimestamp: 1.5", b"Event: Hold\r\nUniqueid: 1"
    assert key(timed) == key(timed, 5)
    assert key(timeless) != key(timeless, 5)
    assert key(body_of(SAMPLES["dial"])) == key(body_of(SAMPLES["dial"]), 5)


@pytest.mark.parametrize(
    ("values", "wrong"),
    [
        ({"interface": "ami"}, "ami.host"),
        ({"interface": "ari"}, "ari.address"),
        ({"interface": "ami", "ami": {"host": "pbx"}}, None),
        ({"interface": "ari", "ari": {"address": "http://pbx"}}, None),
        ({"ari": "x"}, "ari.address"),
    ],
)
def test_each_interface_needs_its_address(values, wrong):
    assert list(shape(values)) == ([wrong] if wrong else [])


@given(mutated(list(SAMPLES.values())))
def test_spoiled_samples_are_items_or_unreadable(value):
    items_or_unreadable(ADAPTER, body_of(value))


@given(json_objects(words_of(list(SAMPLES.values())) | set(ARI_HANDLERS)))
def test_any_json_is_items_or_unreadable(value):
    items_or_unreadable(ADAPTER, body_of(value))


NAMES = [
    "Uniqueid",
    "Linkedid",
    "CallerIDNum",
    "ConnectedLineNum",
    "Exten",
    "DestUniqueid",
    "DestCallerIDNum",
    "Timestamp",
    "Duration",
    "HoldTime",
    "Digit",
]


@given(
    st.sampled_from(sorted(AMI_HANDLERS)),
    st.dictionaries(
        st.sampled_from(NAMES), st.sampled_from(["101", "1772525080.1", "79001112233", "", "x", "9" * 30]) | st.text(max_size=12)
    ),
)
def test_any_lines_are_items_or_unreadable(kind, fields):
    lines = [f"Event: {kind}", *(f"{name}: {value}" for name, value in fields.items())]
    items_or_unreadable(ADAPTER, "\r\n".join(lines).encode("utf-8", "replace"))


@given(st.binary(max_size=200))
def test_any_bytes_are_items_or_unreadable(body):
    items_or_unreadable(ADAPTER, body)
    assert json.dumps(ADAPTER.event_key(RawEvent(body, {}, RECEIVED)))
