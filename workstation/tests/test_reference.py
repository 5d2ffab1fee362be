"""Tabs to look things up in: articles by the guest's words, the guest's history, orders of telephones that were vouched for."""

from datetime import timedelta

import pytest

from accounts.rights import Right
from customers.models import Identity
from knowledge.models import Article, Audience
from omni.services import conversations
from orders.models import Order
from stores.models import StoreStaff
from tests import builders as b
from tickets.services import opening
from workstation.tests.conftest import Desk

pytestmark = pytest.mark.django_db


def tab(desk, path, panel):
    return desk.read(f"{path}/header/", panel=panel).json()["panel"]


@pytest.fixture
def articles(db):
    texts = {"title": "Как вернуть продукты", "tags": "возврат, испорченный", "answer": "Верните в любом магазине.", "is_published": True}
    Article.objects.create(code="return", **texts)
    inner = {**texts, "title": "Возврат: только для своих", "answer": "Сумма до 500 рублей без согласования.", "audience": Audience.STAFF}
    Article.objects.create(code="return-inside", **inner)
    Article.objects.create(code="hidden", **{**texts, "title": "Возврат, черновик", "is_published": False})


def test_articles_are_found_by_the_guests_newest_words(desk, write, operator, now, articles):
    session = write("Хочу вернуть испорченные продукты")
    conversations.take(session_id=session.pk, by=operator, now=now)
    shown = tab(desk, f"session/{session.pk}", "knowledge")
    assert "Верните в любом магазине." in shown
    assert "Возврат, черновик" not in shown
    assert shown.count('data-do="insert-article"') == 1, "what only staff may read is not put into an answer"
    assert "Сумма до 500 рублей" in shown


@pytest.mark.parametrize(("words", "found"), [("возврат", True), ("возрат", True), ("аэрофлот", False), ("", False)])
def test_articles_are_searched_by_any_words(desk, articles, words, found):
    assert ("Как вернуть продукты" in desk.read("knowledge/", q=words).json()["html"]) is found


def test_history_shows_the_guests_other_dialogues_and_tickets_that_the_person_may_see(desk, taken, operator, now):
    mine = opening.open_ticket(session_id=taken.pk, topic=b.a_topic(group=b.a_group()), by=operator, now=now)
    foreign = opening.open_ticket(
        session_id=taken.pk, topic=b.a_topic("other", group=b.a_group("quality"), name="Тайная тема"), by=operator, now=now
    )
    shown = tab(desk, f"session/{taken.pk}", "history")
    assert f"№ {mine.number}" in shown
    assert (f"№ {foreign.number}" in shown) is False
    assert f"/desk/session/{taken.pk}/" not in shown, "the open one is not its own history"
    assert f"/desk/session/{taken.pk}/" in tab(desk, f"case/{mine.pk}", "history")


@pytest.fixture
def order(taken, now):
    times = {"placed_at": now - timedelta(hours=3), "changed_at": now, "loaded_at": now, "expected_until": now - timedelta(hours=1)}
    made = Order.objects.create(source="own", number="A-1", phone="+79161234567", raw_status="on", state="on_the_way", total=812, **times)
    made.lines.create(name="Кефир 1%", quantity=2, price=90)
    return made


@pytest.mark.parametrize(("is_verified", "seen"), [(True, True), (False, False)])
def test_orders_are_shown_by_a_telephone_that_was_vouched_for_and_no_other(desk, taken, order, is_verified, seen):
    Identity.objects.filter(guest=taken.guest_id).update(phone=order.phone, is_verified=is_verified)
    shown = tab(desk, f"session/{taken.pk}", "orders")
    assert ("A-1" in shown) is seen
    assert ("Кефир 1% × 2" in shown) is seen
    assert ("danger" in shown) is seen, "it is late"
    assert order.phone not in shown


def test_a_telephone_that_was_only_told_is_named_masked(desk, taken, order):
    taken.guest.phone = order.phone
    taken.guest.save()
    shown = tab(desk, f"session/{taken.pk}", "orders")
    assert "A-1" not in shown
    assert "•••-••-67" in shown


def test_store_staff_have_no_orders(taken, operator, order, now):
    Identity.objects.filter(guest=taken.guest_id).update(phone=order.phone, is_verified=True)
    store = b.a_store()
    case = opening.open_ticket(session_id=taken.pk, topic=b.a_topic(store_involved=True), store=store, by=operator, now=now)
    clerk = b.a_person("kassir", "Ольга Кассир", role=b.a_role("store", rights=[Right.CASES_READ]))
    StoreStaff.objects.create(store=store, staff=clerk)
    their = Desk(clerk)
    shown = tab(their, f"case/{case.pk}", "orders")
    assert "A-1" not in shown
    assert 'data-panel="orders"' not in shown
    assert their.read(f"session/{taken.pk}/header/", panel="orders").status_code == 404
