"""The try-out window of the admin panel, and ready answers in the chat on a site."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from bots.models import Run, Version
from bots.services import talking
from bots.tests import builders as bots
from core.embedded.waiting import wait_until
from omni.chat.tests import builders as c
from omni.models import Message
from omni.services import sending
from tests import builders as b
from tests.admin.conftest import an_administrator
from tests.browser.desk import picture
from tests.browser.host_page import serving
from tests.browser.test_widget import Widget

pytestmark = pytest.mark.django_db(transaction=True)
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}


@pytest.fixture
def version(live_product):
    bots.shipped_dialogues()
    b.a_store()
    return Version.objects.get(dialogue__code="welcome")


@pytest.fixture
def signed_in(context, live_product):
    client = Client()
    client.force_login(an_administrator())
    context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_product.url}])
    return live_product.url


def test_a_talk_is_played_in_the_admin_panel(page, signed_in, version):
    page.goto(signed_in + reverse("admin:bots_version_change", args=[version.pk]))
    picture(page, "version")
    page.get_by_role("link", name="Попробовать").click()
    expect(page.locator(".otk-bot")).to_have_count(1)
    page.get_by_role("button", name="Часы работы магазина").click()
    expect(page.locator(".otk-guest")).to_contain_text("Часы работы магазина")
    page.locator("#id_text").fill("лесная")
    page.keyboard.press("Enter")
    expect(page.locator(".otk-bot").nth(2)).to_contain_text("с 08:00 до 22:00")
    picture(page, "try")
    assert not Axe().run(page, options=RULES).response["violations"]
    page.locator("#id_text").fill("оператор")
    page.keyboard.press("Enter")
    expect(page.locator(".otk-mark")).to_be_visible()
    expect(page.locator("#id_text")).to_have_count(0)
    assert [model.objects.count() for model in (Message, Run)] == [0, 0]


def test_ready_answers_are_pressed_in_the_chat_of_a_site(page, live_product, version):
    with serving(live_product.url) as host:
        site = c.a_site(origins=[host])
        site.answers_first = "welcome"
        site.save()
        chat = Widget(page, host).open()
        chat.write("Здравствуйте")
        answer_all()
        ready = chat.log.locator(".ready button:visible")
        expect(ready).to_have_count(6)
        picture(page, "widget")
        ready.filter(has_text="Часы работы магазина").click()
        expect(chat.log.locator(".mine").last).to_contain_text("Часы работы магазина")
        answer_all()
        expect(chat.log.locator(".theirs .text").last).to_contain_text("Напишите номер магазина")
        expect(ready).to_have_text(["Оператор"])
        assert chat.violations() == []


def answer_all():
    """What the worker does."""
    assert wait_until(lambda: bool(talking.find_due(now=timezone.now())), seconds=10)
    for turn in talking.find_due(now=timezone.now()):
        talking.answer(turn, now=timezone.now())
    for attempt in sending.find_due(now=timezone.now()):
        sending.send(attempt, now=timezone.now())
