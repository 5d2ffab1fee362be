"""Keys of deeds about the open item: priority, compensation, knowledge, history, orders, and F2 for calls."""

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from accounts.models import Role
from accounts.rights import Right
from customers.models import Identity
from knowledge.models import Article
from loyalty.models import Compensation
from loyalty.services import defaults
from loyalty.tests import builders as points
from omni.models import Offer, Queue, Session
from omni.services import distribution
from omni.states import Delivery, OfferState
from orders.models import Order
from tests import builders as b
from tests.browser.desk import WATCH, focus_is_visible, go, picture, sign_in, world  # noqa: F401
from tests.browser.test_workstation import LETTER
from tests.browser.test_workstation_look import violations
from tickets.models import CallBack, Case
from tickets.services import call_backs, cases, opening, priorities
from tickets.states import Priority

pytestmark = pytest.mark.django_db(transaction=True)
NEW_KEYS = {
    "D": "Сравнить возможные дубли",
    "C": "Дать компенсацию",
    "P": "Изменить приоритет",
    "B": "База знаний",
    "H": "История гостя",
    "O": "Заказы гостя",
    "F2": "Ответить на предложенный звонок или сделать тот, чей срок настал",
}


@pytest.fixture
def desk(live_product, page, world):  # noqa: F811
    page.add_init_script(WATCH)
    sign_in(page, live_product)
    yield page
    assert page.evaluate("window.violations") == []


def ticket(world, **said):  # noqa: F811
    """A dialogue and its ticket, both in the operator's hands."""
    now, session = timezone.now(), world.give(**said)
    made = opening.open_ticket(session_id=session.pk, topic=b.a_topic(group=b.a_group()), by=world.operator, now=now)
    return session, cases.take(case_id=made.pk, by=world.operator, now=now)


def press(page, *keys):
    for key in keys:
        page.keyboard.press(key)
        assert focus_is_visible(page), key


def at_feed(page):
    page.focus("#feed")
    return page


def test_the_overview_names_them_and_the_palette_finds_them(desk, live_product, world):  # noqa: F811
    go(desk, live_product, f"session/{world.give().pk}/")
    at_feed(desk).keyboard.press("Shift+Slash")
    lines = desk.locator("#keys-list p")
    for key, name in NEW_KEYS.items():
        expect(lines.filter(has_text=name).locator("kbd")).to_have_text(key)
    picture(desk, "keys-overview")
    desk.keyboard.press("Escape")
    for words, key in (("компенсация", "C"), ("ghbjhbntn", "P"), ("orders", "O"), ("база знаний", "B")):
        desk.keyboard.press("Control+k")
        desk.fill("#palette-input", words)
        expect(desk.locator("#palette-list li kbd").first).to_have_text(key)
        desk.keyboard.press("Escape")


def test_p_changes_the_priority_and_z_brings_it_back(desk, live_product, world):  # noqa: F811
    session, case = ticket(world)
    go(desk, live_product, f"case/{case.pk}/")
    at_feed(desk).evaluate(LETTER, {"key": "з", "code": "KeyP"})
    expect(desk.locator("#priorities [aria-pressed=true]")).to_be_focused()
    assert violations(desk) == []
    picture(desk, "priority")
    press(desk, "Shift+Tab", "Enter")
    expect(desk.locator("#dialog")).to_be_hidden()
    expect(desk.locator(f'[data-key="case:{case.pk}"] .mark-priority')).to_be_visible()
    expect(desk.locator("#panel .facts")).to_contain_text("высокий")
    assert Case.objects.get(pk=case.pk).priority == Priority.HIGH
    at_feed(desk).keyboard.press("z")
    expect(desk.locator(f'[data-key="case:{case.pk}"] .mark-priority')).to_be_hidden()
    assert Case.objects.get(pk=case.pk).priority == Priority.USUAL
    go(desk, live_product, f"session/{session.pk}/")
    at_feed(desk).keyboard.press("p")
    expect(desk.locator(".toast")).to_contain_text("приоритет своей очереди")


