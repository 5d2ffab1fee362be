"""SMS Aero: what is sent and how, each sentence of refusal and fault, addresses for statuses, questions about a send."""

import json
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omni.channels.contract import AccountConfig, DeliveryState, Failed, InboundKind, PollFault, Reason, Retry, Sent, Unreadable, Unverified
from omni.channels.smsaero.adapter import SmsAeroAdapter
from tests import channel_checks as checks
from tests import polled as p
from tests.providers.faults import Fault, FaultKind
from tests.providers.frame import Frame
from tests.providers.smsaero import API_KEY, EMAIL, SIGN, SmsAeroServer

ADAPTER = SmsAeroAdapter()
PHONE = "+79161112233"
SAMPLES = json.loads((Path(__file__).parent / "samples" / "callbacks.json").read_text("utf-8"))
SECRETS = {"api_key": API_KEY, "callback_secret": "demo-aero-callback"}


@pytest.fixture(scope="module")
def frame():
    with Frame(SmsAeroServer(blacklist=["79160000001"])) as running:
        yield running


@pytest.fixture
def server(frame):
    (found,) = frame.providers
    found.reset()
    yield found
    assert found.violations.after() == []


@pytest.fixture
def account(frame):
    return p.config_of("smsaero", {"api_base": frame.url, "email": EMAIL, "sign": SIGN, "read_timeout": 1}, SECRETS)


def changed(account, **settings):
    return p.config_of("smsaero", {**account.settings, **settings}, account.secrets)


def sms(text="Ваше обращение № 17 решено", recipient=PHONE, **more):
    return p.outgoing(text, recipient=recipient, **more)


def test_an_sms_goes_out_with_an_address_for_its_statuses(server, account, settings):
    settings.PUBLIC_URL = "https://otklik.example"
    outgoing = sms()
    result = ADAPTER.send(outgoing, account)
    (entry,) = server.accepted.after()
    assert (entry["to"], entry["text"], entry["sign"], entry["dry"]) == ("79161112233", outgoing.text, SIGN, False)
    assert result == Sent((outgoing.key, str(entry["id"])))
    address = urlsplit(entry["callback"])
    assert (address.netloc, address.path) == ("otklik.example", f"/hooks/smsaero/{account.id}/")
    ADAPTER.verify(p.event(b"{}", dict(parse_qsl(address.query))), account)


def test_a_dry_run_reaches_nobody(server, account):
    assert isinstance(ADAPTER.send(sms(), changed(account, dry_run=True)), Sent)
    assert server.accepted.after()[0]["dry"]


def test_refusals_in_words(server, account):
    server.blacklist |= {"79160000001"}
    assert ADAPTER.send(sms(recipient="+79160000001"), account).reason is Reason.CONTACT_BLOCKED
    assert ADAPTER.send(sms(), changed(account, sign="Stranger")).reason is Reason.ACCOUNT_REFUSED
    assert ADAPTER.send(sms(), changed(account, email="other@shop.example")).code == "key_refused"
    server.money = 0
    result = ADAPTER.send(sms(), account)
    assert (result.code, result.reason) == ("no_money", Reason.ACCOUNT_REFUSED)


def test_a_refusal_quotes_no_number():
    class Told(SmsAeroServer):
        def send(self, request, found):
            return {"success": False, "data": None, "message": "Incorrect phone number 79161112233"}

    with Frame(Told()) as frame:
        account = p.config_of("smsaero", {"api_base": frame.url, "email": EMAIL, "sign": SIGN}, SECRETS)
        result = ADAPTER.send(sms(), account)
    assert (result.code, result.reason) == ("bad_number", Reason.CONTACT_GONE)
    assert "9161112233" not in result.text


