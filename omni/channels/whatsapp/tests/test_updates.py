"""What every kind of event turns into: samples/<name>.json against a table."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omni.channels.contract import AccountConfig, DeliveryState, InboundKind, RawEvent
from omni.channels.whatsapp.adapter import WhatsAppAdapter
from tests.channel_checks import RECEIVED, body_of, items_or_unreadable, json_objects, load, mutated, words_of

SAMPLES = load(Path(__file__).parent / "samples")
SAID = datetime(2026, 3, 3, 8, 0, 5, tzinfo=UTC)
ADAPTER = WhatsAppAdapter()
ACCOUNT = AccountConfig("a", "whatsapp", {"phone_number_id": "109900110022"})

GUEST = {"guest_external_id": "RU.10002000", "guest_name": "Анна", "conversation": "79001112233", "phone": "+79001112233"}
MESSAGE = {"kind": "message", "external_id": "wamid.DEMO1==", "sent_at": SAID, "attachments": [], **GUEST}
IGNORED = {"kind": "ignored", "attachments": []}
OURS = {"reply_to": "wamid.DEMO0==", "thread_keys": ("wamid.DEMO0==",)}
STATUS = {"kind": "status", "external_id": "wamid.OUT1==", "sent_at": SAID, "guest_external_id": "79001112233", "extra.our_key": "key-1"}

TABLE = {
    "text": MESSAGE
    | {"text": "Здравствуйте! В магазине нет хлеба.", "reply_to": "", "extra": {"wa_id": "79001112233", "user_id": "RU.10002000"}},
    "milliseconds": MESSAGE | {"sent_at": datetime(2026, 3, 3, 8, 0, 5, 123000, tzinfo=UTC)},
    "image": MESSAGE | OURS | {"text": "чек", "attachments": [("image", "778899", "photo.jpg", "image/jpeg")]},
    "reply_to_own_words": MESSAGE | {"reply_to": "wamid.DEMO0==", "thread_keys": ()},
    "forwarded": MESSAGE | {"text": "Акция", "extra.forwarded": True},
    "advertisement": MESSAGE | {"extra.advertisement": "Скидки", "extra.advertisement_url": "https://fb.example/ad"},
    "video": MESSAGE | {"text": "", "attachments": [("video", "1", "video.mp4", "video/mp4")]},
    "voice": MESSAGE | {"text": "", "attachments": [("voice", "2", "voice.ogg", "audio/ogg")]},
    "audio": MESSAGE | {"text": "", "attachments": [("audio", "3", "audio.mp3", "audio/mpeg")]},
    "document": MESSAGE | {"text": "Вот чек", "attachments": [("document", "4", "чек.pdf", "application/pdf")]},
    "sticker": MESSAGE | {"text": "[стикер]", "attachments": [("sticker", "5", "sticker.webp", "image/webp")]},
    "location": MESSAGE
    | {
        "text": "[геопозиция] Магазин у дома, ул. Примерная, 1",
        "attachments": [("location", "geo:55.750000,37.610000", "Магазин у дома, ул. Примерная, 1", "")],
    },
    "contacts": MESSAGE
    | {
        "text": "[контакт] Борис +79001112244\n[контакт] Без номера",
        "attachments": [("contact", "tel:+79001112244", "Борис", "text/vcard")],
    },
    "button": MESSAGE | OURS | {"text": "Да, спасибо", "extra.payload": "thanks"},
    "button_reply": MESSAGE | {"text": "Позвать оператора", "extra.payload": "operator"},
    "list_reply": MESSAGE | {"text": "Просрочка", "extra.payload": "row-2"},
    "form": MESSAGE | {"text": "[анкета] Sent\nshop: 4217\nstars: 4"},
    "reaction": MESSAGE | {"text": "[реакция] 👍", "reply_to": "wamid.DEMO0=="},
    "reaction_removed": IGNORED | {"text": "реакция снята", "guest_external_id": "RU.10002000"},
    "order": MESSAGE | {"text": "[заказ] К пятнице\n• milk-1 × 2 по 89.9 RUB\n• bread × 1"},
    "changed_number": {
        "kind": "moved",
        "guest_external_id": "RU.10002000",
        "text": "гость сменил номер: был 79001112233, теперь 79001112299",
        "phone": "+79001112299",
        "conversation": "79001112299",
        "extra": {},
    },
    "system_other": MESSAGE | {"text": "[служебное сообщение] Код безопасности изменился"},
    "edit": MESSAGE | {"kind": "edit", "external_id": "wamid.DEMO0==", "text": "Нет белого хлеба", "edited_at": SAID},
    "edit_without_original": IGNORED | {"text": "правка или удаление без номера сообщения"},
    "revoke": {"kind": "delete", "external_id": "wamid.DEMO0==", "guest_external_id": "RU.10002000"},
    "unsupported": MESSAGE | {"text": "[сообщение, которое WhatsApp не передаёт] Message type is currently not supported."},
    "unheard_of": MESSAGE | {"text": "[сообщение вида «hologram»]"},
    "poll": MESSAGE | {"text": "[опрос]"},
    "empty_text": MESSAGE | {"text": "[пустой текст]"},
    "welcome": IGNORED | {"text": "гость открыл переписку и ещё ничего не написал"},
    "group": IGNORED | {"text": "сообщение из группы: обращениями становятся только личные переписки"},
    "no_sender": IGNORED | {"text": "сообщение без отправителя"},
    "user_name_only": MESSAGE | {"text": "Без номера", "conversation": "RU.10002000", "phone": ""},
    "phone_only": MESSAGE | {"text": "По-старому", "guest_external_id": "79001112233"},
    "id_in_card_only": MESSAGE,
    "status_sent": STATUS | {"state": DeliveryState.SENT, "error": ""},
    "status_delivered": STATUS | {"state": DeliveryState.DELIVERED},
    "status_read": STATUS | {"state": DeliveryState.READ},
    "status_played": STATUS | {"state": DeliveryState.READ},
    "status_failed": STATUS | {"state": DeliveryState.FAILED, "error": "131049: Not delivered: Healthy ecosystem engagement."},
    "status_unheard_of": IGNORED | {"text": "статус «warning» не обрабатывается"},
    "account_errors": IGNORED | {"text": "ошибка учётной записи 131042: Card expired", "sent_at": RECEIVED},
    "other_field": IGNORED | {"text": "поле «account_update» не обрабатывается"},
    "other_number": IGNORED | {"text": "событие другого номера: его ведёт другая учётная запись"},
    "no_content": IGNORED | {"text": "событие без сообщений и статусов"},
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
    assert set(SAMPLES) == {*TABLE, "batch"}


def test_all_of_a_batch_in_its_order():
    items = parse(SAMPLES["batch"])
    assert [(item.kind, item.text or item.external_id, item.guest_name) for item in items] == [
        (InboundKind.MESSAGE, "раз", "Анна"),
        (InboundKind.MESSAGE, "два", "Анна"),
        (InboundKind.STATUS, "wamid.OUT1==", ""),
        (InboundKind.MESSAGE, "три", "Анна"),
        (InboundKind.MESSAGE, "четыре", "Борис"),
    ]
    assert [item.sequence for item in items] == [0, 1, 2, 3, 4]


def test_one_broken_member_does_not_take_the_others_along():
    value = load(Path(__file__).parent / "samples")["batch"]
    value["entry"][0]["changes"][0]["value"]["messages"].insert(0, {"type": {"x": []}, "from": 5, "timestamp": "x"})
    value["entry"].insert(0, {"changes": [{"field": 7, "value": []}, "x"]})
    assert [item.text for item in parse(value) if item.kind is InboundKind.MESSAGE] == ["[пустое сообщение]", "раз", "два", "три", "четыре"]


def test_without_a_number_of_ours_every_number_is_read():
    event = RawEvent(body_of(SAMPLES["other_number"]), {}, RECEIVED)
    assert [item.text for item in ADAPTER.parse(event, AccountConfig("explain", "whatsapp"))] == ["чужое"]


def test_what_a_database_cannot_hold_is_replaced():
    value = load(Path(__file__).parent / "samples")["text"]
    value["entry"][0]["changes"][0]["value"]["messages"][0]["text"]["body"] = "a\x00b\ud83dc"
    assert parse(value)[0].text == "ab\ufffdc"


def test_equal_bytes_have_one_key_and_others_another():
    first, second = (RawEvent(body_of(SAMPLES[name]), {}, RECEIVED) for name in ("text", "image"))
    assert ADAPTER.event_key(first) == ADAPTER.event_key(first) != ADAPTER.event_key(second)


@given(mutated(list(SAMPLES.values())) | json_objects(words_of(list(SAMPLES.values()))))
def test_any_json_is_items_or_unreadable(value):
    items_or_unreadable(ADAPTER, body_of(value), ACCOUNT)


@given(st.binary(max_size=200))
def test_any_bytes_are_items_or_unreadable(body):
    items_or_unreadable(ADAPTER, body, ACCOUNT)