def test_c_leads_to_the_compensation_of_the_ticket(desk, live_product, world):  # noqa: F811
    session, case = ticket(world)
    go(desk, live_product, f"case/{case.pk}/")
    at_feed(desk).keyboard.press("c")
    expect(desk.locator(".toast")).to_contain_text("Ваша роль не позволяет начислять баллы")
    defaults.load(now=timezone.now())
    Role.objects.filter(code="operator").update(rights=[*b.OPERATOR_RIGHTS, Right.COMPENSATE])
    points.a_wallet(120, card="7700001234", guest=case.guest)
    go(desk, live_product, f"session/{session.pk}/")
    at_feed(desk).keyboard.press("c")
    expect(desk.locator(".toast")).to_contain_text("начисляют в обращении")
    expect(desk.locator("#panel .case-link")).to_be_focused()
    press(desk, "Enter")
    expect(desk.locator("#panel .panel-name")).to_contain_text(case.number)
    at_feed(desk).evaluate(LETTER, {"key": "с", "code": "KeyC"})
    expect(desk.locator("#points-reason")).to_be_focused()
    desk.select_option("#points-reason", index=1)
    desk.fill("#points-number", "50")
    desk.locator("#points-number").press("Enter")
    expect(desk.locator(".given")).to_contain_text("+50")
    assert Compensation.objects.get().points == 50
    at_feed(desk).keyboard.press("c")
    expect(desk.locator(".toast")).to_contain_text("компенсация уже есть")


def test_news_take_no_form_away_that_somebody_has_gone_to(desk, live_product, world):  # noqa: F811
    defaults.load(now=timezone.now())
    Role.objects.filter(code="operator").update(rights=[*b.OPERATOR_RIGHTS, Right.COMPENSATE])
    _session, case = ticket(world)
    points.a_wallet(120, card="7700001234", guest=case.guest)
    go(desk, live_product, f"case/{case.pk}/")
    at_feed(desk).keyboard.press("c")
    expect(desk.locator("#points-reason")).to_be_focused()
    with desk.expect_response("**/header/**"):
        priorities.change(case_id=case.pk, priority=Priority.HIGH, by=world.operator, now=timezone.now())
    expect(desk.locator(f'[data-key="case:{case.pk}"] .mark-priority')).to_be_visible()
    expect(desk.locator("#points-reason")).to_be_focused()
    desk.focus("#feed")
    with desk.expect_response("**/header/**"):
        priorities.change(case_id=case.pk, priority=Priority.URGENT, by=world.operator, now=timezone.now())
    expect(desk.locator("#panel .facts").first).to_contain_text("срочный")
    expect(desk.locator("#points-reason")).to_be_visible()


def test_b_finds_an_article_and_puts_it_into_the_answer(desk, live_product, world):  # noqa: F811
    facts = {"tags": "возврат, чек", "is_published": True}
    Article.objects.create(code="a", title="Возврат без чека", answer="Вернём и без чека: хватит карты.", **facts)
    Article.objects.create(code="b", title="Электронный чек", answer="Чек есть в приложении, раздел «Покупки».", **facts)
    go(desk, live_product, f"session/{world.give(text='Потерял чек, как вернуть товар?').pk}/")
    at_feed(desk).evaluate(LETTER, {"key": "и", "code": "KeyB"})
    expect(desk.locator("#article-words")).to_be_focused()
    expect(desk.locator(".article")).to_have_count(2)  # by the guest's own words, before anything is typed
    desk.keyboard.type("электронный")
    expect(desk.locator(".article")).to_have_count(1)
    expect(desk.locator("#polite")).to_contain_text("Найдена 1 статья")
    assert violations(desk) == []
    picture(desk, "knowledge")
    desk.fill("#text", "Добрый день! ")
    desk.locator("[data-do=insert-article]").click()
    expect(desk.locator("#text")).to_have_value("Добрый день! Чек есть в приложении, раздел «Покупки».")
    expect(desk.locator("#text")).to_be_focused()
    desk.fill("#article-words", "аэрофлот")
    expect(desk.locator("#articles")).to_contain_text("Ничего не подошло")