FAULTS = {
    "throttled": (Fault(FaultKind.THROTTLED, seconds=17), Retry, False),
    "server error": (Fault(FaultKind.SERVER_ERROR), Retry, False),
    "gateway's time-out": (Fault(FaultKind.SERVER_ERROR, status=504), Retry, True),
    "garbage": (Fault(FaultKind.GARBAGE), Retry, True),
    "key revoked": (Fault(FaultKind.TOKEN_REVOKED), Failed, None),
    "forbidden": (Fault(FaultKind.BLOCKED), Failed, None),
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
    if name == "throttled":
        assert (result.after, result.whole_account) == (17.0, True)
    assert API_KEY not in repr(result)


@pytest.mark.parametrize(
    ("change", "code"),
    [({"text": "я"}, "text_too_short"), ({"text": "я" * 641}, "text_too_long"), ({"recipient": "12"}, "bad_number")],
)
def test_what_can_never_be_sent(server, account, change, code):
    assert ADAPTER.send(sms(**change), account).code == code
    assert server.accepted.after() == []


def test_an_account_that_is_not_set_up(account):
    assert ADAPTER.send(sms(), p.config_of("smsaero", {}, {})).code == "key_missing"
    assert ADAPTER.send(sms(), changed(account, sign="")).code == "sender_missing"


def test_addresses_that_we_did_not_give(account):
    good = ADAPTER.verify.__self__  # the adapter keeps no state: any instance believes the same
    assert good is ADAPTER
    for query in ({}, {"k": "a"}, {"k": "a", "s": ""}, {"k": "a", "s": "ы"}, {"k": "a", "s": "0" * 64}):
        with pytest.raises(Unverified):
            ADAPTER.verify(p.event(b"{}", query), account)
    unset = AccountConfig(account.id, "smsaero", {}, {})
    with pytest.raises(Unverified):
        ADAPTER.verify(p.event(b"{}", {"k": "a", "s": ""}), unset)


STATES = [
    (SAMPLES[0], InboundKind.STATUS, DeliveryState.DELIVERED, ""),
    (SAMPLES[1], InboundKind.STATUS, DeliveryState.FAILED, "undelivery"),
    (SAMPLES[2], InboundKind.IGNORED, None, ""),
    ({"status": "3"}, InboundKind.STATUS, DeliveryState.SENT, ""),
    ({"status": 6}, InboundKind.STATUS, DeliveryState.FAILED, "status 6"),
    ({"status": 0}, InboundKind.IGNORED, None, ""),
    ({"status": 99}, InboundKind.IGNORED, None, ""),
]


@pytest.mark.parametrize(("fields", "kind", "state", "error"), STATES)
def test_statuses_as_json_and_as_a_form(account, fields, kind, state, error):
    form = "&".join(f"{name}={value}" for name, value in fields.items() if name in ("id", "status", "extendStatus")).encode()
    for body in (fields, form):
        (item,) = ADAPTER.parse(p.event(body, {"k": "notice-1"}), account)
        assert (item.kind, item.state, item.error, item.external_id) == (kind, state, error, "notice-1")


@given(checks.json_objects(checks.words_of(SAMPLES)) | checks.mutated(SAMPLES))
def test_whatever_the_json(value):
    for query in ({}, {"k": "a\x00\ud83d" + "b" * 300}):
        raw = p.event(checks.body_of(value), query)
        assert ADAPTER.event_key(raw)
        try:
            (item,) = ADAPTER.parse(raw, AccountConfig("a", "smsaero"))
        except Unreadable:
            continue
        checks.storable(item)


@given(st.binary(max_size=60))
def test_whatever_the_bytes(body):
    checks.items_or_unreadable(ADAPTER, body)


def test_a_send_can_be_asked_about(server, account):
    outgoing = sms()
    result = ADAPTER.send(outgoing, account)
    assert ADAPTER.track(result.external_ids, PHONE, account) is None, "it is still in the queue"
    server.progress({"id": result.external_ids[1], "status": 1, "silent": True})
    item = ADAPTER.track(result.external_ids, PHONE, account)
    assert (item.external_id, item.state) == (outgoing.key, DeliveryState.DELIVERED)
    assert ADAPTER.track([outgoing.key], PHONE, account) is None, "without the provider's number there is nothing to ask"
    with pytest.raises(PollFault):
        ADAPTER.track([outgoing.key, "1"], PHONE, account)


def test_the_connection_is_tried(server, account):
    assert [found.works for found in ADAPTER.check(account, "")] == [True]
    assert [found.works for found in ADAPTER.check(changed(account, email="other@shop.example"), "")] == [False]
    assert [found.works for found in ADAPTER.check(p.config_of("smsaero", {}, {}), "")] == [False]
