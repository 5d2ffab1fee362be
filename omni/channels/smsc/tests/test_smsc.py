"""SMSC: what is sent and how, each error and fault, signed statuses, questions about a send."""

import hashlib
import json
from pathlib import Path
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omni.channels.contract import DeliveryState, Failed, InboundKind, PollFault, Reason, Retry, Sent, Unreadable, Unverified
from omni.channels.phones import digits_of
from omni.channels.smsc import sending
from omni.channels.smsc.adapter import SmscAdapter
from tests import channel_checks as checks
from tests import polled as p
from tests.providers.faults import Fault, FaultKind
from tests.providers.frame import Frame
from tests.providers.smsc import API_KEY, CALLBACK_SECRET, SmscServer

ADAPTER = SmscAdapter()
PHONE = "+79161112233"
SAMPLES = json.loads((Path(__file__).parent / "samples" / "callbacks.json").read_text("utf-8"))


@pytest.fixture(scope="module")
def frame():
    with Frame(SmscServer(numbers_out=["79160000000"])) as running:
        yield running


@pytest.fixture
def server(frame):
    (found,) = frame.providers
    found.reset()
    yield found
    assert found.violations.after() == []


@pytest.fixture
def account(frame):
    return p.config_of("smsc", {"api_base": frame.url, "sender": "Lukoshko", "read_timeout": 1}, {"api_key": API_KEY, **SECRET})


SECRET = {"callback_secret": CALLBACK_SECRET}


def sms(text="Ваше обращение № 17 решено", recipient=PHONE, **more):
    return p.outgoing(text, recipient=recipient, **more)


def test_an_sms_goes_out_with_our_id(server, account):
    outgoing = sms()
    result = ADAPTER.send(outgoing, account)
    (entry,) = server.accepted.after()
    assert (entry["to"], entry["text"], entry["sender"]) == ("79161112233", outgoing.text, "Lukoshko")
    assert result == Sent((ADAPTER.reference(outgoing, account),))
    assert "9161112233" not in result.external_ids[0]


def test_ids_are_within_the_vendors_bounds_and_follow_from_the_key():
    ids = [sending.id_of(f"k{number}") for number in range(2000)]
    assert all(1 <= one <= 2**31 - 1 for one in ids)
    assert ids == [sending.id_of(f"k{number}") for number in range(2000)]


def test_login_and_password_do_too(frame, server):
    other = p.config_of("smsc", {"api_base": frame.url, "login": "otklik"}, {"password": "x"})
    assert ADAPTER.send(sms(), other) == Failed("key_refused", "2: authorise error", Reason.ACCOUNT_REFUSED)


def reply_of(code):
    class Told(SmscServer):
        def send(self, request, found):
            return {"error": f"error about 79161112233 no {code}", "error_code": code}

    return Told()


CODES = {
    1: (Failed, "bad_parameters", Reason.REJECTED),
    2: (Failed, "key_refused", Reason.ACCOUNT_REFUSED),
    3: (Failed, "no_money", Reason.ACCOUNT_REFUSED),
    4: (Retry, "address_banned", True),
    5: (Failed, "bad_date", Reason.REJECTED),
    6: (Failed, "forbidden", Reason.REJECTED),
    7: (Failed, "bad_number", Reason.CONTACT_GONE),
    8: (Failed, "undeliverable", Reason.REJECTED),
    9: (Retry, "too_often", False),
    77: (Failed, "smsc_77", Reason.REJECTED),
}


@pytest.mark.parametrize("code", CODES)
def test_every_code_of_the_table(code):
    kind, name, more = CODES[code]
    with Frame(reply_of(code)) as frame:
        result = ADAPTER.send(sms(), p.config_of("smsc", {"api_base": frame.url}, {"api_key": API_KEY}))
    assert isinstance(result, kind)
    assert result.code == name
    assert "9161112233" not in result.text, "numbers are masked in what is kept"
    if isinstance(result, Retry):
        assert (result.whole_account, result.after, result.unknown) == (more, 60.0, False)
    else:
        assert result.reason is more


FAULTS = {
    "throttled": (Fault(FaultKind.THROTTLED), Retry, False),
    "server error": (Fault(FaultKind.SERVER_ERROR), Retry, False),
    "gateway's time-out": (Fault(FaultKind.SERVER_ERROR, status=504), Retry, True),
    "garbage": (Fault(FaultKind.GARBAGE), Retry, True),
    "key revoked": (Fault(FaultKind.TOKEN_REVOKED), Failed, None),
    "undeliverable": (Fault(FaultKind.BLOCKED), Failed, None),
    "late": (Fault(FaultKind.LATE, seconds=0.1), Sent, None),
    "no answer in time": (Fault(FaultKind.TIMEOUT_AFTER_ACCEPTING, seconds=3), Retry, True),
    "dropped": (Fault(FaultKind.DROPPED_AFTER_ACCEPTING), Retry, True),
    "garbage after accepting": (Fault(FaultKind.GARBAGE_AFTER_ACCEPTING), Retry, True),
}


