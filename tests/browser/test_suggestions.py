"""Topics that the guest's words suggest, in the new ticket's form: by key and by click."""

import pytest
from playwright.sync_api import expect

from suggestions.models import Suggestion
from suggestions.services import current
from tests import builders as b
from tests.browser.desk import go, sign_in, world  # noqa: F401
from tickets.models import Case
from worklist.states import Kind

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def dialogue(live_product, page, world):  # noqa: F811
    current.forget()
    group = b.a_group("quality", "Качество")
    b.a_topic("late", group, name="Заказ опаздывает", name_en="Order is late")
    b.a_topic("stale", group, name="Просрочка на полке")
    b.a_topic("queue", group, name="Очереди, мало открытых касс")
    session = world.give(text="Третий час жду, заказ опаздывает")
    sign_in(page, live_product)
    go(page, live_product, f"{Kind.SESSION}/{session.pk}/")
    yield page
    current.forget()


def test_a_figure_chooses_a_suggested_topic(dialogue):
    dialogue.keyboard.press("t")
    expect(dialogue.locator("#topic")).to_be_focused()
    first = dialogue.locator(".suggestion").first
    expect(first).to_contain_text("Заказ опаздывает")
    expect(first).to_contain_text("%")
    dialogue.keyboard.press("1")
    expect(dialogue.locator("#topic")).to_have_value("Заказ опаздывает")
    expect(dialogue.locator("#store")).to_be_focused()
    dialogue.locator("#ticket-form button.primary").click()
    expect(dialogue.locator(".toast")).to_be_visible()
    case = Case.objects.get()
    assert case.topic.code == "late"
    assert Suggestion.objects.get().shown_at is not None


def test_a_figure_inside_a_text_stays_a_figure(dialogue):
    dialogue.keyboard.press("t")
    expect(dialogue.locator(".suggestion").first).to_be_visible()
    dialogue.keyboard.type("касс 1")
    expect(dialogue.locator("#topic")).to_have_value("касс 1")
    dialogue.locator(".suggestion").first.click()
    expect(dialogue.locator("#topic")).to_have_value("Заказ опаздывает")
    assert not Case.objects.exists()
