"""What every kind of update turns into: samples/<name>.json against a table."""

import contextlib
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omni.channels.contract import AccountConfig, Inbound, InboundKind, RawEvent, Unreadable
from omni.channels.telegram.adapter import TelegramAdapter

SAMPLES = Path(__file__).parent / "samples"
RECEIVED = datetime(2026, 3, 3, 8, 5, tzinfo=UTC)
SAID = datetime(2026, 3, 3, 8, 0, 5, tzinfo=UTC)
ACCOUNT = AccountConfig("a1", "telegram")
ADAPTER = TelegramAdapter()

GUEST = {"guest_external_id": "555000111", "guest_name": "Анна Демо", "conversation": "555000111"}
MESSAGE = {"kind": "message", "external_id": "555000111:311", "sent_at": SAID, "sequence": 311, **GUEST}
IGNORED = {"kind": "ignored", "attachments": []}

TABLE: dict[str, dict] = {
    "text": MESSAGE
    | {"text": "Здравствуйте! В магазине нет хлеба.", "attachments": [], "extra": {"username": "anna_demo", "language": "ru"}},
    "start": MESSAGE | {"text": "/start store-4711", "extra.start_payload": "store-4711"},
    "links": MESSAGE | {"text": "😀 Смотрите чек и https://example.org/a\nчек: https://example.org/receipt/1"},
    "photo": MESSAGE | {"text": "Просрочка на полке", "attachments": [("image", "large", "photo.jpg", "image/jpeg", 182233)]},
    "album_part": MESSAGE | {"text": "", "album": "13577000111", "attachments": [("image", "one", "photo.jpg", "image/jpeg", 1410)]},
    "document": MESSAGE | {"text": "Вот чек", "attachments": [("document", "doc", "чек.pdf", "application/pdf", 20480)]},
    "video": MESSAGE | {"attachments": [("video", "vid", "полка.mp4", "video/mp4", 900000)]},
    "animation": MESSAGE | {"attachments": [("video", "ani", "кот.mp4", "video/mp4", 50000)]},
    "audio": MESSAGE | {"attachments": [("audio", "aud", "audio.mp3", "audio/mpeg", 70000)]},
    "voice": MESSAGE | {"attachments": [("voice", "voi", "voice.ogg", "audio/ogg", 9000)]},
    "video_note": MESSAGE | {"attachments": [("video", "note", "video_note.mp4", "video/mp4", 80000)]},
    "sticker": MESSAGE | {"text": "[стикер] 😡", "attachments": [("sticker", "stk", "sticker.webp", "image/webp", 7000)]},
    "sticker_animated": MESSAGE | {"text": "[стикер]", "attachments": [("sticker", "tgs", "sticker.tgs", "application/x-tgsticker", 7000)]},
    "location": MESSAGE
    | {
        "text": "[геопозиция] 55.751244,37.618423",
        "attachments": [("location", "geo:55.751244,37.618423", "55.751244,37.618423", "", None)],
    },
    "venue": MESSAGE
    | {
        "text": "[место] Магазин у дома, ул. Примерная, 1",
        "attachments": [("location", "geo:55.750000,37.610000", "Магазин у дома, ул. Примерная, 1", "", None)],
    },
    "contact_own": MESSAGE
    | {
        "text": "[контакт] Анна Демо +79001112233",
        "phone": "+79001112233",
        "attachments": [("contact", "tel:+79001112233", "Анна Демо", "text/vcard", None)],
    },
    "contact_other": MESSAGE | {"text": "[контакт] Борис +79001112244", "phone": ""},
    "contact_without_account": MESSAGE | {"text": "[контакт] Мастер +79001112255", "phone": ""},
    "poll": MESSAGE | {"text": "[опрос] Какой хлеб привезти?\n• Чёрный\n• Белый"},
    "dice": MESSAGE | {"text": "[кубик] 🎲 5"},
    "story": MESSAGE | {"text": "[история]"},
    "unheard_of": MESSAGE | {"text": "[сообщение вида «hologram»]\nЧто это?"},
    "reply": MESSAGE
    | {"text": "Да, в пакете", "reply_to": "555000111:300", "thread_keys": ("555000111:300",), "extra.quote": "сохранился"},
    "forward": MESSAGE | {"text": "Акция до воскресенья", "extra.forwarded_from": "Скидки", "thread_keys": ()},
    "ephemeral": {"kind": "message", "external_id": "555000111:update:90210025", "sequence": 0, "text": "без номера"},
    "nameless": {"kind": "message", "guest_name": "", "guest_external_id": "555000111"},
    "edit": MESSAGE
    | {
        "kind": "edit",
        "text": "Здравствуйте! В магазине нет белого хлеба.",
        "extra.edit_date": "2026-03-03T08:01:05+00:00",
    },
    "button": GUEST
    | {
        "kind": "message",
        "external_id": "callback:4382000001",
        "text": "Позвать оператора",
        "sent_at": RECEIVED,
        "reply_to": "555000111:310",
        "extra": {"callback_query_id": "4382000001", "callback_data": "call:operator"},
    },
    "button_inaccessible": GUEST | {"kind": "message", "external_id": "callback:4382000002", "text": "rate:5"},
    "blocked": GUEST
    | {"kind": "blocked", "external_id": "update:90210030:my_chat_member", "sent_at": datetime(2026, 3, 3, 8, 1, 40, tzinfo=UTC)},
    "unblocked": GUEST | {"kind": "unblocked", "external_id": "update:90210031:my_chat_member"},
    "member_of_group": IGNORED | {"text": "сообщение не из личного чата: обращениями становятся только личные чаты"},
    "member_restricted": IGNORED | {"text": "изменение участия бота, не связанное с блокировкой"},
    "group": IGNORED | {"text": "сообщение не из личного чата: обращениями становятся только личные чаты", "conversation": ""},
    "channel_post": IGNORED | {"text": "обновление вида «channel_post» не обрабатывается", "guest_external_id": "", "sent_at": SAID},
    "business_message": IGNORED | {"text": "обновление вида «business_message» не обрабатывается"},
    "unheard_of_update": IGNORED | {"text": "обновление вида «telepathy» не обрабатывается", "external_id": "update:90210037:telepathy"},
    "no_payload": IGNORED | {"text": "обновление без содержимого", "external_id": "update:90210038", "sent_at": RECEIVED},
}