@pytest.mark.parametrize("name", FAULTS)
def test_faults_over_the_wire(server, account, name):
    fault, kind, unknown = FAULTS[name]
    server.faults.add(fault)
    result = ADAPTER.send(sms(), account)
    assert isinstance(result, kind)
    if isinstance(result, Retry):
        assert result.unknown is unknown
    assert API_KEY not in repr(result)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"text": ""}, "empty"),
        ({"text": "я" * 1001}, "text_too_long"),
        ({"text": "я" * 269}, "too_many_parts"),
        ({"recipient": "12"}, "bad_number"),
        ({"recipient": ""}, "no_recipient"),
        ({"files": [object()]}, "no_files"),
    ],
)
def test_what_can_never_be_sent(server, account, change, code):
    assert ADAPTER.send(sms(**change), account).code == code
    assert server.accepted.after() == []


def test_nobody_listens(account):
    gone = p.config_of("smsc", {"api_base": "http://127.0.0.1:9"}, {"api_key": API_KEY})
    result = ADAPTER.send(sms(), gone)
    assert isinstance(result, Retry)
    assert not result.unknown


def test_without_keys_nothing_is_sent():
    assert ADAPTER.send(sms(), p.config_of("smsc", {}, {})).reason is Reason.ACCOUNT_REFUSED


def form(fields, **more):
    return p.event(urlencode({**fields, **more}).encode())


# SHA-1 and MD5 of "1234567:79161112233:1:demo-smsc-callback".
SHA1 = hashlib.sha1(b"1234567:79161112233:1:demo-smsc-callback").hexdigest()
MD5 = hashlib.md5(b"1234567:79161112233:1:demo-smsc-callback").hexdigest()


def test_signatures(account):
    for right in ({"sha1": SHA1}, {"md5": MD5.upper()}, {"sha1": SHA1, "md5": MD5}):
        ADAPTER.verify(form(SAMPLES[0], **right), account)
    unset = p.config_of("smsc", {}, {"callback_secret": ""})
    forged = [
        ({}, account),
        ({"sha1": MD5}, account),
        ({"sha1": SHA1, "md5": SHA1}, account),
        ({"sha1": "ы"}, account),
        ({"sha1": SHA1}, unset),
    ]
    for wrong, config in forged:
        with pytest.raises(Unverified):
            ADAPTER.verify(form(SAMPLES[0], **wrong), config)
    with pytest.raises(Unverified):
        ADAPTER.verify(form({**SAMPLES[0], "status": "20"}, sha1=SHA1), account)


STATES = [
    (SAMPLES[0], InboundKind.STATUS, DeliveryState.DELIVERED, ""),
    (SAMPLES[1], InboundKind.STATUS, DeliveryState.FAILED, "it cannot be delivered, code 253"),
    (SAMPLES[2], InboundKind.IGNORED, None, ""),
    (SAMPLES[3], InboundKind.STATUS, DeliveryState.READ, ""),
    ({**SAMPLES[0], "status": "0"}, InboundKind.STATUS, DeliveryState.SENT, ""),
    ({**SAMPLES[0], "status": "3"}, InboundKind.STATUS, DeliveryState.FAILED, "the time of the SMS was over"),
    ({**SAMPLES[0], "status": "-2"}, InboundKind.STATUS, DeliveryState.FAILED, "stopped by the provider"),
    ({**SAMPLES[0], "status": "-3"}, InboundKind.IGNORED, None, ""),
    ({**SAMPLES[0], "status": "25"}, InboundKind.STATUS, DeliveryState.FAILED, "number out of service"),
]


@pytest.mark.parametrize(("fields", "kind", "state", "error"), STATES)
def test_statuses(account, fields, kind, state, error):
    (item,) = ADAPTER.parse(form(fields), account)
    assert (item.kind, item.state, item.error) == (kind, state, error)
    assert item.external_id == sending.reference(fields["id"], digits_of("+" + fields["phone"]))


@given(
    st.dictionaries(st.sampled_from(["id", "phone", "status", "err", "ts", "x"]), st.text(max_size=30), max_size=6) | st.binary(max_size=60)
)
def test_whatever_the_bytes(value):
    body = value if isinstance(value, bytes) else urlencode(value, errors="surrogatepass").encode()
    checks.items_or_unreadable(ADAPTER, body)


def test_no_callback_at_all(account):
    with pytest.raises(Unreadable):
        ADAPTER.parse(p.event(b"\xff"), account)


def test_a_send_can_be_asked_about(server, account):
    outgoing = sms()
    reference = ADAPTER.reference(outgoing, account)
    assert ADAPTER.track([reference], PHONE, account) is None, "the provider does not know it"
    server.faults.add(Fault(FaultKind.DROPPED_AFTER_ACCEPTING))
    assert ADAPTER.send(outgoing, account).unknown
    (entry,) = server.accepted.after()
    server.progress({"id": entry["id"], "phone": entry["to"], "status": 1, "silent": True})
    item = ADAPTER.track([reference], PHONE, account)
    assert (item.external_id, item.state) == (reference, DeliveryState.DELIVERED)
    server.faults.add(Fault(FaultKind.GARBAGE, method="status"))
    with pytest.raises(PollFault):
        ADAPTER.track([reference], PHONE, account)


def test_the_connection_is_tried(server, account, frame):
    (finding,) = ADAPTER.check(account, "")
    assert finding.works
    wrong = p.config_of("smsc", {"api_base": frame.url}, {"api_key": "wrong"})
    assert [found.works for found in ADAPTER.check(wrong, "")] == [False]
    assert [found.works for found in ADAPTER.check(p.config_of("smsc", {}, {}), "")] == [False]
