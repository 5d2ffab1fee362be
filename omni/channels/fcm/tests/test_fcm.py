"""FCM: what is sent and how, keys, each error of the table, faults over the wire."""

import json

import pytest

from omni.channels.contract import Failed, Reason, Retry, Sent, Unreadable, Unverified
from omni.channels.fcm.adapter import FcmAdapter
from tests import polled as p
from tests.providers.faults import Fault, FaultKind
from tests.providers.fcm import PROJECT, WORDS, FcmServer
from tests.providers.frame import Frame
from tests.providers.polled import ApiError

ADAPTER = FcmAdapter()
TOKEN = "cXv1:APA91b-demo-token"


@pytest.fixture(scope="module")
def frame():
    with Frame(FcmServer()) as running:
        yield running


@pytest.fixture
def server(frame):
    (found,) = frame.providers
    found.reset()
    yield found
    assert found.violations.after() == []


def account_of(frame, **settings):
    (server,) = frame.providers
    return p.config_of("fcm", {"api_base": frame.url, "read_timeout": 1, **settings}, {"service_account": server.service_account()})


@pytest.fixture
def account(frame):
    return account_of(frame)


def push(text="Вам ответили", recipient=TOKEN, **more):
    return p.outgoing(text, recipient=recipient, **{"subject": "Лукошко", "data": {"chat": "1"}, **more})


def test_a_push_goes_out(server, account):
    result = ADAPTER.send(push(token="session:1"), account)
    (entry,) = server.accepted.after()
    assert (entry["to"], entry["title"], entry["text"], entry["data"]) == (TOKEN, "Лукошко", "Вам ответили", {"chat": "1"})
    assert result == Sent((entry["id"],))
    assert entry["id"].startswith(f"projects/{PROJECT}/messages/")


def test_notices_of_one_thread_replace_each_other(server, account):
    for token in ("session:1", "session:1", "session:2"):
        ADAPTER.send(push(token=token), account)
    first, second, third = [entry["thread"] for entry in server.accepted.after()]
    assert first == second != third


def told(code):
    class Told(FcmServer):
        def send(self, request, found):
            raise ApiError(0, "", code)

    return Told()


CODES = {
    "UNREGISTERED": (Failed, "token_gone", Reason.CONTACT_GONE),
    "SENDER_ID_MISMATCH": (Failed, "foreign_token", Reason.CONTACT_GONE),
    "INVALID_ARGUMENT": (Failed, "bad_token", Reason.CONTACT_GONE),
    "THIRD_PARTY_AUTH_ERROR": (Failed, "apns_key_broken", Reason.ACCOUNT_REFUSED),
    "QUOTA_EXCEEDED": (Retry, "throttled", None),
    "UNAVAILABLE": (Retry, "http_503", None),
    "INTERNAL": (Retry, "http_500", None),
}


@pytest.mark.parametrize("code", WORDS)
def test_every_code_of_the_table(code):
    kind, name, reason = CODES[code]
    with Frame(told(code)) as frame:
        result = ADAPTER.send(push(), account_of(frame))
    assert isinstance(result, kind)
    assert result.code == name
    assert getattr(result, "reason", None) == reason
    if isinstance(result, Retry):
        assert not result.unknown


def test_a_bad_message_is_not_a_bad_token():
    class Told(FcmServer):
        def send(self, request, found):
            raise ApiError(0, "Invalid value at 'message.android.ttl'", "INVALID_ARGUMENT")

    with Frame(Told()) as frame:
        result = ADAPTER.send(push(), account_of(frame))
    assert (result.code, result.reason) == ("bad_message", Reason.REJECTED)


def test_tokens_that_are_gone(server, account):
    server.gone.add(TOKEN)
    assert ADAPTER.send(push(), account).reason is Reason.CONTACT_GONE
    assert ADAPTER.send(push(recipient="foreign-token-1"), account).reason is Reason.CONTACT_GONE
    assert ADAPTER.send(push(recipient="abc"), account).reason is Reason.CONTACT_GONE
    server.gone.clear()


