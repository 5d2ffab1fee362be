"""Huawei's push: what is sent and how, keys, each error of the table, faults over the wire."""

import pytest

from omni.channels.contract import Failed, Reason, Retry, Sent
from omni.channels.hms.adapter import HmsAdapter
from tests import polled as p
from tests.providers.faults import Fault, FaultKind
from tests.providers.frame import Frame
from tests.providers.hms import APP_ID, APP_SECRET, HmsServer
from tests.providers.polled import ApiError

ADAPTER = HmsAdapter()
TOKEN = "IQAAAACy0demo-token"


@pytest.fixture(scope="module")
def frame():
    with Frame(HmsServer()) as running:
        yield running


@pytest.fixture
def server(frame):
    (found,) = frame.providers
    found.reset()
    yield found
    assert found.violations.after() == []


def account_of(frame, secret=APP_SECRET, **settings):
    given = {"api_base": frame.url, "token_address": f"{frame.url}/oauth2/v3/token", "app_id": APP_ID, "read_timeout": 1}
    return p.config_of("hms", {**given, **settings}, {"app_secret": secret})


@pytest.fixture
def account(frame):
    return account_of(frame)


def push(text="Вам ответили", recipient=TOKEN, **more):
    return p.outgoing(text, recipient=recipient, **{"subject": "Лукошко", "data": {"chat": "1"}, **more})


def test_a_push_goes_out(server, account):
    assert isinstance(ADAPTER.send(push(), account), Sent)
    (entry,) = server.accepted.after()
    assert (entry["to"], entry["title"], entry["text"], entry["data"]) == (TOKEN, "Лукошко", "Вам ответили", {"chat": "1"})


def test_without_title_and_data_and_with_an_action_of_the_app(server, frame):
    assert isinstance(ADAPTER.send(push(subject="", data={}), account_of(frame, click_action="ru.lukoshko.CHAT")), Sent)


CODES = {
    "80100001": (Failed, "bad_parameters", Reason.REJECTED),
    "80100003": (Failed, "bad_message", Reason.REJECTED),
    "80100004": (Failed, "bad_lifetime", Reason.REJECTED),
    "80200001": (Failed, "key_refused", Reason.ACCOUNT_REFUSED),
    "80200003": (Failed, "key_refused", Reason.ACCOUNT_REFUSED),
    "80300002": (Failed, "no_right", Reason.ACCOUNT_REFUSED),
    "80300007": (Failed, "token_gone", Reason.CONTACT_GONE),
    "80100000": (Failed, "token_gone", Reason.CONTACT_GONE),
    "80300008": (Failed, "too_large", Reason.TOO_LONG),
    "80300010": (Failed, "token_count", Reason.REJECTED),
    "81000001": (Retry, "hms_81000001", None),
    "80600003": (Retry, "hms_80600003", None),
    "80999999": (Failed, "hms_80999999", Reason.REJECTED),
}


@pytest.mark.parametrize("code", CODES)
def test_every_code_of_the_table(code):
    class Told(HmsServer):
        def send(self, request, found):
            raise ApiError(200, '{"success": 0, "failure": 1, "illegal_tokens": ["x"]}', code)

    kind, name, reason = CODES[code]
    with Frame(Told()) as frame:
        result = ADAPTER.send(push(), account_of(frame))
    assert isinstance(result, kind)
    assert (result.code, getattr(result, "reason", None)) == (name, reason)


FAULTS = {
    "flow control": (Fault(FaultKind.THROTTLED, seconds=17, method="send"), Retry, False),
    "wrong inside": (Fault(FaultKind.SERVER_ERROR, method="send"), Retry, False),
    "bad gateway": (Fault(FaultKind.SERVER_ERROR, status=502, method="send"), Retry, False),
    "gateway's time-out": (Fault(FaultKind.SERVER_ERROR, status=504, method="send"), Retry, True),
    "garbage": (Fault(FaultKind.GARBAGE, method="send"), Retry, True),
    "gone": (Fault(FaultKind.BLOCKED, method="send"), Failed, None),
    "late": (Fault(FaultKind.LATE, seconds=0.1, method="send"), Sent, None),
    "no answer in time": (Fault(FaultKind.TIMEOUT_AFTER_ACCEPTING, seconds=3, method="send"), Retry, True),
    "dropped": (Fault(FaultKind.DROPPED_AFTER_ACCEPTING, method="send"), Retry, True),
    "garbage after accepting": (Fault(FaultKind.GARBAGE_AFTER_ACCEPTING, method="send"), Retry, True),
    "no key, dropped": (Fault(FaultKind.DROPPED_AFTER_ACCEPTING, method="token"), Retry, False),
}


@pytest.mark.parametrize("name", FAULTS)
def test_faults_over_the_wire(frame, server, name):
    fault, kind, unknown = FAULTS[name]
    server.faults.add(fault)
    result = ADAPTER.send(push(), account_of(frame))
    assert isinstance(result, kind)
    if isinstance(result, Retry):
        assert result.unknown is unknown
    if name == "flow control":
        assert (result.after, result.whole_account) == (17.0, True)
    assert APP_SECRET not in repr(result)


def test_a_key_that_is_over_is_asked_for_anew(server, account):
    assert isinstance(ADAPTER.send(push(), account), Sent)
    server.keys.clear()
    assert isinstance(ADAPTER.send(push(), account), Sent)
    server.faults.add(Fault(FaultKind.TOKEN_REVOKED, method="send"))
    assert isinstance(ADAPTER.send(push(), account), Sent), "one refusal only costs a new key"


def test_a_secret_that_is_wrong(server, frame):
    assert ADAPTER.send(push(), account_of(frame, secret="wrong")).reason is Reason.ACCOUNT_REFUSED
    assert ADAPTER.send(push(), account_of(frame, secret="")).code == "key_missing"
    assert ADAPTER.send(push(), account_of(frame, app_id="../x")).code == "app_missing"


def test_too_large(server, account):
    assert ADAPTER.send(push(data={"a": "b" * 4096}), account).code == "too_large"
    assert server.accepted.after() == []


def test_the_connection_is_tried(server, frame, account):
    assert [found.works for found in ADAPTER.check(account, "")] == [True]
    assert [found.works for found in ADAPTER.check(account_of(frame, secret="wrong"), "")] == [False]
    assert server.accepted.after() == []
