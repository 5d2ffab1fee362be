"""What every kind of update turns into: samples/<name>.json against a table."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omni.channels.contract import AccountConfig, Inbound, RawEvent, Unreadable
from omni.channels.max.adapter import MaxAdapter
from tests.channel_checks import RECEIVED, body_of, items_or_unreadable, json_objects, load, mutated, words_of

SAMPLES = load(Path(__file__).parent / "samples")
SAID = datetime(2026, 3, 3, 8, 0, 5, tzinfo=UTC)
HAPPENED = datetime(2026, 3, 3, 8, 0, 5, 123000, tzinfo=UTC)
ADAPTER = MaxAdapter()
ACCOUNT = AccountConfig("a1", "max")

GUEST = {"guest_external_id": "808", "guest_name": "Анна Демо", "conversation": "909"}
MESSAGE = {"kind": "message", "external_id": "mid.00aa", "sent_at": SAID, "sequence": 116327994376978687, **GUEST}
IGNORED = {"kind": "ignored", "attachments": []}


def files(*found):
    return {"attachments": list(found)}


TABLE: dict[str, dict] = {
    "text": MESSAGE | {"text": "Где заказ?", "attachments": [], "extra": {"language": "ru"}},
    "image": MESSAGE | {"text": "Просрочка"} | files(("image", "https://files.example.org/i", "photo.jpg", None)),
    "images": MESSAGE
    | {"text": ""}
    | files(("image", "https://files.example.org/1", "photo.jpg", None), ("image", "https://files.example.org/2", "photo.jpg", None)),
    "file": MESSAGE | files(("document", "https://files.example.org/f", "чек.pdf", 20480)),
    "video": MESSAGE | files(("video", "video:vt-1_A", "video.mp4", None)),
    "audio": MESSAGE
    | {"text": "[голосовое сообщение] хлеб закончился"}
    | files(("voice", "https://files.example.org/a", "voice.mp3", None)),
    "sticker": MESSAGE | {"text": "[стикер]"} | files(("sticker", "https://files.example.org/s", "sticker.webp", None)),
    "contact": MESSAGE
    | {"text": "[контакт] Анна Демо +79001112233", "phone": ""}
    | files(("contact", "tel:+79001112233", "Анна Демо", None)),
    "location": MESSAGE
    | {"text": "[геопозиция] 55.751244,37.618423"}
    | files(("location", "geo:55.751244,37.618423", "55.751244,37.618423", None)),
    "share": MESSAGE | {"text": "[ссылка] Акция https://example.org/a"},
    "unheard_of": MESSAGE | {"text": "Что это?\n[сообщение вида «hologram»]"},
    "empty": MESSAGE | {"text": "[пустое сообщение]"},
    "markup": MESSAGE | {"text": "Смотрите чек\nhttps://example.org/receipt/1", "sequence": 1},
    "reply": MESSAGE | {"reply_to": "mid.0099", "thread_keys": ("mid.0099",)},
    "reply_to_self": MESSAGE | {"reply_to": "mid.0098", "thread_keys": ()},
    "forward": MESSAGE
    | {"text": "Вот\n[пересланное сообщение] Борис\nАкция до воскресенья", "reply_to": ""}
    | files(("image", "https://files.example.org/3", "photo.jpg", None)),
    "group": IGNORED | {"text": "сообщение не из личного диалога: обращениями становятся только личные"},
    "from_bot": IGNORED | {"text": "сообщение бота"},
    "no_mid": MESSAGE | {"sequence": 0},
    "edit": MESSAGE | {"kind": "edit", "text": "Где мой заказ?", "edited_at": datetime(2026, 3, 3, 8, 1, 40, tzinfo=UTC)},
    "removed": {"kind": "delete", "external_id": "mid.00aa", "guest_external_id": "808", "conversation": "909"},
    "button": GUEST
    | {"kind": "message", "external_id": "message_callback:kb1:1772524805123", "text": "Позвать оператора", "reply_to": "mid.0100"},
    "button_without_message": GUEST | {"kind": "message", "text": "rate:5", "conversation": "808"},
    "started": GUEST | {"kind": "unblocked", "sent_at": HAPPENED, "extra": {"language": "ru", "start_payload": "store-4711"}},
    "stopped": GUEST | {"kind": "blocked", "external_id": "bot_stopped:909:808:1772524805123", "sent_at": HAPPENED},
    "dialog_removed": IGNORED | {"text": "событие вида «dialog_removed» не обрабатывается"},
    "muted": IGNORED,
    "unheard_of_update": IGNORED | {"text": "событие вида «telepathy» не обрабатывается"},
}
del TABLE["no_mid"]["external_id"]


def parse(body: bytes) -> list[Inbound]:
    return list(ADAPTER.parse(RawEvent(body, {}, RECEIVED), ACCOUNT))


def seen(item: Inbound, key: str):
    if key == "attachments":
        return [(a.kind.value, a.ref, a.name, a.size) for a in item.attachments]
    return getattr(item, key)


@pytest.mark.parametrize("name", TABLE)
def test_sample(name):
    (item,) = parse(body_of(SAMPLES[name]))
    assert {key: seen(item, key) for key in TABLE[name]} == TABLE[name]


def test_every_sample_is_in_the_table():
    assert set(SAMPLES) == set(TABLE)


UNREADABLE = {
    "empty": (b"", "not JSON"),
    "too deep": (b"[" * 200_000, "not JSON"),
    "array": (b"[]", "not list"),
    "no type": (b"{}", "no update_type"),
    "no message": (b'{"update_type": "message_created"}', "message is missing"),
    "no sender": (b'{"update_type": "message_created", "message": {"recipient": {"chat_id": 1}}}', "user_id"),
    "no chat": (b'{"update_type": "message_created", "message": {"sender": {"user_id": 1}}}', "chat_id"),
    "nothing removed": (b'{"update_type": "message_removed"}', "message_id"),
    "nobody pressed": (b'{"update_type": "message_callback", "callback": {}}', "user_id"),
    "nobody stopped": (b'{"update_type": "bot_stopped"}', "user_id"),
}


@pytest.mark.parametrize(("body", "reason"), UNREADABLE.values(), ids=UNREADABLE)
def test_unreadable(body, reason):
    with pytest.raises(Unreadable, match=reason):
        parse(body)


def test_keys():
    keys = {name: ADAPTER.event_key(RawEvent(body_of(sample), {}, RECEIVED)) for name, sample in SAMPLES.items()}
    assert keys["text"] == "message_created:mid.00aa:1772524805123"
    assert keys["edit"] == "message_edited:mid.00aa:1772524900000"
    assert keys["stopped"] != keys["started"]
    assert keys["unheard_of_update"].startswith("sha256:")


WORDS = words_of(list(SAMPLES.values())) | {str(sample["update_type"]) for sample in SAMPLES.values()}


@given(mutated(list(SAMPLES.values())))
def test_any_changed_sample_is_items_or_unreadable(value):
    items_or_unreadable(ADAPTER, body_of(value))


@given(json_objects(WORDS))
def test_any_object_is_items_or_unreadable(value):
    items_or_unreadable(ADAPTER, body_of(value))


@given(st.binary(max_size=200))
def test_any_bytes_are_items_or_unreadable(body):
    items_or_unreadable(ADAPTER, body)
