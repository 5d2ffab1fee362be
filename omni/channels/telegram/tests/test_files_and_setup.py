"""Fetching files, connecting a bot and the small calls, against the Bot API server."""

import json

import httpx
import pytest

from omni.channels.contract import AttachmentGone, AttachmentKind, AttachmentTooLarge, InboundAttachment
from omni.channels.telegram.actions import answer_callback, show_typing
from omni.channels.telegram.adapter import TelegramAdapter
from omni.channels.telegram.client import client_for
from omni.channels.telegram.files import TelegramUnavailable
from omni.channels.telegram.setup import ALLOWED_UPDATES, BotApiError, delete_webhook, set_webhook, webhook_info
from omni.channels.telegram.tests.conftest import CHAT, account_of, outgoing, png
from omni.channels.telegram.tests.test_updates import parse
from tests.providers.faults import Fault, FaultKind
from tests.providers.telegram import TOKEN

fetch = TelegramAdapter().fetch


def attachment(ref: str, **changes) -> InboundAttachment:
    return InboundAttachment(AttachmentKind.DOCUMENT, ref, **changes)


def stored(server, data: bytes, name: str = "чек 1.pdf") -> InboundAttachment:
    return attachment(server.state.store(name, "application/pdf", data, "documents").file_id)


def test_the_guests_photo_is_fetched_whole(server, account):
    data = png(800, 600, size=300_000)
    (delivery,) = server.guest_says(CHAT, photo=data)
    (item,) = parse(json.dumps(delivery.update).encode())
    assert fetch(item.attachments[0], account, limit=len(data)) == data


def test_over_the_limit_by_its_announced_size(server, account):
    with pytest.raises(AttachmentTooLarge):
        fetch(stored(server, b"x" * 101), account, limit=100)


def test_over_the_limit_by_the_message(account):
    with pytest.raises(AttachmentTooLarge):
        fetch(attachment("any", size=101), account, limit=100)


def test_over_the_limit_by_its_bytes(server, account, monkeypatch):
    monkeypatch.setattr("tests.providers.telegram_state.StoredFile.as_json", lambda file: {"file_id": file.file_id})
    with pytest.raises(AttachmentTooLarge):
        fetch(stored(server, b"x" * 200_000), account, limit=100_000)


def test_over_what_the_bot_api_hands_out(server, account):
    with pytest.raises(AttachmentTooLarge, match="too big"):
        fetch(stored(server, bytes(20 * 1024**2 + 1)), account, limit=10**9)


@pytest.mark.parametrize("ref", ["unknown", "", "geo:55.75,37.61", "tel:+79001112233"])
def test_no_such_file(server, account, ref):
    with pytest.raises(AttachmentGone):
        fetch(attachment(ref), account, limit=100)


def test_a_path_that_climbs_is_not_followed(server, account, monkeypatch):
    file = stored(server, b"data")
    object.__setattr__(server.state.files[file.ref], "path", "documents/../../botX/getMe")
    with pytest.raises(AttachmentGone):
        fetch(file, account, limit=100)


@pytest.mark.parametrize("method", ["getFile", "download"])
@pytest.mark.parametrize("kind", [FaultKind.THROTTLED, FaultKind.SERVER_ERROR, FaultKind.TOKEN_REVOKED])
def test_a_passing_fault_may_be_tried_again(server, account, kind, method):
    file = stored(server, b"data")
    server.faults.add(Fault(kind, method=method))
    with pytest.raises(TelegramUnavailable):
        fetch(file, account, limit=100)
    assert fetch(file, account, limit=100) == b"data"


def test_a_dropped_download_is_a_transport_error(server, account):
    server.faults.add(Fault(FaultKind.DROPPED_AFTER_ACCEPTING, method="download"))
    with pytest.raises(httpx.TransportError):
        fetch(stored(server, b"data"), account, limit=100)


def test_the_webhook_is_registered_and_shown(server, account):
    set_webhook(account, "https://otklik.example/in/telegram/1")
    info = webhook_info(account)
    assert (info.url, info.pending, info.last_error, info.last_error_at) == ("https://otklik.example/in/telegram/1", 0, "", None)
    assert info.bot_name == "otklik_demo_bot"
    assert (server.webhook.secret, server.webhook.allowed) == ("hook-secret", frozenset(ALLOWED_UPDATES))
    delete_webhook(account)
    assert webhook_info(account).url == ""
    assert server.violations.after() == []


@pytest.mark.parametrize("secret", ["", "two words", "секрет", "x" * 257])
def test_a_secret_telegram_would_refuse(frame, secret):
    with pytest.raises(BotApiError, match="webhook_secret"):
        set_webhook(account_of(frame, secrets={"webhook_secret": secret}), "https://otklik.example/")


@pytest.mark.parametrize("url", ["http://otklik.example/", "https://otklik.example:9000/"])
def test_an_address_telegram_refuses(account, url):
    with pytest.raises(BotApiError, match="bad webhook"):
        set_webhook(account, url)


def test_the_check_of_the_connection_names_the_fault_but_not_the_token(frame, server, dead_address):
    with pytest.raises(BotApiError, match="Unauthorized"):
        webhook_info(account_of(frame, secrets={"bot_token": "700000001:wrong"}))
    with pytest.raises(BotApiError, match="ConnectError") as caught:
        webhook_info(account_of(frame, settings={"api_base": dead_address}))
    assert TOKEN not in repr(caught.value) + repr(caught.value.__cause__)


def test_a_pressed_button_is_answered_once(server, account):
    TelegramAdapter().send(outgoing("Чем помочь?"), account)
    number = server.accepted.after()[0]["message_id"]
    (delivery,) = server.guest_says(CHAT, press="call:operator", reply_to=number)
    (item,) = parse(json.dumps(delivery.update).encode())
    assert answer_callback(account, item.extra["callback_query_id"])
    assert not answer_callback(account, item.extra["callback_query_id"])


def test_typing(frame, server, account, dead_address):
    assert show_typing(account, str(CHAT))
    assert server.actions.after()[0]["action"] == "typing"
    assert not show_typing(account_of(frame, settings={"api_base": dead_address}), str(CHAT))


def test_one_client_per_account_until_its_settings_change(frame, server):
    account = account_of(frame)
    client = client_for(account)
    assert client_for(account) is client
    changed = type(account)(account.id, "telegram", {**account.settings, "read_timeout": 9}, account.secrets)
    assert client_for(changed) is not client
    assert client_for(changed).timeout == httpx.Timeout(connect=5, read=9, write=120, pool=5)
