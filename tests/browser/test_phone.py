"""The demo's phone in a real browser: buttons of a bot are shown, and a tap is the guest's word at the provider."""

import json

import httpx
import pytest

from tests.providers.frame import Frame
from tests.providers.max import DIALOGUES, TOKEN, MaxBotServer
from tests.providers.played import PlayedGuests
from tests.providers.telegram import TelegramServer
from tests.providers.web import WebPages


@pytest.fixture
def frame():
    telegram, bot = TelegramServer(), MaxBotServer(pauses=())
    with Frame(telegram, bot, PlayedGuests([bot]), WebPages(telegram, "http://127.0.0.1:1", "k")) as running:
        yield running


def test_a_bot_s_buttons_are_tapped(frame, page):
    _telegram, bot, *_others = frame.providers
    page.goto(f"{frame.url}/#max_bot")
    page.select_option("#channel", "max_bot")
    page.fill("#text", "Добрый день")
    page.keyboard.press("Enter")
    page.wait_for_selector(".own >> text=Добрый день")
    guest = int(page.text_content("#chat"))
    buttons = [[{"type": "callback", "text": label, "payload": label}] for label in ("Где мой заказ", "Оператор")]
    message = {"text": "Чем помочь?", "attachments": [{"type": "inline_keyboard", "payload": {"buttons": buttons}}], "link": None}
    address = f"{frame.url}/max-bot/messages?chat_id={DIALOGUES + guest}"
    assert httpx.post(address, json=message, headers={"Authorization": TOKEN}).status_code == 200
    page.wait_for_selector(".keys button >> text=Оператор")
    page.click(".keys button >> text=Где мой заказ")
    page.wait_for_selector(".own >> text=Где мой заказ")
    pressed = json.loads(bot.events[-1].body)
    assert (pressed["update_type"], pressed["callback"]["payload"]) == ("message_callback", "Где мой заказ")
    assert bot.violations.after() == []
