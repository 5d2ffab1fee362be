"""Fetching files, the check of the connection and the webhook, against the Cloud API server."""

import json

import httpx
import pytest
from django.utils import translation

from omni.channels.contract import AttachmentGone, AttachmentKind, AttachmentTooLarge, ConnectFault, InboundAttachment, RawEvent
from omni.channels.meta.files import is_metas_own
from omni.channels.whatsapp.adapter import WhatsAppAdapter
from omni.channels.whatsapp.files import MediaUnavailable
from omni.channels.whatsapp.tests.conftest import account_of
from tests.channel_checks import RECEIVED
from tests.providers.faults import Fault, FaultKind
from tests.providers.social import Upload
from tests.providers.whatsapp import ACCESS_TOKEN

ADAPTER = WhatsAppAdapter()
fetch = ADAPTER.fetch


def attachment(ref, **changes):
    return InboundAttachment(AttachmentKind.DOCUMENT, ref, **changes)


def stored(server, data):
    server.media["5551"] = Upload("чек.pdf", "application/pdf", data)
    return attachment("5551")


def test_the_guests_photo_is_fetched_whole(server, account):
    data = b"\xff\xd8\xff" + bytes(300_000)
    (event,) = server.guest_says("чек", photo=data)
    (item,) = ADAPTER.parse(RawEvent(event.body, {}, RECEIVED), account)
    assert fetch(item.attachments[0], account, limit=len(data)) == data


def test_over_the_limit_by_its_announced_size(server, account):
    with pytest.raises(AttachmentTooLarge):
        fetch(stored(server, b"x" * 101), account, limit=100)


def test_over_the_limit_by_its_bytes(server, account, monkeypatch):
    monkeypatch.setattr(server, "media_info", lambda key: {"url": f"{server.base_url}/whatsapp/lookaside/{key}", "file_size": 5})
    with pytest.raises(AttachmentTooLarge):
        fetch(stored(server, b"x" * 200_000), account, limit=100_000)


@pytest.mark.parametrize("ref", ["unknown", "404404", "", "../109900110022", "geo:55.75,37.61", "tel:+79001112233", "a/b", "x" * 65])
def test_no_such_file(server, account, ref):
    with pytest.raises(AttachmentGone):
        fetch(attachment(ref), account, limit=100)


@pytest.mark.parametrize("kind", [FaultKind.THROTTLED, FaultKind.SERVER_ERROR, FaultKind.TOKEN_REVOKED])
@pytest.mark.parametrize("method", ["node", "download"])
def test_a_passing_fault_may_be_tried_again(server, account, kind, method):
    server.faults.add(Fault(kind, method=method))
    with pytest.raises((MediaUnavailable, httpx.TransportError)):
        fetch(stored(server, b"data"), account, limit=100)
    assert fetch(stored(server, b"data"), account, limit=100) == b"data"


@pytest.mark.parametrize(
    "url", ["http://10.0.0.1/f", "http://127.0.0.1:1/f", "file:///etc/passwd", "http://[", "", "http://169.254.169.254/"]
)
def test_our_own_network_is_not_entered(server, account, monkeypatch, url):
    monkeypatch.setattr(server, "media_info", lambda key: {"url": url})
    with pytest.raises(AttachmentGone):
        fetch(stored(server, b"data"), account, limit=100)


OWN = {
    "https://lookaside.fbsbx.com/whatsapp/1": True,
    "https://scontent.fbcdn.net/1": True,
    "http://lookaside.fbsbx.com/1": False,
    "https://evilfbsbx.com/1": False,
    "https://fbsbx.com.evil.example/1": False,
    "http://[": False,
}


@pytest.mark.parametrize(("address", "own"), OWN.items())
def test_the_token_goes_to_meta_only(account, address, own):
    assert is_metas_own(address, account) is own


def test_the_check_names_the_number_and_its_webhook(server, account):
    found = ADAPTER.check(account, "https://otklik.example/in/")
    assert [finding.works for finding in found] == [True, False]
    assert "+7 495 000-11-22" in found[0].text
    server.callback = "https://otklik.example/in/"
    assert [finding.works for finding in ADAPTER.check(account, "https://otklik.example/in/")] == [True, True]
    assert not ADAPTER.check(account, "https://other.example/")[1].works
    assert server.violations.after() == []


def test_the_check_names_the_fault_but_not_the_token(whatsapp_frame, server, dead_address):
    for changes in ({"secrets": {"access_token": "wrong"}}, {"secrets": {"access_token": ""}}, {"settings": {"api_base": dead_address}}):
        (finding,) = ADAPTER.check(account_of(whatsapp_frame, **changes), "https://otklik.example/")
        assert not finding.works
        assert finding.text
        assert ACCESS_TOKEN not in finding.text
    server.faults.add(Fault(FaultKind.GARBAGE))
    assert not ADAPTER.check(account_of(whatsapp_frame), "https://otklik.example/")[0].works


def test_an_address_that_does_not_answer_the_handshake_is_refused(server, account, dead_address):
    with pytest.raises(ConnectFault, match="verification failed"):
        ADAPTER.connect(account, f"{dead_address}/hooks/")
    assert server.subscribed


@pytest.mark.parametrize("changes", [{"secrets": {"verify_token": ""}}, {"settings": {"business_account_id": ""}}])
def test_without_id_and_token_nothing_is_connected(whatsapp_frame, server, changes):
    with translation.override("en"), pytest.raises(ConnectFault, match="needed"):
        ADAPTER.connect(account_of(whatsapp_frame, **changes), "https://otklik.example/")


def test_the_servers_events_pass_our_check(server, account):
    for event in server.guest_says("привет"):
        headers = {name.lower(): value for name, value in event.headers.items()}
        ADAPTER.verify(RawEvent(event.body, headers, RECEIVED), account)
        assert json.loads(event.body)["entry"]