FAULTS = {
    "throttled": (Fault(FaultKind.THROTTLED, seconds=17, method="send"), Retry, False),
    "server error": (Fault(FaultKind.SERVER_ERROR, method="send"), Retry, False),
    "unavailable": (Fault(FaultKind.SERVER_ERROR, status=503, method="send"), Retry, False),
    "garbage": (Fault(FaultKind.GARBAGE, method="send"), Retry, True),
    "gone": (Fault(FaultKind.BLOCKED, method="send"), Failed, None),
    "late": (Fault(FaultKind.LATE, seconds=0.1, method="send"), Sent, None),
    "no answer in time": (Fault(FaultKind.TIMEOUT_AFTER_ACCEPTING, seconds=3, method="send"), Retry, True),
    "dropped": (Fault(FaultKind.DROPPED_AFTER_ACCEPTING, method="send"), Retry, True),
    "garbage after accepting": (Fault(FaultKind.GARBAGE_AFTER_ACCEPTING, method="send"), Retry, True),
    "no key, dropped": (Fault(FaultKind.DROPPED_AFTER_ACCEPTING, method="token"), Retry, False),
    "no key, garbage": (Fault(FaultKind.GARBAGE, method="token"), Retry, False),
    "no key, error": (Fault(FaultKind.SERVER_ERROR, status=502, method="token"), Retry, False),
}


@pytest.mark.parametrize("name", FAULTS)
def test_faults_over_the_wire(frame, server, name):
    account = account_of(frame)
    fault, kind, unknown = FAULTS[name]
    server.faults.add(fault)
    result = ADAPTER.send(push(), account)
    assert isinstance(result, kind)
    if isinstance(result, Retry):
        assert result.unknown is unknown
    if name == "throttled":
        assert (result.after, result.whole_account) == (17.0, True)
    assert "PRIVATE KEY" not in repr(result)


def test_a_revoked_key_is_asked_for_anew(server, account):
    assert isinstance(ADAPTER.send(push(), account), Sent)
    server.keys.clear()
    assert isinstance(ADAPTER.send(push(), account), Sent)
    server.faults.add(Fault(FaultKind.TOKEN_REVOKED, method="send"), times=2)
    assert ADAPTER.send(push(), account).reason is Reason.ACCOUNT_REFUSED


@pytest.mark.parametrize("service_account", ["", "nonsense", "[]", "{}", json.dumps({"project_id": "a", "client_email": "b"})])
def test_a_key_that_is_none(frame, server, service_account):
    account = p.config_of("fcm", {"api_base": frame.url}, {"service_account": service_account})
    assert ADAPTER.send(push(), account).reason is Reason.ACCOUNT_REFUSED


def test_another_project(server, frame):
    assert ADAPTER.send(push(), account_of(frame, project="other")).reason is Reason.ACCOUNT_REFUSED


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"text": ""}, "empty"),
        ({"text": "я" * 1001}, "text_too_long"),
        ({"data": {"a": "b" * 4096}}, "too_large"),
        ({"recipient": ""}, "no_recipient"),
    ],
)
def test_what_can_never_be_sent(server, account, change, code):
    assert ADAPTER.send(push(**change), account).code == code
    assert server.accepted.after() == []


def test_nothing_comes_in(account):
    with pytest.raises(Unverified):
        ADAPTER.verify(p.event(b"{}"), account)
    with pytest.raises(Unreadable):
        ADAPTER.parse(p.event(b"{}"), account)
    assert ADAPTER.event_key(p.event(b"{}"))


def test_the_connection_is_tried(server, frame, account):
    assert [found.works for found in ADAPTER.check(account, "")] == [True]
    assert [found.works for found in ADAPTER.check(account_of(frame, project="other"), "")] == [False]
    assert server.accepted.after() == []
