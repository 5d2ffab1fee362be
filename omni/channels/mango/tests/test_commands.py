"""Commands over the real wire: calling back, a recording, the check; every code of the vendor."""

import itertools
import socket

import httpx
import pytest

from omni.channels.asking import Answer
from omni.channels.contract import (
    AccountConfig,
    AttachmentGone,
    AttachmentKind,
    AttachmentTooLarge,
    Failed,
    InboundAttachment,
    Reason,
    Retry,
    Sent,
)
from omni.channels.mango import commands
from omni.channels.mango.adapter import MangoAdapter
from tests.providers.faults import Fault, FaultKind
from tests.providers.frame import Frame
from tests.providers.mango import API_KEY, SALT, SOUND, MangoServer

ADAPTER = MangoAdapter()
ACCOUNTS = itertools.count()


@pytest.fixture(scope="module")
def frame():
    with Frame(MangoServer()) as running:
        yield running


@pytest.fixture
def server(frame):
    (found,) = frame.providers
    yield found
    found.reset()
    found.busy.clear()


@pytest.fixture
def account(frame, server):
    return account_of(frame.url)


def account_of(url, **secrets):
    settings = {"api_base": f"{url}/vpbx", "read_timeout": 2, "line_number": "+74950001122"}
    return AccountConfig(f"mango-{next(ACCOUNTS)}", "mango", settings, {"vpbx_api_key": API_KEY, "vpbx_api_salt": SALT, **secrets})


def order(account, number="+79001112233"):
    return ADAPTER.call_back(account, extension="101", number=number, key="order-1")


def test_a_call_back_is_ordered(account, server):
    assert order(account) == Sent(("order-1",))
    (told,) = server.accepted.after()
    assert (told["extension"], told["number"], told["line"]) == ("101", "79001112233", "74950001122")
    assert server.violations.after() == []


def test_a_number_that_is_none_and_one_that_is_busy(account, server):
    assert order(account, "+1").code == "wrong_number"
    server.busy.add("79001112233")
    assert isinstance(order(account), Retry)
    assert server.accepted.after() == []


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (Fault(FaultKind.THROTTLED, seconds=7), ("throttled", 7.0, False)),
        (Fault(FaultKind.SERVER_ERROR), ("http_500", None, False)),
        (Fault(FaultKind.SERVER_ERROR, status=504), ("http_504", None, True)),
        (Fault(FaultKind.GARBAGE), ("garbled_answer", None, True)),
        (Fault(FaultKind.DROPPED_AFTER_ACCEPTING), ("no_answer", None, True)),
        (Fault(FaultKind.GARBAGE_AFTER_ACCEPTING), ("garbled_answer", None, True)),
    ],
)
def test_passing_faults(account, server, fault, expected):
    server.faults.add(fault)
    result = order(account)
    assert isinstance(result, Retry)
    assert (result.code, result.after, result.unknown) == expected


def test_a_late_answer_is_an_answer(account, server):
    server.faults.add(Fault(FaultKind.LATE, seconds=0.2))
    assert isinstance(order(account), Sent)


def test_keys_that_are_no_longer_taken(frame, server):
    result = order(account_of(frame.url, vpbx_api_salt="old"))
    assert (result.code, result.reason) == ("key_refused", Reason.ACCOUNT_REFUSED)


def test_nobody_there():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        result = order(account_of(f"http://127.0.0.1:{taken.getsockname()[1]}"))
    assert (result.code, result.unknown) == ("no_connection", False)


@pytest.mark.parametrize(
    ("result", "kind", "code"),
    [
        (2001, Failed, "not_paid"),
        (3200, Failed, "wrong_number"),
        (3104, Failed, "result_3104"),
        (4201, Retry, "unreachable"),
        (5000, Retry, "out_of_order"),
    ],
)
def test_the_vendors_codes(result, kind, code):
    found = commands.outcome(Answer(200, {"result": result}), "k")
    assert isinstance(found, kind)
    assert found.code == code


def recording(account, name="rec-1", limit=1000):
    return ADAPTER.fetch(InboundAttachment(AttachmentKind.AUDIO, name), account, limit=limit)


def test_a_recording_is_fetched_by_its_address_of_one_use(account, server):
    assert recording(account) == SOUND
    with pytest.raises(AttachmentTooLarge):
        recording(account, limit=5)
    with pytest.raises(AttachmentGone):
        recording(account, "no-such")
    server.faults.add(Fault(FaultKind.SERVER_ERROR))
    with pytest.raises(httpx.TransportError):
        recording(account)


def test_the_check_names_the_extensions(frame, account, server):
    (found,) = ADAPTER.check(account, "")
    assert found.works
    assert "101" in found.text
    (refused,) = ADAPTER.check(account_of(frame.url, vpbx_api_key="old"), "")
    assert not refused.works
    assert "old" not in refused.text
