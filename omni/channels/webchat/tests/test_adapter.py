"""The chat's events as the journal keeps them, understood again at any time."""

import json
from datetime import UTC, datetime

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from hypothesis import given
from hypothesis import strategies as st

from omni.channels.contract import (
    AccountConfig,
    AttachmentGone,
    AttachmentKind,
    AttachmentTooLarge,
    InboundAttachment,
    Outgoing,
    RawEvent,
    Unreadable,
)
from omni.channels.webchat.adapter import WebChatAdapter

ADAPTER, ACCOUNT = WebChatAdapter(), AccountConfig(id="1", kind="webchat")
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
STORED = "files/ab/" + "ab" * 32


def event(body):
    return RawEvent(body=body if isinstance(body, bytes) else json.dumps(body).encode(), headers={}, received_at=NOW)


def test_an_event_becomes_one_message():
    uploads = [{"ref": STORED, "name": "чек.png", "mime": "image/png", "size": 5}, {"ref": STORED, "mime": "application/pdf"}]
    named = {"client_id": "c1", "visitor": "visitor:1", "name": "Анна", "phone": "+79001234567"}
    body = {**named, "text": "Привет", "page_url": "https://shop.example", "uploads": uploads}
    (item,) = ADAPTER.parse(event(body), ACCOUNT)
    assert (item.external_id, item.guest_external_id, item.guest_name, item.text) == ("visitor:1:c1", "visitor:1", "Анна", "Привет")
    assert (item.phone, item.sent_at, item.extra["page_url"]) == ("+79001234567", NOW, "https://shop.example")
    assert [(file.kind, file.name) for file in item.attachments] == [(AttachmentKind.IMAGE, "чек.png"), (AttachmentKind.DOCUMENT, "")]


NAMED = {"visitor": "1", "client_id": "2"}


@pytest.mark.parametrize(
    "body",
    [b"", b"\xff", b"[]", b"1", b'"x"', {}, {"visitor": "1"}, *({**NAMED, "uploads": uploads} for uploads in ([1], [{}], 5))],
)
def test_what_is_no_event_is_unreadable(body):
    with pytest.raises(Unreadable):
        ADAPTER.parse(event(body), ACCOUNT)


@given(st.binary())
def test_every_event_has_a_key(body):
    assert ADAPTER.event_key(event(body)) == ADAPTER.event_key(event(body))


def test_a_sent_message_has_the_id_of_its_key():
    outgoing = Outgoing(key="k", recipient="r", text="t")
    assert ADAPTER.send(outgoing, ACCOUNT) == ADAPTER.send(outgoing, ACCOUNT)


@pytest.mark.parametrize("ref", ["", STORED, "../../etc/passwd", f"{STORED}/../../../secret_key", "/etc/passwd", "files/zz/x"])
def test_only_stored_uploads_are_fetched(settings, tmp_path, ref):
    settings.MEDIA_ROOT = tmp_path
    with pytest.raises(AttachmentGone):
        ADAPTER.fetch(InboundAttachment(kind=AttachmentKind.IMAGE, ref=ref), ACCOUNT, limit=100)


def test_a_stored_upload_comes_up_to_the_limit(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    default_storage.save(STORED, ContentFile(b"12345"))
    file = InboundAttachment(kind=AttachmentKind.IMAGE, ref=STORED)
    assert ADAPTER.fetch(file, ACCOUNT, limit=5) == b"12345"
    with pytest.raises(AttachmentTooLarge):
        ADAPTER.fetch(file, ACCOUNT, limit=4)
