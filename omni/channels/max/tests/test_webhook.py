"""The secret of MAX's webhook, connecting and files, against the MAX server."""

import httpx
import pytest

from omni.channels.contract import AttachmentGone, AttachmentKind, AttachmentTooLarge, ConnectFault, InboundAttachment, RawEvent, Unverified
from omni.channels.max.adapter import MaxAdapter
from omni.channels.max.tests.conftest import account_of
from tests.channel_checks import RECEIVED
from tests.providers.faults import Fault, FaultKind
from tests.providers.max import SECRET, TOKEN

ADAPTER = MaxAdapter()
HEADER = "x-max-bot-api-secret"


def verify(headers, account):
    ADAPTER.verify(RawEvent(b"{}", headers, RECEIVED), account)


def test_the_right_secret_passes(max_frame):
    verify({HEADER: SECRET}, account_of(max_frame))


FORGED = {
    "wrong": ({HEADER: "guessed"}, {}),
    "longer": ({HEADER: f"{SECRET} "}, {}),
    "not ASCII": ({HEADER: "прав\udcff"}, {}),
    "none": ({}, {}),
    "nothing configured": ({HEADER: ""}, {"webhook_secret": ""}),
}


@pytest.mark.parametrize(("headers", "secrets"), FORGED.values(), ids=FORGED)
def test_forged(max_frame, headers, secrets):
    with pytest.raises(Unverified):
        verify(headers, account_of(max_frame, secrets=secrets))


def test_connecting_and_the_check(server, account):
    address = "https://otklik.example/hooks/max/1/"
    assert [finding.works for finding in ADAPTER.check(account, address)] == [True, False]
    ADAPTER.connect(account, address)
    ADAPTER.connect(account, address)
    assert [finding.works for finding in ADAPTER.check(account, address)] == [True, True]
    assert [finding.works for finding in ADAPTER.check(account, "https://other.example/")] == [True, False, False]
    assert (server.secret, len(server.subscriptions)) == (SECRET, 1)
    assert server.violations.after() == []


@pytest.mark.parametrize("secret", ["", "four", "two words", "секрет", "x" * 257])
def test_a_secret_max_would_refuse(max_frame, secret):
    with pytest.raises(ConnectFault):
        ADAPTER.connect(account_of(max_frame, secrets={"webhook_secret": secret}), "https://otklik.example/")


def test_the_check_names_the_fault_but_not_the_token(max_frame, server, account):
    server.faults.add(Fault(FaultKind.TOKEN_REVOKED))
    (refused,) = ADAPTER.check(account, "")
    (away,) = ADAPTER.check(account_of(max_frame, settings={"api_base": "http://127.0.0.1:1"}), "")
    assert not refused.works
    assert not away.works
    assert TOKEN not in refused.text + away.text


@pytest.mark.parametrize("kind", ["photo", "document", "voice", "video"])
def test_a_guests_file_is_fetched_whole(server, account, kind):
    data = bytes(range(256)) * 500
    (said,) = server.guest_says("Вот", **{kind: data})
    (item,) = ADAPTER.parse(RawEvent(said.body, {}, RECEIVED), account)
    assert ADAPTER.fetch(item.attachments[0], account, limit=len(data)) == data
    with pytest.raises(AttachmentTooLarge):
        ADAPTER.fetch(item.attachments[0], account, limit=1000)


def attachment(ref):
    return InboundAttachment(AttachmentKind.DOCUMENT, ref)


@pytest.mark.parametrize(
    "ref", ["geo:1,2", "tel:+79001112233", "video:unknown", "http://169.254.169.254/", "file:///etc/passwd", "http://[", ""]
)
def test_no_such_file_and_no_way_into_our_network(account, ref):
    with pytest.raises(AttachmentGone):
        ADAPTER.fetch(attachment(ref), account, limit=100)


def test_a_passing_fault_may_be_tried_again(server, account):
    server.videos["v1"] = server.store(b"data", "a.mp4", "video/mp4")
    for method, kind in (
        ("videos", FaultKind.SERVER_ERROR),
        ("download", FaultKind.SERVER_ERROR),
        ("download", FaultKind.DROPPED_AFTER_ACCEPTING),
    ):
        server.faults.add(Fault(kind, method=method))
        with pytest.raises(httpx.TransportError):
            ADAPTER.fetch(attachment("video:v1"), account, limit=100)
    assert ADAPTER.fetch(attachment("video:v1"), account, limit=100) == b"data"
