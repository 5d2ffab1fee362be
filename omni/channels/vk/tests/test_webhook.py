"""The secret and the confirmation of VK's webhook, connecting, files and names, against the VK server."""

import json

import httpx
import pytest

from omni.channels.contract import (
    AttachmentGone,
    AttachmentKind,
    AttachmentTooLarge,
    ConnectFault,
    InboundAttachment,
    RawEvent,
    Unverified,
    WebhookReply,
)
from omni.channels.vk.adapter import VkAdapter
from omni.channels.vk.setup import EVENTS
from omni.channels.vk.tests.conftest import GUEST, account_of
from tests.channel_checks import RECEIVED
from tests.providers.faults import Fault, FaultKind
from tests.providers.frame import Frame, Provider, Reply, Request
from tests.providers.vk import CONFIRMATION, GROUP, SECRET, TOKEN

ADAPTER = VkAdapter()


def event(**body) -> RawEvent:
    return RawEvent(json.dumps(body).encode(), {}, RECEIVED)


GENUINE = {"type": "message_new", "group_id": GROUP, "secret": SECRET}


def test_the_right_secret_passes(vk_frame):
    ADAPTER.verify(event(**GENUINE), account_of(vk_frame))


FORGED = {
    "wrong": (GENUINE | {"secret": "guessed"}, {}),
    "other case": (GENUINE | {"secret": SECRET.upper()}, {}),
    "longer": (GENUINE | {"secret": f"{SECRET} "}, {}),
    "not ASCII": (GENUINE | {"secret": "прав\udcff"}, {}),
    "a list": (GENUINE | {"secret": [SECRET]}, {}),
    "none": ({"type": "message_new", "group_id": GROUP}, {}),
    "another community": (GENUINE | {"group_id": 1}, {}),
    "no community": ({"type": "message_new", "secret": SECRET}, {}),
    "nothing configured": (GENUINE | {"secret": ""}, {"secret": ""}),
}


@pytest.mark.parametrize(("body", "secrets"), FORGED.values(), ids=FORGED)
def test_forged(vk_frame, body, secrets):
    with pytest.raises(Unverified):
        ADAPTER.verify(event(**body), account_of(vk_frame, secrets=secrets))


@pytest.mark.parametrize("body", [b"", b"[]", b"\xff", b"{}"])
def test_no_json_no_trust(vk_frame, body):
    with pytest.raises(Unverified):
        ADAPTER.verify(RawEvent(body, {}, RECEIVED), account_of(vk_frame))


def test_without_a_community_nothing_is_believed(vk_frame):
    with pytest.raises(Unverified):
        ADAPTER.verify(event(**GENUINE | {"group_id": ""}), account_of(vk_frame, settings={"group_id": ""}))


@pytest.mark.parametrize("settings", [{"confirmation": "own-string"}, {}])
def test_the_confirmation_is_answered_without_a_secret(vk_frame, server, settings):
    reply = ADAPTER.greet(event(type="confirmation", group_id=GROUP), "POST", account_of(vk_frame, settings=settings))
    assert reply == WebhookReply(200, (settings.get("confirmation") or CONFIRMATION).encode(), "text/plain")


@pytest.mark.parametrize("body", [{"type": "confirmation", "group_id": 1}, {"type": "confirmation", "group_id": GROUP, "secret": "x"}])
def test_the_confirmation_is_for_our_community_only(vk_frame, server, body):
    with pytest.raises(Unverified):
        ADAPTER.greet(event(**body), "POST", account_of(vk_frame))


def test_a_confirmation_that_cannot_be_had_is_no_wrong_one(vk_frame, server):
    server.faults.add(Fault(FaultKind.TOKEN_REVOKED))
    reply = ADAPTER.greet(event(type="confirmation", group_id=GROUP), "POST", account_of(vk_frame))
    assert reply is not None
    assert (reply.status, reply.body) == (503, b"")


def test_other_events_are_no_handshake_and_are_answered_ok(vk_frame):
    account = account_of(vk_frame)
    assert ADAPTER.greet(event(**GENUINE), "POST", account) is None
    assert ADAPTER.greet(event(type="confirmation", group_id=GROUP), "GET", account) is None
    assert ADAPTER.reply(event(**GENUINE), account) == WebhookReply(200, b"ok", "text/plain")