def event(body: bytes) -> RawEvent:
    return RawEvent(body, {}, RECEIVED)


def parse(body: bytes) -> list[Inbound]:
    return list(ADAPTER.parse(event(body), ACCOUNT))


def seen(item: Inbound, key: str):
    """The value the table speaks of; attachments as tuples, `extra.<key>` inside `extra`."""
    if key == "attachments":
        return [(a.kind.value, a.ref, a.name, a.mime, a.size) for a in item.attachments]
    if key.startswith("extra."):
        return item.extra.get(key.removeprefix("extra."))
    return getattr(item, key)


@pytest.mark.parametrize("name", TABLE)
def test_sample(name):
    (item,) = parse((SAMPLES / f"{name}.json").read_bytes())
    assert {key: seen(item, key) for key in TABLE[name]} == TABLE[name]


def test_every_sample_is_in_the_table():
    assert {path.stem for path in SAMPLES.glob("*.json")} == set(TABLE)


UNREADABLE = {
    "empty": (b"", "not JSON"),
    "text": (b"hello", "not JSON"),
    "not UTF-8": (b'{"update_id": 1, "x": "\xff"}', "not JSON"),
    "too deep": (b"[" * 200_000, "not JSON"),
    "too long a number": (b'{"update_id": ' + b"1" * 5000 + b"}", "not JSON"),
    "array": (b"[]", "not list"),
    "not an update": (b'{"ok": true}', "no update_id"),
    "message is text": (b'{"update_id": 1, "message": "hi"}', "message is not an object"),
    "no chat": (b'{"update_id": 1, "message": {"message_id": 5}}', "message.chat.id"),
    "chat id is text": (b'{"update_id": 1, "message": {"message_id": 5, "chat": {"id": "7"}}}', "message.chat.id"),
    "no message id": (b'{"update_id": 1, "message": {"chat": {"id": 7, "type": "private"}}}', "message.message_id"),
    "id beyond the range": (b'{"update_id": 1, "message": {"message_id": 5, "chat": {"id": 90071992547409920}}}', "message.chat.id"),
}


