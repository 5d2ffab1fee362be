"""What every kind of event turns into: samples/<name>.json against a table."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omni.channels.contract import AccountConfig, DeliveryState, InboundKind, RawEvent
from omni.channels.facebook.adapter import FacebookAdapter
from tests.channel_checks import RECEIVED, body_of, items_or_unreadable, json_objects, load, mutated, words_of

SAMPLES = load(Path(__file__).parent / "samples")
SAID = datetime(2026, 3, 3, 8, 0, 5, 123000, tzinfo=UTC)
WRITTEN = datetime(2026, 3, 3, 8, 0, 5, tzinfo=UTC)
HAPPENED = datetime(2026, 3, 3, 8, 0, 5, 500000, tzinfo=UTC)
ADAPTER = FacebookAdapter()
ACCOUNT = AccountConfig("a", "facebook", {"page_id": "112233445566"})

OURS = "5f0c6c1e-7c0f-4c63-9f0e-1a2b3c4d5e6f"
GUEST = {"guest_external_id": "24700000001", "conversation": "24700000001"}
MESSAGE = {"kind": "message", "external_id": "m_DEMO1", "sent_at": SAID, "attachments": [], "guest_name": "", **GUEST}
IGNORED = {"kind": "ignored", "attachments": []}
COMMENT = {
    "kind": "message",
    "external_id": "700100200_55",
    "guest_external_id": "feed:24700000001",
    "guest_name": "Анна Демо",
    "conversation": "comment:700100200_55",
    "sent_at": WRITTEN,
    "attachments": [],
    "reply_to": "",
    "extra.is_public": True,
}

TABLE = {
    "text": MESSAGE | {"text": "Здравствуйте!", "reply_to": "", "extra": {}},
    "seconds": MESSAGE | {"sent_at": WRITTEN},
    "reply": MESSAGE | {"text": "Да", "reply_to": "m_OUT1", "thread_keys": ("m_OUT1",)},
    "quick_reply": MESSAGE | {"text": "Позвать оператора", "extra": {"payload": "operator"}},
    "image": MESSAGE
    | {
        "text": "",
        "attachments": [
            ("image", "https://scontent.example/v/t1/photo_1.jpg?oh=1", "photo_1.jpg", "image/jpeg"),
            ("image", "https://scontent.example/v/t1/2", "photo.jpg", "image/jpeg"),
        ],
    },
    "sticker": MESSAGE | {"text": "[стикер]", "attachments": [("sticker", "https://scontent.example/s.png", "sticker.png", "image/png")]},
    "video": MESSAGE | {"attachments": [("video", "https://video.example/v.mp4", "v.mp4", "video/mp4")]},
    "audio": MESSAGE | {"attachments": [("audio", "https://cdn.example/audioclip.mp4", "audioclip.mp4", "audio/mp4")]},
    "file": MESSAGE | {"text": "чек", "attachments": [("document", "https://cdn.example/%D1%87%D0%B5%D0%BA.pdf", "чек.pdf", "")]},
    "location": MESSAGE | {"text": "[геопозиция] Магазин", "attachments": [("location", "geo:55.750000,37.610000", "Магазин", "")]},
    "link": MESSAGE | {"text": "[ссылка] Акция https://example.org/a"},
    "product": MESSAGE | {"text": "[карточка] Кефир"},
    "reel": MESSAGE | {"text": "[видео из ленты] https://fb.example/reel/1"},
    "unheard_of_attachment": MESSAGE | {"text": "[сообщение вида «hologram»]"},
    "unsupported": MESSAGE | {"text": "[сообщение, которое Facebook не передаёт]"},
    "empty_message": MESSAGE | {"text": "[пустое сообщение]"},
    "echo": {"kind": "status", "state": "sent", "external_id": "m_OUT1", "guest_external_id": "24700000001", "extra": {"our_key": OURS}},
    "echo_inbox": MESSAGE | {"kind": "outside", "external_id": "m_OUT2", "text": "Ответ из ящика Меты"},
    "deleted": {"kind": "delete", "external_id": "m_DEMO1", "guest_external_id": "24700000001"},
    "edit": MESSAGE | {"kind": "edit", "text": "Нет белого хлеба", "edited_at": SAID},
    "edit_without_id": IGNORED | {"text": "запись без номера"},
    "postback": MESSAGE | {"external_id": "m_PB1", "text": "Начать", "extra": {"payload": "GET_STARTED"}},
    "postback_old": MESSAGE | {"external_id": "postback:24700000001:1772524805.123", "text": "GET_STARTED"},
    "reaction": MESSAGE | {"external_id": "reaction:24700000001:1772524805.123", "text": "[реакция] 😡", "reply_to": "m_OUT1"},
    "reaction_removed": IGNORED | {"text": "реакция снята"},
    "delivery_unnamed": IGNORED | {"text": "событие вида «delivery» не обрабатывается"},
    "read": {"kind": "read_until", "guest_external_id": "24700000001", "sent_at": WRITTEN},
    "optin": IGNORED | {"text": "событие вида «optin» не обрабатывается", "guest_external_id": "24700000001"},
    "no_sender": IGNORED | {"text": "сообщение без отправителя"},
    "standby": IGNORED | {"text": "переписку ведёт другое приложение"},
    "other_page": IGNORED | {"text": "событие другой страницы: её ведёт другая учётная запись"},
    "comment": COMMENT | {"text": "Где кефир?", "extra.permalink": "https://fb.example/p/1", "extra.post_id": "112233445566_700100200"},
    "comment_reply": COMMENT | {"text": "И мне", "reply_to": "700100200_54"},
    "comment_photo": COMMENT | {"text": "", "attachments": [("image", "https://scontent.example/c.jpg", "c.jpg", "image/jpeg")]},
    "comment_iso_time": COMMENT,
    "comment_edited": COMMENT | {"kind": "edit", "text": "Где ряженка?", "edited_at": HAPPENED},
    "comment_removed": {"kind": "delete", "external_id": "700100200_55"},
    "comment_hidden": IGNORED | {"text": "событие вида «feed comment hide» не обрабатывается"},
    "comment_own": IGNORED | {"text": "запись самой страницы"},
    "comment_nameless": COMMENT | {"text": "Аноним", "guest_external_id": "feed:700100200_55", "guest_name": ""},
    "comment_without_id": IGNORED | {"text": "запись без номера"},
    "comment_empty": COMMENT | {"text": "[комментарий без текста]"},
    "visitor_post": COMMENT | {"external_id": "112233445566_888", "conversation": "comment:112233445566_888", "text": "Спасибо магазину!"},
    "visitor_photo": COMMENT
    | {
        "external_id": "112233445566_889",
        "conversation": "comment:112233445566_889",
        "text": "Смотрите",
        "reply_to": "112233445566_700100200",
        "attachments": [("image", "https://scontent.example/x.jpg", "x.jpg", "image/jpeg")],
    },
    "feed_reaction": IGNORED | {"text": "событие вида «feed reaction add» не обрабатывается", "guest_external_id": "feed:24700000001"},
    "other_field": IGNORED | {"text": "событие вида «ratings rating add» не обрабатывается"},
    "no_content": IGNORED | {"text": "событие без сообщений и записей"},
}


def parse(value):
    return list(ADAPTER.parse(RawEvent(body_of(value), {}, RECEIVED), ACCOUNT))


def seen(item, key):
    if key == "attachments":
        return [(a.kind.value, a.ref, a.name, a.mime) for a in item.attachments]
    if key.startswith("extra."):
        return item.extra.get(key.removeprefix("extra."))
    return getattr(item, key)


@pytest.mark.parametrize("name", TABLE)
def test_sample(name):
    (item,) = parse(SAMPLES[name])
    assert {key: seen(item, key) for key in TABLE[name]} == TABLE[name]


def test_every_sample_is_asked_about():
    assert set(SAMPLES) == {*TABLE, "batch", "delivery"}


def test_a_receipt_of_several_messages():
    items = parse(SAMPLES["delivery"])
    assert [(item.kind, item.external_id, item.state) for item in items] == [
        (InboundKind.STATUS, "m_OUT1", DeliveryState.DELIVERED),
        (InboundKind.STATUS, "m_OUT2", DeliveryState.DELIVERED),
    ]


def test_all_of_a_batch_in_its_order():
    items = parse(SAMPLES["batch"])
    assert [item.text for item in items] == ["раз", "два", "три", "четыре"]
    assert [item.sequence for item in items] == [0, 1, 2, 3]


def test_one_broken_member_does_not_take_the_others_along():
    value = load(Path(__file__).parent / "samples")["batch"]
    value["entry"][0]["messaging"].insert(0, {"sender": 5, "message": "x", "timestamp": []})
    value["entry"].insert(0, {"messaging": [None, {}], "changes": [{"field": 7, "value": []}, "x"]})
    assert [item.text for item in parse(value) if item.kind is InboundKind.MESSAGE] == ["раз", "два", "три", "четыре"]


@given(mutated(list(SAMPLES.values())) | json_objects(words_of(list(SAMPLES.values()))))
def test_any_json_is_items_or_unreadable(value):
    items_or_unreadable(ADAPTER, body_of(value), ACCOUNT)


@given(st.binary(max_size=200))
def test_any_bytes_are_items_or_unreadable(body):
    items_or_unreadable(ADAPTER, body, ACCOUNT)
