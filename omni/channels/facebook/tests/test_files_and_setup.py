"""Fetching files, the check of the connection and the subscription, against the Graph API server."""

import httpx
import pytest

from omni.channels.contract import AttachmentGone, AttachmentKind, AttachmentTooLarge, ConnectFault, InboundAttachment, RawEvent
from omni.channels.facebook.adapter import FacebookAdapter
from omni.channels.facebook.tests.conftest import account_of
from tests.channel_checks import RECEIVED
from tests.providers.facebook import ACCESS_TOKEN
from tests.providers.faults import Fault, FaultKind

ADAPTER = FacebookAdapter()
fetch = ADAPTER.fetch


def attachment(ref):
    return InboundAttachment(AttachmentKind.DOCUMENT, ref)


def test_the_guests_photo_is_fetched_whole(server, account):
    data = b"\xff\xd8\xff" + bytes(300_000)
    (event,) = server.guest_says("чек", photo=data)
    (item,) = ADAPTER.parse(RawEvent(event.body, {}, RECEIVED), account)
    assert fetch(item.attachments[0], account, limit=len(data)) == data
    with pytest.raises(AttachmentTooLarge):
        fetch(item.attachments[0], account, limit=len(data) - 1)


GONE = ["", "geo:55.75,37.61", "http://10.0.0.1/f", "http://127.0.0.1:1/f", "http://169.254.169.254/latest", "http://[", "https://"]


@pytest.mark.parametrize("ref", GONE)
def test_what_is_no_file_of_theirs_is_not_fetched(account, ref):
    with pytest.raises(AttachmentGone):
        fetch(attachment(ref), account, limit=100)


def test_a_link_that_has_expired(server, account):
    with pytest.raises(AttachmentGone):
        fetch(attachment(f"{server.base_url}/facebook/files/none"), account, limit=100)


@pytest.mark.parametrize("kind", [FaultKind.SERVER_ERROR, FaultKind.DROPPED_AFTER_ACCEPTING])
def test_a_passing_fault_may_be_tried_again(server, account, kind):
    url = server.store(b"data", "a", "image/jpeg")
    server.faults.add(Fault(kind, method="download"))
    with pytest.raises(httpx.TransportError):
        fetch(attachment(url), account, limit=100)
    assert fetch(attachment(url), account, limit=100) == b"data"


def test_connecting_subscribes_the_app_and_the_check_sees_it(server, account):
    assert [finding.works for finding in ADAPTER.check(account, "https://otklik.example/")] == [True, False]
    ADAPTER.connect(account, "https://otklik.example/")
    assert [finding.works for finding in ADAPTER.check(account, "https://otklik.example/")] == [True, True]
    server.subscribed.remove("feed")
    assert "feed" in ADAPTER.check(account, "https://otklik.example/")[1].text
    assert server.violations.after() == []


def test_the_check_names_the_fault_but_not_the_token(facebook_frame, server, dead_address):
    for changes in ({"secrets": {"access_token": "wrong"}}, {"secrets": {"access_token": ""}}, {"settings": {"api_base": dead_address}}):
        account = account_of(facebook_frame, **changes)
        (finding,) = ADAPTER.check(account, "https://otklik.example/")
        assert not finding.works
        assert finding.text
        assert ACCESS_TOKEN not in finding.text
        with pytest.raises(ConnectFault):
            ADAPTER.connect(account, "https://otklik.example/")


def test_the_servers_events_pass_our_check(server, account):
    for event in (*server.guest_says("привет"), *server.guest_says("привет", comment=True)):
        ADAPTER.verify(RawEvent(event.body, {name.lower(): value for name, value in event.headers.items()}, RECEIVED), account)
