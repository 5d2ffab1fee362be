"""The secret in the address of Odnoklassniki's webhook, connecting and files, against its server."""

import httpx
import pytest

from omni.channels.contract import AttachmentGone, AttachmentKind, AttachmentTooLarge, ConnectFault, InboundAttachment, RawEvent, Unverified
from omni.channels.ok.adapter import OkAdapter
from omni.channels.ok.tests.conftest import SECRET, account_of
from tests.channel_checks import RECEIVED
from tests.providers.faults import Fault, FaultKind
from tests.providers.ok import TOKEN, query_of

ADAPTER = OkAdapter()


def verify(query, account):
    ADAPTER.verify(RawEvent(b"{}", {}, RECEIVED, query), account)


def test_the_right_secret_passes(ok_frame):
    verify({"secret": SECRET}, account_of(ok_frame))


FORGED = {
    "wrong": ({"secret": "guessed"}, {}),
    "longer": ({"secret": f"{SECRET} "}, {}),
    "not ASCII": ({"secret": "прав\udcff"}, {}),
    "none": ({}, {}),
    "nothing configured": ({"secret": ""}, {"webhook_secret": ""}),
}


@pytest.mark.parametrize(("query", "secrets"), FORGED.values(), ids=FORGED)
def test_forged(ok_frame, query, secrets):
    with pytest.raises(Unverified):
        verify(query, account_of(ok_frame, secrets=secrets))


def test_connecting_and_the_check(ok_frame, server, account):
    address = "http://127.0.0.1:1/hooks/ok/1/"
    assert [finding.works for finding in ADAPTER.check(account, address)] == [True, False]
    ADAPTER.connect(account, address)
    assert [finding.works for finding in ADAPTER.check(account, address)] == [True, True]
    assert query_of(server) == f"secret={SECRET}"
    changed = account_of(ok_frame, secrets={"webhook_secret": "new"})
    findings = ADAPTER.check(changed, address)
    assert [finding.works for finding in findings] == [True, False]
    assert SECRET not in findings[1].text
    assert server.violations.after() == []


def test_without_a_secret_nothing_is_subscribed(ok_frame):
    with pytest.raises(ConnectFault):
        ADAPTER.connect(account_of(ok_frame, secrets={"webhook_secret": ""}), "https://otklik.example/")


def test_the_check_names_the_fault_but_not_the_token(ok_frame, server, account):
    server.faults.add(Fault(FaultKind.TOKEN_REVOKED))
    (refused,) = ADAPTER.check(account, "")
    (away,) = ADAPTER.check(account_of(ok_frame, settings={"api_base": "http://127.0.0.1:1"}), "")
    assert not refused.works
    assert not away.works
    assert TOKEN not in refused.text + away.text


@pytest.mark.parametrize("kind", ["photo", "document", "voice"])
def test_a_guests_file_is_fetched_whole(server, account, kind):
    data = bytes(range(256)) * 500
    (said,) = server.guest_says("Вот", **{kind: data})
    (item,) = ADAPTER.parse(RawEvent(said.body, {}, RECEIVED), account)
    assert ADAPTER.fetch(item.attachments[0], account, limit=len(data)) == data
    with pytest.raises(AttachmentTooLarge):
        ADAPTER.fetch(item.attachments[0], account, limit=1000)


@pytest.mark.parametrize("ref", ["geo:1,2", "tel:+79001112233", "http://169.254.169.254/", "file:///etc/passwd", "http://[", ""])
def test_no_such_file_and_no_way_into_our_network(account, ref):
    with pytest.raises(AttachmentGone):
        ADAPTER.fetch(InboundAttachment(AttachmentKind.DOCUMENT, ref), account, limit=100)


def test_a_passing_fault_may_be_tried_again(server, account):
    attachment = InboundAttachment(AttachmentKind.DOCUMENT, server.store(b"data", "a", "text/plain"))
    server.faults.add(Fault(FaultKind.SERVER_ERROR, method="download"))
    with pytest.raises(httpx.TransportError):
        ADAPTER.fetch(attachment, account, limit=100)
    assert ADAPTER.fetch(attachment, account, limit=100) == b"data"