@pytest.mark.parametrize(("body", "reason"), UNREADABLE.values(), ids=UNREADABLE)
def test_unreadable(body, reason):
    with pytest.raises(Unreadable, match=reason):
        parse(body)


KEYS = {
    b'{"update_id": 90210001, "message": {}}': "update:90210001",
    b'{"update_id": true}': "sha256:",
    b'{"update_id": "1"}': "sha256:",
    b'{"update_id": 1e3}': "sha256:",
    b"": "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    b"[" * 200_000: "sha256:",
}


@pytest.mark.parametrize(("body", "key"), KEYS.items(), ids=range(len(KEYS)))
def test_event_key(body, key):
    assert ADAPTER.event_key(event(body)).startswith(key)


def test_different_bodies_without_a_number_have_different_keys():
    assert ADAPTER.event_key(event(b"a")) != ADAPTER.event_key(event(b"b"))


def test_what_a_database_cannot_hold_is_replaced():
    message = {"message_id": 5, "chat": {"id": 7, "type": "private"}, "text": "a\x00b\ud83dc", "from": {"id": 7, "first_name": "\udc00"}}
    (item,) = parse(json.dumps({"update_id": 1, "message": message}).encode())
    assert (item.text, item.guest_name) == ("ab\ufffdc", "\ufffd")


def test_a_date_out_of_range_falls_back_to_the_arrival():
    message = {"message_id": 5, "chat": {"id": 7, "type": "private"}, "text": "x", "date": 2**52}
    (item,) = parse(json.dumps({"update_id": 1, "message": message}).encode())
    assert item.sent_at == RECEIVED


KNOWN_WORDS = """
    update_id message edited_message callback_query my_chat_member chat from id type text caption entities caption_entities offset length
    url photo document animation video sticker location venue contact poll options dice date message_id reply_to_message reply_markup
    inline_keyboard new_chat_member status file_id file_size latitude longitude phone_number user_id private kicked text_link data
"""
WORDS = st.sampled_from(KNOWN_WORDS.split())
VALUES: st.SearchStrategy = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | WORDS | st.sampled_from([1, 7, 1772524805]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS | st.text(max_size=8), inner, max_size=6),
    max_leaves=10,
)
MESSAGE_KEYS = """
    from date text entities caption photo document sticker venue location contact poll dice quote reply_to_message edit_date
    media_group_id forward_origin anything
"""
MESSAGES: st.SearchStrategy = st.fixed_dictionaries(
    {"message_id": st.integers(0, 2**40), "chat": st.fixed_dictionaries({"id": st.integers(1, 2**40)}, optional={"type": VALUES})},
    optional=dict.fromkeys(MESSAGE_KEYS.split(), VALUES),
)
UPDATES: st.SearchStrategy = st.fixed_dictionaries(
    {"update_id": st.integers(0, 2**40)}, optional={"message": MESSAGES, "edited_message": MESSAGES | VALUES}
)


def assert_storable(item: Inbound) -> None:
    strings = [
        item.external_id,
        item.guest_external_id,
        item.guest_name,
        item.text,
        item.reply_to,
        item.album,
        json.dumps(dict(item.extra)),
    ]
    strings += [part for attachment in item.attachments for part in (attachment.ref, attachment.name, attachment.mime)]
    for string in strings:
        assert "\x00" not in string.encode("utf-8").decode()
    assert item.sent_at.tzinfo is not None
    assert isinstance(item.kind, InboundKind)
    assert item.external_id


def check(body: bytes) -> None:
    assert ADAPTER.event_key(event(body))
    with contextlib.suppress(Unreadable):
        for item in parse(body):
            assert_storable(item)


@given(st.dictionaries(WORDS | st.text(max_size=8), VALUES, max_size=6))
def test_any_object_is_items_or_unreadable(value):
    check(json.dumps(value).encode())


@given(UPDATES)
def test_any_update_is_items_or_unreadable(value):
    check(json.dumps(value).encode())


@given(st.binary(max_size=200))
def test_any_bytes_are_items_or_unreadable(body):
    check(body)