def test_h_shows_earlier_dialogues_and_tickets_and_opens_one(desk, live_product, world):  # noqa: F811
    session, case = ticket(world)
    go(desk, live_product, f"session/{session.pk}/")
    at_feed(desk).evaluate(LETTER, {"key": "р", "code": "KeyH"})
    expect(desk.locator("#panel .case-link").first).to_be_focused()
    expect(desk.locator("#panel .case-link")).to_contain_text(f"№ {case.number}")
    assert violations(desk) == []
    picture(desk, "history")
    press(desk, "Enter")
    expect(desk.locator("#dialogue-head")).to_contain_text(case.number)
    desk.focus("#tab-ticket")
    press(desk, "ArrowRight", "ArrowRight")
    expect(desk.locator("#tab-history")).to_have_attribute("aria-selected", "true")
    expect(desk.locator("#tab-history")).to_be_focused()


def test_o_shows_the_orders_of_a_telephone_that_was_vouched_for(desk, live_product, world):  # noqa: F811
    session, now = world.give(text="Где мой заказ?"), timezone.now()
    times = {"placed_at": now, "changed_at": now, "loaded_at": now, "expected_until": now - timedelta(hours=1)}
    order = Order.objects.create(
        source="own", number="A-100", phone="+79161234567", raw_status="on", state="on_the_way", total=812, **times
    )
    order.lines.create(name="Кефир 1%", quantity=2, price=90)
    go(desk, live_product, f"session/{session.pk}/")
    at_feed(desk).evaluate(LETTER, {"key": "щ", "code": "KeyO"})
    expect(desk.locator("#panel-body")).to_contain_text("не подтверждён")
    Identity.objects.filter(guest=session.guest_id).update(phone=order.phone, is_verified=True)
    go(desk, live_product, f"session/{session.pk}/")
    at_feed(desk).keyboard.press("o")
    expect(desk.locator(".order summary")).to_be_focused()
    press(desk, "Enter")
    expect(desk.locator(".order-lines")).to_contain_text("Кефир 1% × 2")
    expect(desk.locator(".order .tag")).to_contain_text("опаздывает")
    assert violations(desk) == []
    picture(desk, "orders")


def test_f2_answers_the_offered_call_and_no_chat(desk, live_product, world):  # noqa: F811
    Queue.objects.update(delivery=Delivery.OFFER, offer_seconds=60)
    b.go_on_line(world.operator, now=timezone.now())
    mine = world.give(text="Первый вопрос")
    chat = world.write(text="Второй вопрос", visitor="v2", name="Пётр Сомов")
    call = world.write(text="Звонок", visitor="v3", name="Ольга Звонарёва")
    Session.objects.filter(pk=call.pk).update(account=b.an_account("voice"))
    distribution.give_out(group_id=b.a_group().pk, now=timezone.now())
    assert Offer.objects.filter(state=OfferState.OPEN).count() == 2
    go(desk, live_product, f"session/{mine.pk}/")
    expect(desk.locator("#offer")).to_be_visible()
    desk.fill("#text", "Пишу ответ")
    desk.keyboard.press("F2")  # while a text is being written
    expect(desk.locator("#guest-name")).to_have_text("Ольга Звонарёва")
    assert Session.objects.get(pk=call.pk).owner == world.operator
    assert Session.objects.get(pk=chat.pk).owner is None
    expect(desk.locator("#offer")).to_contain_text("Пётр Сомов")


def test_f2_opens_the_ticket_of_a_call_that_is_due(desk, live_product, world):  # noqa: F811
    _session, case = ticket(world)
    now = timezone.now()
    call = call_backs.plan(case_id=case.pk, at=now, phone="+7 916 123-45-67", note="О возврате", by=world.operator, now=now)
    go(desk, live_product)
    desk.locator(".tab").first.focus()
    desk.keyboard.press("F2")
    expect(desk.locator(".toast")).to_contain_text("Звонка нет")
    assert call_backs.ring(now=timezone.now()) == 1
    expect(desk.locator(".toast")).to_contain_text(f"№ {case.number}")
    desk.keyboard.press("F2")
    expect(desk.locator(".call.is-due a")).to_be_focused()
    assert CallBack.objects.get(pk=call.pk).state == CallBack.State.OPEN
