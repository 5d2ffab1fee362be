"""What every kind of callback turns into: samples/<name>.json against a table; signature, keys and the welcome."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omni.channels.contract import AccountConfig, DeliveryState, RawEvent, Unreadable, Unverified
from omni.channels.viber.adapter import ViberAdapter
from tests.channel_checks import RECEIVED, body_of, items_or_unreadable, json_objects, load, mutated, words_of

SAMPLES = load(Path(__file__).parent / "samples")
SAID = datetime(2026, 3, 3, 8, 0, 5, 123000, tzinfo=UTC)
ADAPTER = ViberAdapter()
ACCOUNT = AccountConfig("a", "viber")
GUEST_ID, TOKEN = "pttm25kSGUo1919sBORWyA==", "5741311803571721087"

GUEST = {"guest_external_id": GUEST_ID, "guest_name": "Анна", "conversation": GUEST_ID}
MESSAGE = {"kind": "message", "external_id": TOKEN, "sent_at": SAID, "attachments": [], "phone": "", **GUEST}
STATUS = {"kind": "status", "external_id": TOKEN, "guest_external_id": GUEST_ID, "sent_at": SAID}
IGNORED = {"kind": "ignored"}

TABLE = {
    "text": MESSAGE | {"text": "Здравствуйте!", "extra": {"tracking_data": "m-77", "language": "ru", "country": "RU"}},
    "picture": MESSAGE | {"text": "чек", "attachments": [("image", "https://media.example/p.jpg", "p.jpg", "image/jpeg", 51234)]},
    "video": MESSAGE | {"attachments": [("video", "https://media.example/v.mp4", "video.mp4", "video/mp4", 900000)]},
    "file": MESSAGE | {"attachments": [("document", "https://media.example/f", "чек.pdf", "", 20480)]},
    "sticker": MESSAGE | {"text": "[стикер] № 46105"},
    "sticker_picture": MESSAGE
    | {"text": "[стикер]", "attachments": [("sticker", "https://media.example/s.png", "sticker.png", "image/png", None)]},
    "contact": MESSAGE
    | {"text": "[контакт] Борис +79001112244", "attachments": [("contact", "tel:+79001112244", "Борис", "text/vcard", None)]},
    "url": MESSAGE | {"text": "Смотрите\nhttps://example.org/a"},
    "location": MESSAGE
    | {
        "text": "[геопозиция] ул. Примерная, 1",
        "attachments": [("location", "geo:55.750000,37.610000", "ул. Примерная, 1", "", None)],
    },
    "location_broken": MESSAGE | {"text": "[геопозиция]"},
    "unheard_of": MESSAGE | {"text": "[сообщение вида «hologram»] что-то"},
    "rich_media": MESSAGE | {"text": "[карточка]"},
    "empty_text": MESSAGE | {"text": "[пустой текст]"},
    "picture_without_media": MESSAGE | {"text": "[фотография] осталась подпись"},
    "delivered": STATUS | {"state": DeliveryState.DELIVERED},
    "seen": STATUS | {"state": DeliveryState.READ},
    "failed": STATUS | {"state": DeliveryState.FAILED, "error": "user blocked"},
    "subscribed": {"kind": "unblocked", "external_id": f"subscribed:{TOKEN}", **GUEST},
    "unsubscribed": {"kind": "blocked", "external_id": f"unsubscribed:{TOKEN}:{GUEST_ID}", "guest_external_id": GUEST_ID},
    "conversation_started": IGNORED
    | {"text": "гость открыл чат и ещё ничего не написал", "guest_external_id": GUEST_ID, "extra": {"context": "store-4217"}},
    "webhook": IGNORED | {"text": "Viber проверил адрес вебхука"},
    "unheard_of_event": IGNORED | {"text": "событие вида «telepathy» не обрабатывается"},
    "no_sender": IGNORED | {"text": "событие без номера сообщения или гостя"},
    "no_token": MESSAGE | {"text": "без номера", "external_id": None},
}


def parse(value):
    return list(ADAPTER.parse(RawEvent(body_of(value), {}, RECEIVED), ACCOUNT))


def seen(item, key):
    if key == "attachments":
        return [(a.kind.value, a.ref, a.name, a.mime, a.size) for a in item.attachments]
    return getattr(item, key)


@pytest.mark.parametrize("name", TABLE)
def test_sample(name):
    (item,) = parse(SAMPLES[name])
    expected = {key: value for key, value in TABLE[name].items() if value is not None or key == "size"}
    assert {key: seen(item, key) for key in expected} == expected
    assert item.external_id


def test_every_sample_is_asked_about():
    assert set(SAMPLES) == set(TABLE)


@pytest.mark.parametrize(("body", "reason"), [(b"", "not JSON"), (b"[]", "not list"), (b"{}", "no event"), (b'{"event": 5}', "no event")])
def test_unreadable(body, reason):
    with pytest.raises(Unreadable, match=reason):
        ADAPTER.parse(RawEvent(body, {}, RECEIVED), ACCOUNT)


def test_keys():
    def key(value):
        return ADAPTER.event_key(RawEvent(body_of(value), {}, RECEIVED))

    receipt = SAMPLES["delivered"]
    assert key(SAMPLES["text"]) == f"message:{TOKEN}"
    assert key(receipt) == f"delivered:{TOKEN}:{GUEST_ID}".rstrip(":")
    assert key({**receipt, "user_id": "other"}) != key(receipt) != key({**receipt, "event": "seen"})
    assert key(SAMPLES["no_token"]).startswith("sha256:")
    assert key({**SAMPLES["text"], "message_token": int(TOKEN) + 1}) == f"message:{int(TOKEN) + 1}", "no digit is lost"


BODY = b'{"event":"webhook","timestamp":1772524800000,"message_token":5001}'
SIGNATURE = "477b4a1c85dbbb9e62c071c57f310997212910e85707245c8a0d50e9492b12c9"


def verify(signature, token, body=BODY):
    headers = {"x-viber-content-signature": signature} if signature is not None else {}
    ADAPTER.verify(RawEvent(body, headers, RECEIVED), AccountConfig("a", "viber", {}, {"auth_token": token}))


def test_the_vector():
    verify(SIGNATURE, "demo-viber-token")


@pytest.mark.parametrize(
    ("signature", "token", "body"),
    [
        (None, "demo-viber-token", BODY),
        ("", "demo-viber-token", BODY),
        (SIGNATURE, "other", BODY),
        (SIGNATURE, "", BODY),
        (SIGNATURE, "demo-viber-token", BODY + b"\n"),
        (f"sha256={SIGNATURE}", "demo-viber-token", BODY),
        ("подпись\udcff", "demo-viber-token", BODY),
        ("b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad", "", b""),
    ],
)
def test_anything_else_is_refused(signature, token, body):
    with pytest.raises(Unverified):
        verify(signature, token, body)


def welcome(name, **settings):
    return ADAPTER.reply(RawEvent(body_of(SAMPLES[name]), {}, RECEIVED), AccountConfig("a", "viber", settings))


def test_the_welcome_answers_an_opened_chat_only():
    reply = welcome("conversation_started", welcome="Здравствуйте! Чем помочь?", sender_name="Лукошко")
    assert json.loads(reply.body) == {"sender": {"name": "Лукошко"}, "type": "text", "text": "Здравствуйте! Чем помочь?"}
    assert welcome("text", welcome="Здравствуйте!").body == b"{}"
    assert welcome("conversation_started").body == b"{}"


@given(st.binary(max_size=100) | json_objects(words_of(list(SAMPLES.values()))).map(body_of))
def test_an_answer_to_any_bytes(body):
    assert ADAPTER.reply(RawEvent(body, {}, RECEIVED), AccountConfig("a", "viber", {"welcome": "x"})).status == 200


@given(mutated(list(SAMPLES.values())) | json_objects(words_of(list(SAMPLES.values()))))
def test_any_json_is_items_or_unreadable(value):
    items_or_unreadable(ADAPTER, body_of(value), ACCOUNT)


@given(st.binary(max_size=200))
def test_any_bytes_are_items_or_unreadable(body):
    items_or_unreadable(ADAPTER, body, ACCOUNT)
