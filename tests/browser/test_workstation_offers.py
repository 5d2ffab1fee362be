"""An offer on the operator's screen: it comes alone, is answered by keys while a text is written, and goes away with its time."""

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from omni.models import BreakKind, DeclineReason, Offer, Presence, Queue, Session
from omni.services import distribution
from omni.states import Delivery, OfferState
from tests import builders as b
from tests.browser.desk import go, sign_in, world  # noqa: F401
from workstation.services import held_closings

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def line(world):  # noqa: F811
    DeclineReason.objects.create(code="busy", name="Занят сложным диалогом")
    DeclineReason.objects.create(code="knowledge", name="Не знаю этой темы", position=1)
    BreakKind.objects.create(code="lunch", name="Обед", limit_minutes=60)
    return world


def on_line(line):
    Queue.objects.update(delivery=Delivery.OFFER, offer_seconds=60)
    return b.go_on_line(line.operator, now=timezone.now())


def offer(line, text, visitor="visitor-9"):
    session = line.write(text=text, visitor=visitor, name="Пётр Сомов")
    distribution.give_out(group_id=b.a_group().pk, now=timezone.now())
    assert Offer.objects.filter(session=session, state=OfferState.OPEN).exists()
    return session


def test_an_offer_is_accepted_by_a_key_while_a_text_is_written(live_product, page, line):
    mine = line.give(text="Первый вопрос")
    on_line(line)
    sign_in(page, live_product)
    go(page, live_product, f"session/{mine.pk}/")
    page.fill("#text", "Пишу ответ")
    session = offer(line, "Второй вопрос")
    expect(page.locator("#offer")).to_be_visible()
    expect(page.locator(".offer-who")).to_have_text("Пётр Сомов")
    assert page.evaluate("document.activeElement.id") == "text", "the offer takes no focus"
    page.keyboard.press("F8")
    expect(page.locator("#offer")).to_be_hidden()
    expect(page.locator("#guest-name")).to_have_text("Пётр Сомов")
    assert Session.objects.get(pk=session.pk).owner == line.operator


def test_an_offer_is_declined_with_a_reason_by_keys_and_the_focus_returns(live_product, page, line):
    mine = line.give(text="Первый вопрос")
    on_line(line)
    offer(line, "Второй вопрос")
    sign_in(page, live_product)
    go(page, live_product, f"session/{mine.pk}/")
    expect(page.locator("#offer")).to_be_visible()  # made before the page was opened
    page.locator("#text").focus()
    page.keyboard.press("F9")
    expect(page.locator(".offer-reasons button").first).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator(".offer-reasons")).to_be_hidden()
    expect(page.locator("#text")).to_be_focused()
    page.keyboard.press("F9")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#offer")).to_be_hidden()
    assert Offer.objects.get().reason == "knowledge"
    expect(page.locator("#text")).to_be_focused()


def test_an_offer_that_ran_out_leaves_the_screen_and_the_person_counts_as_away(live_product, page, line):
    on_line(line)
    sign_in(page, live_product)
    offer(line, "Вопрос")
    expect(page.locator("#offer")).to_be_visible()
    distribution.after_changes(now=timezone.now() + timedelta(seconds=61))
    expect(page.locator("#offer")).to_be_hidden()
    expect(page.locator("#presence .presence-word")).to_have_text("Отошёл: пропущено предложение")


def test_breaks_are_rows_and_after_work_counts_down(live_product, page, line):
    on_line(line)
    sign_in(page, live_product)
    page.click("#presence")
    page.click("[data-reason=lunch]")
    expect(page.locator("#presence .presence-word")).to_have_text("Обед")
    assert Presence.objects.get().reason == "lunch"
    Presence.objects.update(state="ready", reason="")
    Queue.objects.update(wrap_up_seconds=300, delivery=Delivery.PUSH)
    session = line.write(text="Вопрос", visitor="visitor-5")
    distribution.give_out(group_id=b.a_group().pk, now=timezone.now())
    go(page, live_product, f"session/{session.pk}/")
    page.locator("#feed").focus()
    page.keyboard.press("e")
    expect(page.locator(".toast")).to_contain_text("Завершено")
    held_closings.close_due(now=timezone.now() + held_closings.HOLD)
    expect(page.locator("#presence .presence-word")).to_have_text("Постобработка")
    expect(page.locator("#presence-time")).to_contain_text("−")


def test_a_dialogue_is_handed_to_another_queue(live_product, page, line):
    session = line.give(text="Вопрос")
    other = b.a_queue("mail", b.a_group("mail", "Почта"))
    sign_in(page, live_product)
    go(page, live_product, f"session/{session.pk}/")
    page.locator("#feed").focus()
    page.keyboard.press("a")
    page.fill("#hand-place", "mail")
    page.locator("#dialog [role=option]:visible").first.wait_for()
    page.keyboard.press("Enter")
    page.fill("#hand-note", "Это к вам")
    page.click("#dialog button[type=submit]")
    expect(page.locator("#dialog")).to_be_hidden()
    moved = Session.objects.get(pk=session.pk)
    assert (moved.queue, moved.owner) == (other, None)
