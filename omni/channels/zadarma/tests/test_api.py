"""The API over the real wire: calling back, a recording, the check; faults."""

import itertools

import httpx
import pytest

from omni.channels.contract import AccountConfig, AttachmentGone, AttachmentKind, AttachmentTooLarge, InboundAttachment, Reason, Retry, Sent
from omni.channels.zadarma.adapter import ZadarmaAdapter
from tests.providers.faults import Fault, FaultKind
from tests.providers.frame import Frame
from tests.providers.zadarma import KEY, SECRET, SOUND, ZadarmaServer

ADAPTER = ZadarmaAdapter()
ACCOUNTS = itertools.count()


@pytest.fixture(scope="module")
def frame():
    with Frame(ZadarmaServer()) as running:
        yield running


@pytest.fixture
def server(frame):
    (found,) = frame.providers
    yield found
    assert found.violations.after() == []
    found.reset()


def account_of(frame, **secrets):
    settings = {"api_base": frame.url, "read_timeout": 2}
    return AccountConfig(f"zadarma-{next(ACCOUNTS)}", "zadarma", settings, {"api_key": KEY, "api_secret": SECRET, **secrets})


@pytest.fixture
def account(frame, server):
    return account_of(frame)


def order(account, number="+79001112233"):
    return ADAPTER.call_back(account, extension="101", number=number, key="order-1")


def test_a_call_back_is_ordered(account, server):
    assert order(account) == Sent(("1435573082",))
    (told,) = server.accepted.after()
    assert (told["extension"], told["number"]) == ("101", "79001112233")


def test_a_number_that_is_none(account, server):
    assert order(account, "+7").reason == Reason.CONTACT_GONE


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (Fault(FaultKind.THROTTLED, seconds=9), ("throttled", 9.0, False)),
        (Fault(FaultKind.SERVER_ERROR, status=502), ("http_502", None, False)),
        (Fault(FaultKind.GARBAGE), ("garbled_answer", None, True)),
        (Fault(FaultKind.DROPPED_AFTER_ACCEPTING), ("no_answer", None, True)),
    ],
)
def test_passing_faults(account, server, fault, expected):
    server.faults.add(fault)
    result = order(account)
    assert isinstance(result, Retry)
    assert (result.code, result.after, result.unknown) == expected


def test_keys_that_are_no_longer_taken(frame, server):
    assert order(account_of(frame, api_secret="old")).reason == Reason.ACCOUNT_REFUSED
    (found,) = ADAPTER.check(account_of(frame, api_secret="old"), "")
    assert not found.works


def test_the_check_tells_the_balance(account, server):
    (found,) = ADAPTER.check(account, "")
    assert (found.works, "10.34 RUB" in found.text) == (True, True)


def test_a_recording(account, server):
    def fetch(name, limit=1000):
        return ADAPTER.fetch(InboundAttachment(AttachmentKind.AUDIO, name), account, limit=limit)

    assert fetch("rec-1") == SOUND
    with pytest.raises(AttachmentGone):
        fetch("no-such")
    with pytest.raises(AttachmentTooLarge):
        fetch("rec-1", limit=3)
    server.faults.add(Fault(FaultKind.GARBAGE))
    with pytest.raises(httpx.TransportError):
        fetch("rec-1")
