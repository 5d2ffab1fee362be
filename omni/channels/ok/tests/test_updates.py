"""What every kind of event turns into: samples/<name>.json against a table."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omni.channels.contract import AccountConfig, Inbound, RawEvent, Unreadable
from omni.channels.ok.adapter import OkAdapter
from tests.channel_checks import RECEIVED, body_of, items_or_unreadable, json_objects, load, mutated, words_of

SAMPLES = load(Path(__file__).parent / "samples")
SAID = datetime(2026, 3, 3, 8, 0, 5, 123000, tzinfo=UTC)
ADAPTER = OkAdapter()
ACCOUNT = AccountConfig("a1", "ok")

MID = "mid:C3aa0011.15cea67d78d2059"
GUEST = {"guest_external_id": "user:600700", "guest_name": "Анна", "conversation": "chat:C3aa0011", "sent_at": SAID}
MESSAGE = {"kind": "message", "external_id": MID, "sequence": 98211023614189660, **GUEST}
IGNORED = {"kind": "ignored", "attachments": []}
TOPIC = "https://ok.ru/group/54000111/topic/155500777"
COMMENT = {
    "kind": "message",
    "guest_external_id": "comments:571000222333",
    "conversation": "comments:155500777",
    "extra": {"public": True, "page": TOPIC},
}


def files(*found):
    return {"attachments": list(found)}


TABLE: dict[str, dict] = {
    "text": MESSAGE | {"text": "Добрый день", "attachments": [], "reply_to": ""},
    "official": MESSAGE | {"text": "text", "guest_name": ""},
    "reply": MESSAGE | {"reply_to": "mid:C3aa0011.15cea67d78d2000"},
    "image": MESSAGE | {"text": "Просрочка"} | files(("image", "https://files.example.org/i", "photo.jpg", None)),
    "single": MESSAGE | {"text": ""} | files(("image", "https://files.example.org/1", "photo.jpg", None)),
    "files": MESSAGE
    | files(
        ("document", "https://files.example.org/f", "чек.pdf", 20480),
        ("video", "https://files.example.org/v", "video.mp4", None),
        ("voice", "https://files.example.org/a", "voice.mp3", None),
    ),
    "no_address": MESSAGE | {"text": "[файл]", "attachments": []},
    "share": MESSAGE | {"text": "https://ya.ru/\n[ссылка] https://ya.ru/"},
    "sticker": MESSAGE | {"text": "[стикер]"} | files(("sticker", "https://files.example.org/s", "sticker.png", None)),
    "location": MESSAGE
    | {"text": "[геопозиция] 55.751244,37.618423"}
    | files(("location", "geo:55.751244,37.618423", "55.751244,37.618423", None)),
    "contact": MESSAGE
    | {"text": "[контакт] Анна Демо +79001112233", "phone": ""}
    | files(("contact", "tel:+79001112233", "Анна Демо", None)),
    "kinds": MESSAGE | {"text": "[музыка] Песня\n[звонок]\n[подарок] Роза"},
    "unheard_of": MESSAGE | {"text": "Что это?\n[сообщение вида «HOLOGRAM»]"},
    "empty": MESSAGE | {"text": "[пустое сообщение]"},
    "from_group": IGNORED | {"text": "сообщение самой группы"},
    "no_mid": {"kind": "message", "text": "без номера", **GUEST},
    "button": GUEST
    | {"kind": "message", "external_id": "MESSAGE_CALLBACK:cb1", "text": "Позвать оператора", "reply_to": "mid:C3aa0011.15"},
    "button_bare": GUEST
    | {"kind": "message", "external_id": "MESSAGE_CALLBACK:cb2", "text": "rate:5", "thread_keys": ("mid:C3aa0011.16",)},
    "system": IGNORED | {"text": "событие вида «CHAT_SYSTEM» не обрабатывается"},
    "comment": COMMENT
    | {
        "external_id": "comment:155500777:MTc3MjUyNDgwNQ",
        "text": "А в Химках есть?",
        "sent_at": SAID.replace(microsecond=0),
        "subject": f"Комментарий: Скидки недели {TOPIC}",
    },
    "comment_bare": COMMENT | {"text": f"[вложение] {TOPIC}", "subject": f"Комментарий: {TOPIC}", "sent_at": RECEIVED},
    "comment_of_group": IGNORED | {"text": "сообщение самой группы"},
    "unheard_of_event": IGNORED | {"text": "событие вида «TELEPATHY» не обрабатывается"},
}


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
    "comment of nobody": (b'{"topic": {"id": "1"}, "comment": {"id": "2", "text": "x"}}', "author_id"),
    "no event": (b'{"ok": true}', "no type"),
    "nobody": (b'{"message": {"text": "x"}, "recipient": {"chat_id": "chat:C1"}}', "sender.user_id"),
    "nowhere": (b'{"message": {"text": "x"}, "sender": {"user_id": "user:1"}}', "recipient.chat_id"),
}


@pytest.mark.parametrize(("body", "reason"), UNREADABLE.values(), ids=UNREADABLE)
def test_unreadable(body, reason):
    with pytest.raises(Unreadable, match=reason):
        parse(body)


def test_keys():
    keys = {name: ADAPTER.event_key(RawEvent(body_of(sample), {}, RECEIVED)) for name, sample in SAMPLES.items()}
    assert keys["text"] == keys["official"] == f"MESSAGE_CREATED:{MID}"
    assert keys["button"] == "MESSAGE_CALLBACK:cb1"
    assert keys["comment"] == "comment:155500777:MTc3MjUyNDgwNQ"
    assert keys["system"].startswith("sha256:")


WORDS = words_of(list(SAMPLES.values())) | {str(sample.get("webhookType")) for sample in SAMPLES.values()}


@given(mutated(list(SAMPLES.values())))
def test_any_changed_sample_is_items_or_unreadable(value):
    items_or_unreadable(ADAPTER, body_of(value))


@given(json_objects(WORDS))
def test_any_object_is_items_or_unreadable(value):
    items_or_unreadable(ADAPTER, body_of(value))


@given(st.binary(max_size=200))
def test_any_bytes_are_items_or_unreadable(body):
    items_or_unreadable(ADAPTER, body)
