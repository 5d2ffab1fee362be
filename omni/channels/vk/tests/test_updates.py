"""What every kind of event turns into: samples/<name>.json against a table."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omni.channels.contract import AccountConfig, DeliveryState, Inbound, RawEvent, Unreadable
from omni.channels.vk.adapter import VkAdapter
from tests.channel_checks import RECEIVED, body_of, items_or_unreadable, json_objects, load, mutated, words_of

SAMPLES = load(Path(__file__).parent / "samples")
SAID = datetime(2026, 3, 3, 8, 0, 5, tzinfo=UTC)
ADAPTER = VkAdapter()
ACCOUNT = AccountConfig("a1", "vk", {"group_id": "200300"})

GUEST = {"guest_external_id": "700800", "conversation": "700800"}
MESSAGE = {"kind": "message", "external_id": "700800:42", "sent_at": SAID, "sequence": 42, **GUEST}
COMMENT = {
    "kind": "message",
    "external_id": "wall:-200300_55:77",
    "guest_external_id": "comments:700800",
    "conversation": "wall:-200300_55:77",
    "sent_at": SAID,
}
IGNORED = {"kind": "ignored", "attachments": []}


def files(*found):
    return {"attachments": list(found)}


TABLE: dict[str, dict] = {
    "text": MESSAGE | {"text": "Нет молока в Лукошко на Лесной", "attachments": [], "subject": ""},
    "start": MESSAGE | {"text": "Начать", "extra": {"payload": '{"command":"start"}', "ref": "store-4711", "ref_source": "qr"}},
    "photo": MESSAGE | {"text": "Просрочка"} | files(("image", "https://files.example.org/x.jpg", "photo.jpg", None)),
    "doc": MESSAGE | {"text": ""} | files(("document", "https://files.example.org/doc2", "чек.pdf", 20480)),
    "voice": MESSAGE
    | {"text": "[голосовое сообщение] хлеб закончился"}
    | files(("voice", "https://files.example.org/v.ogg", "voice.ogg", None)),
    "sticker": MESSAGE | {"text": "[стикер]"} | files(("sticker", "https://files.example.org/512.png", "sticker.png", None)),
    "graffiti": MESSAGE | files(("image", "https://files.example.org/g.png", "graffiti.png", None)),
    "audio": MESSAGE | {"text": "[аудиозапись] Хор — Песня", "attachments": []},
    "video": MESSAGE | {"text": "[видео] Очередь в кассу https://vk.com/video700800_6"},
    "links": MESSAGE
    | {
        "text": "[ссылка] Акция https://example.org/a\n"
        "[запись на стене] https://vk.com/wall-200300_55\nСкидки недели\n[комментарий] Согласен"
    },
    "market": MESSAGE | {"text": "[товар] Кефир 1 л 89 ₽ https://vk.com/product-200300_8\n[статья] Как хранить хлеб\n[подарок]"},
    "poll": MESSAGE | {"text": "[опрос] Какой хлеб привезти?\n• Чёрный\n• Белый"},
    "unheard_of": MESSAGE | {"text": "Что это?\n[сообщение вида «hologram»]"},
    "geo": MESSAGE | {"text": "Я здесь\n[геопозиция] Москва"} | files(("location", "geo:55.751244,37.618423", "Москва", None)),
    "reply": MESSAGE | {"reply_to": "700800:41", "thread_keys": ("700800:41",)},
    "reply_to_self": MESSAGE | {"reply_to": "700800:40", "thread_keys": ()},
    "forwarded": MESSAGE
    | {"text": "Смотрите\n[пересланное сообщение]\nРаз\n[пересланное сообщение]\nДва"}
    | files(("document", "https://files.example.org/a", "a.txt", 3)),
    "cropped": MESSAGE | {"text": "Начало\n[часть сообщения не поместилась в событие ВКонтакте]"},
    "empty": MESSAGE | {"text": "[пустое сообщение]"},
    "group_chat": IGNORED | {"text": "сообщение не из личной переписки: обращениями становятся только личные"},
    "from_community": IGNORED | {"text": "сообщение самого сообщества"},
    "old_ids": MESSAGE | {"external_id": "700800:id312", "sequence": 0},
    "no_ids": MESSAGE | {"external_id": "700800:event:a1b2c3d423", "sequence": 0},
    "old_shape": MESSAGE | {"text": "до 5.103"},
    "edit": MESSAGE | {"kind": "edit", "text": "Нет молока и хлеба", "edited_at": datetime(2026, 3, 3, 8, 1, 40, tzinfo=UTC)},
    "edit_of_ours": IGNORED,
    "echo": GUEST | {"kind": "status", "external_id": "700800:43", "state": DeliveryState.DELIVERED, "sent_at": SAID},
    "typed_in_vk": GUEST | {"kind": "outside", "external_id": "700800:44", "text": "Ответ с сайта", "sent_at": SAID, "sequence": 44},
    "read": GUEST | {"kind": "status", "external_id": "700800:43", "state": DeliveryState.READ, "sent_at": RECEIVED},
    "read_unnamed": IGNORED | {"text": "прочтение без номера сообщения"},
    "button": GUEST
    | {"kind": "message", "external_id": "button:5f2c", "text": "Позвать оператора", "reply_to": "700800:43", "sent_at": RECEIVED},
    "button_bare": GUEST | {"kind": "message", "external_id": "button:5f2d", "text": '[кнопка] {"rate": 5}', "reply_to": ""},
    "deny": GUEST | {"kind": "blocked", "external_id": "event:a1b2c3d433:message_deny", "sent_at": RECEIVED},
    "allow": GUEST | {"kind": "unblocked"},
    "comment": COMMENT
    | {
        "text": "А хлеб будет?",
        "subject": "Комментарий к записи: https://vk.com/wall-200300_55?reply=77",
        "extra": {"public": True, "page": "https://vk.com/wall-200300_55?reply=77", "vk_user": 700800},
    },
    "comment_answering_us": COMMENT
    | {
        "external_id": "wall:-200300_55:78",
        "conversation": "wall:-200300_55:78",
        "text": "Лукошко, спасибо",
        "reply_to": "wall:-200300_55:76",
        "thread_keys": ("wall:-200300_55:76",),
    },
    "comment_of_ours": IGNORED | {"text": "собственная запись или ответ сообщества"},
    "comment_edit": COMMENT | {"kind": "edit", "text": "А хлеб будет завтра?", "edited_at": RECEIVED},
    "comment_restore": COMMENT,
    "comment_delete": {"kind": "delete", "external_id": "wall:-200300_55:77", "guest_external_id": "comments:700800"},
    "photo_comment": COMMENT | {"external_id": "photo:-200300_457:12", "conversation": "photo:-200300_457:12"},
    "video_comment": COMMENT | {"external_id": "video:-200300_458:13", "conversation": "video:-200300_458:13"},
    "market_comment": COMMENT | {"external_id": "market:-200300_8:14", "conversation": "market:-200300_8:14"},
    "topic_post": COMMENT | {"external_id": "topic:-200300_3:15", "conversation": "topic:-200300_3:15"},
    "topic_delete": {"kind": "delete", "external_id": "topic:-200300_3:15"},
    "wall_post": COMMENT
    | {
        "external_id": "wall:-200300_60:0",
        "conversation": "wall:-200300_60:0",
        "subject": "Запись на стене: https://vk.com/wall-200300_60",
    },
    "suggested": COMMENT | {"external_id": "wall:-200300_61:0", "conversation": "wall:-200300_61:0", "text": "Опубликуйте, пожалуйста"},
    "own_post": IGNORED,
    "repost": COMMENT | {"external_id": "wall:700800_9:0", "conversation": "wall:700800_9:0", "text": "Опять обман с ценой"},
    "repost_silent": IGNORED | {"text": "репост без слов"},
    "user_block": IGNORED | {"text": "событие вида «user_block» не обрабатывается"},
    "typing": IGNORED,
    "unheard_of_event": IGNORED | {"text": "событие вида «telepathy_new» не обрабатывается"},
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
    "not UTF-8": (b'{"type": "\xff"}', "not JSON"),
    "too deep": (b"[" * 200_000, "not JSON"),
    "array": (b"[]", "not list"),
    "no type": (b'{"group_id": 1}', "no type"),
    "no object": (b'{"type": "message_new"}', "the object of message_new"),
    "object is text": (b'{"type": "wall_reply_new", "object": "x"}', "the object of wall_reply_new"),
    "no author": (b'{"type": "message_new", "object": {"message": {"text": "x"}}}', "from_id"),
    "no post": (b'{"type": "wall_reply_new", "object": {"id": 1, "from_id": 2}}', "post_id"),
    "negative comment": (b'{"type": "wall_reply_new", "object": {"id": -1, "post_id": 3, "from_id": 2}}', "id"),
}


@pytest.mark.parametrize(("body", "reason"), UNREADABLE.values(), ids=UNREADABLE)
def test_unreadable(body, reason):
    with pytest.raises(Unreadable, match=reason):
        parse(body)


def test_repeats_share_their_key():
    key = ADAPTER.event_key(RawEvent(b'{"event_id": "a1", "type": "x"}', {}, RECEIVED))
    assert key == ADAPTER.event_key(RawEvent(b'{"type": "x",  "event_id": "a1"}', {"x-retry-counter": "2"}, RECEIVED)) == "event:a1"
    assert ADAPTER.event_key(RawEvent(b"{", {}, RECEIVED)).startswith("sha256:")


WORDS = words_of(list(SAMPLES.values())) | {str(sample["type"]) for sample in SAMPLES.values()}


@given(mutated(list(SAMPLES.values())))
def test_any_changed_sample_is_items_or_unreadable(value):
    items_or_unreadable(ADAPTER, body_of(value), ACCOUNT)


@given(json_objects(WORDS))
def test_any_object_is_items_or_unreadable(value):
    items_or_unreadable(ADAPTER, body_of(value), ACCOUNT)


@given(st.binary(max_size=200))
def test_any_bytes_are_items_or_unreadable(body):
    items_or_unreadable(ADAPTER, body, ACCOUNT)
