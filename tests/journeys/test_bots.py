"""A guest talks with the bot in Telegram over the wire: webhook, real worker, the Bot API's own server; then a person takes over."""

import pytest
from django.utils import timezone

from bots.models import Run
from bots.tests import builders as bots
from core.embedded.waiting import wait_until
from omni.models import Message, Session
from omni.states import Direction
from tests import builders as b
from tests.providers.faults import Fault, FaultKind
from tests.providers.frame import Frame
from tests.providers.telegram import TOKEN, TelegramServer

pytestmark = pytest.mark.django_db(transaction=True)
CHAT = 555000111


@pytest.fixture
def telegram():
    server = TelegramServer(token=TOKEN, pauses=(0.05, 0.1))
    with Frame(server) as frame:
        server.url = frame.url
        yield server


@pytest.fixture
def account(telegram, live_product):
    bots.shipped_dialogues()
    b.a_store()
    account = bots.an_account_with_a_bot(settings={"api_base": telegram.url}, bot_token=TOKEN, webhook_secret="hook-secret")
    address = f"{live_product.url}/hooks/telegram/{account.public_id}/"
    telegram.webhook.url, telegram.webhook.secret = address, "hook-secret"
    return account


def answered(telegram, count):
    assert wait_until(lambda: len(telegram.accepted.after()) >= count, seconds=30), telegram.accepted.after()
    return telegram.accepted.after()[:count]


def test_a_guest_is_served_by_buttons_and_then_by_a_person(telegram, account, worker_process):
    operator = b.a_person(groups=[b.a_group()])
    b.go_on_line(operator, now=timezone.now())
    telegram.guest_says(CHAT, "Добрый день")
    (menu,) = answered(telegram, 1)
    rows = [[button["text"] for button in row] for row in menu["reply_markup"]["keyboard"]]
    assert ["Часы работы магазина"] in rows
    assert rows[-1] == ["Оператор"]
    telegram.guest_says(CHAT, "Часы работы магазина")
    assert "номер магазина" in answered(telegram, 2)[1]["text"]
    telegram.faults.add(Fault(FaultKind.SERVER_ERROR))
    telegram.guest_says(CHAT, "4217")
    told = [entry["text"] for entry in answered(telegram, 4)[2:]]
    assert told[0].startswith("Москва, Лесная ул., 12: с 08:00 до 22:00")
    assert told[1] == "Помочь чем-то ещё?"
    telegram.guest_says(CHAT, "Оператор")
    last = answered(telegram, 5)[4]
    assert last["reply_markup"] == {"remove_keyboard": True}
    assert wait_until(lambda: Session.objects.get().owner_id == operator.pk, seconds=15)
    assert Message.objects.get(direction=Direction.NOTE).text.startswith("Бот «Помощник в чате»: гость попросил оператора.")
    assert Run.objects.get().state == "handed"
    assert len(telegram.accepted.after()) == 5
    assert telegram.violations.after() == []


def test_a_telephone_is_shared_by_the_button(telegram, account, worker_process):
    telegram.guest_says(CHAT, "где мой заказ?")
    (asked,) = answered(telegram, 1)
    assert asked["reply_markup"]["keyboard"][0] == [{"text": "Поделиться номером телефона", "request_contact": True}]
    telegram.guest_says(CHAT, contact="+79161234567")
    assert "заказов не нашёл" in answered(telegram, 2)[1]["text"]
    assert telegram.violations.after() == []