class Product(Provider):
    """Our webhook as the VK server sees it."""

    name = "product"

    def __init__(self, account) -> None:
        super().__init__()
        self.account = account

    def handle(self, request: Request) -> Reply | None:
        if request.path != "/hook":
            return None
        reply = ADAPTER.greet(RawEvent(request.body, {}, RECEIVED), request.method, self.account)
        return Reply(reply.status, reply.body, reply.content_type) if reply else Reply(200, b"ok", "text/plain")


def test_connecting_registers_confirms_and_switches_the_events_on(vk_frame, server, account):
    with Frame(Product(account)) as product:
        address = f"{product.url}/hook"
        ADAPTER.connect(account, address)
        assert [finding.works for finding in ADAPTER.check(account, address)] == [True, True]
        ADAPTER.connect(account, address)  # again: the same server, its secret brought up to date
    (registered,) = server.servers.values()
    assert (registered["url"], registered["secret_key"], registered["status"]) == (address, SECRET, "ok")
    assert set(registered["events"]) == set(EVENTS)
    assert server.violations.after() == []


def test_the_check_tells_what_is_wrong(vk_frame, server, account):
    assert [finding.works for finding in ADAPTER.check(account, "http://127.0.0.1:1/hook")] == [True, False]
    ADAPTER.connect(account, "http://127.0.0.1:1/hook")  # nobody answers there
    findings = ADAPTER.check(account, "http://127.0.0.1:1/hook")
    assert [finding.works for finding in findings] == [True, False]
    assert "failed" in findings[1].text
    server.faults.add(Fault(FaultKind.TOKEN_REVOKED))
    (finding,) = ADAPTER.check(account, "")
    assert not finding.works
    assert TOKEN not in finding.text


@pytest.mark.parametrize(("settings", "secrets"), [({"group_id": ""}, {}), ({}, {"secret": ""}), ({}, {"secret": "x" * 51})])
def test_what_vk_would_refuse_is_not_asked(vk_frame, settings, secrets):
    with pytest.raises(ConnectFault):
        ADAPTER.connect(account_of(vk_frame, settings=settings, secrets=secrets), "https://otklik.example/")


def attachment(ref, **changes):
    return InboundAttachment(AttachmentKind.DOCUMENT, ref, **changes)


def test_the_guests_photo_is_fetched_whole(server, account):
    data = b"\xff\xd8" + bytes(300_000)
    (said,) = server.guest_says("Вот", photo=data)
    (item,) = ADAPTER.parse(RawEvent(said.body, {}, RECEIVED), account)
    assert ADAPTER.fetch(item.attachments[0], account, limit=len(data)) == data
    with pytest.raises(AttachmentTooLarge):
        ADAPTER.fetch(item.attachments[0], account, limit=100_000)


@pytest.mark.parametrize(
    "ref", ["geo:55.75,37.61", "http://127.0.0.1:9/x", "http://169.254.169.254/latest", "file:///etc/passwd", "http://[", "нет", ""]
)
def test_no_such_file_and_no_way_into_our_network(account, ref):
    with pytest.raises(AttachmentGone):
        ADAPTER.fetch(attachment(ref), account, limit=100)


def test_over_the_announced_size(account):
    with pytest.raises(AttachmentTooLarge):
        ADAPTER.fetch(attachment("http://127.0.0.1:9/x", size=101), account, limit=100)


def test_a_passing_fault_may_be_tried_again(server, account):
    ref = server.store(b"data", "a", "text/plain")
    for kind in (FaultKind.SERVER_ERROR, FaultKind.DROPPED_AFTER_ACCEPTING):
        server.faults.add(Fault(kind, method="download"))
        with pytest.raises(httpx.TransportError):
            ADAPTER.fetch(attachment(ref), account, limit=100)
    assert ADAPTER.fetch(attachment(ref), account, limit=100) == b"data"


def test_names(server, account):
    assert ADAPTER.name_of(str(GUEST), account) == "Анна Демо"
    assert ADAPTER.name_of(f"comments:{GUEST}", account) == "Анна Демо"
    assert ADAPTER.name_of("999", account) == ADAPTER.name_of("anna", account) == ""
    server.faults.add(Fault(FaultKind.DROPPED_AFTER_ACCEPTING))
    assert ADAPTER.name_of(str(GUEST), account) == ""
