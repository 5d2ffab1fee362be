"""Orders come in by news in any order, and are told only to whom their telephone was vouched for."""

import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from rest_framework.test import APIClient

from accounts.rights import Right
from core import shipped
from core.models import AuditEntry
from orders import selectors
from orders.models import Order, StatusRule
from orders.services import defaults, importing
from orders.states import OrderState
from orders.types import Line, Told
from tests import builders as b
from tests.shipped import once

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
PHONE = "+79161234567"


@pytest.fixture
def meanings(db):
    once(_load_meanings)


def _load_meanings():
    defaults.load(shipped.Shipment(now=NOW, known=set()))


def told(number="A-1", status="picking", minutes=0, **fields):
    given = {"source": "own", "phone": PHONE, "placed_at": NOW, **fields}
    return Told(number=number, status=status, changed_at=NOW + timedelta(minutes=minutes), **given)


def load(*orders):
    return importing.load(orders, by=None, now=NOW)


@pytest.mark.django_db
def test_the_newest_news_counts_in_whatever_order_it_comes(meanings):
    assert load(told(status="delivered", minutes=9)).added == 1
    assert load(told(status="picking", minutes=3)).stale == 1
    assert load(told(status="delivered", minutes=9)).stale == 1, "a repeat changes nothing"
    assert Order.objects.get().state == OrderState.DELIVERED
    assert load(told(status="returned", minutes=12)).changed == 1
    assert AuditEntry.objects.filter(action="orders.loaded").count() == 4


@pytest.mark.django_db
def test_a_status_nobody_explained_is_unknown_and_told(meanings):
    outcome = load(told(status="teleported"), told(number="A-2", status="teleported"))
    assert outcome.unknown == ["own:teleported"]
    assert set(Order.objects.values_list("state", flat=True)) == {OrderState.UNKNOWN}
    StatusRule.objects.create(source="own", raw_status="teleported", state=OrderState.DELIVERED)
    load(told(status="teleported", minutes=1))
    assert Order.objects.get(number="A-1").state == OrderState.DELIVERED


@pytest.mark.django_db
def test_goods_are_replaced_or_left(meanings):
    load(told(lines=[Line("Кефир", Decimal(2), Decimal("89.90"))]))
    load(told(minutes=1))
    assert Order.objects.get().lines.get().name == "Кефир"
    load(told(minutes=2, lines=[Line("Молоко", Decimal(1), Decimal(95))]))
    assert Order.objects.get().lines.get().name == "Молоко"


@pytest.mark.django_db
def test_an_order_is_told_only_for_its_telephone(meanings):
    load(told(), told(number="A-2", phone=""), told(number="A-3", phone="+79990000000"))
    assert [order.number for order in selectors.list_orders([PHONE])] == ["A-1"]
    assert selectors.list_orders([]) == selectors.list_orders([""]) == []
    assert selectors.list_orders([PHONE], number="A-3") == []


@pytest.mark.django_db
def test_what_goes_on_comes_first(meanings):
    load(told("OLD", "picking", placed_at=NOW - timedelta(days=2)), told("NEW", "delivered"))
    assert [order.number for order in selectors.list_orders([PHONE])] == ["OLD", "NEW"]


@pytest.mark.django_db
def test_the_guest_is_told_in_words_by_the_clock_of_the_store(meanings):
    b.a_store()
    at = datetime(2026, 11, 22, 15, 0, tzinfo=UTC)
    load(told(store="4217", status="in_delivery", expected_from=at, expected_until=at + timedelta(hours=2)))
    assert selectors.in_words(Order.objects.get()) == "Заказ A-1 уже едет к вам. Ждите: 22.11, 18:00–20:00."


def a_client(rights):
    client = APIClient()
    client.force_login(b.a_person("robot", "Робот", role=b.a_role("robot", rights)), backend="accounts.backends.StaffBackend")
    return client


def body(**fields):
    order = {"source": "own", "number": "A-1", "status": "paid", "placed_at": NOW.isoformat(), "changed_at": NOW.isoformat(), **fields}
    return {"orders": [order]}


@pytest.mark.django_db
def test_systems_tell_of_orders_by_the_api(meanings):
    client, key = a_client([Right.LOAD_ORDERS]), str(uuid.uuid4())
    send = lambda given, key: client.post("/api/v1/orders", given, format="json", headers={"Idempotency-Key": key})  # noqa: E731
    assert send(body(phone="8 916 123-45-67"), key).json() == {"added": 1, "changed": 0, "stale": 0, "unknown": []}
    assert send(body(phone="8 916 123-45-67"), key).json()["added"] == 1, "a repeat gets the first answer"
    assert Order.objects.get().phone == PHONE
    for wrong in ({"phone": "12"}, {"number": ""}, {"placed_at": "вчера"}, {"lines": [{"name": "x", "quantity": -1, "price": 1}]}):
        assert send(body(**wrong), str(uuid.uuid4())).status_code == 400, wrong
    assert send({"orders": []}, str(uuid.uuid4())).status_code == 400


@pytest.mark.django_db
def test_who_may_not_tell_of_orders_is_refused():
    answer = a_client([Right.DESK]).post("/api/v1/orders", body(), format="json", headers={"Idempotency-Key": str(uuid.uuid4())})
    assert answer.status_code == 403


@pytest.mark.django_db(transaction=True)
def test_parallel_news_of_one_order_make_one_order():
    once(_load_meanings)

    def tell(minute):
        try:
            load(told(status="picking" if minute < 19 else "delivered", minutes=minute), told("B-2", minutes=20 - minute))
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(tell, range(20)))
    assert Order.objects.count() == 2
    assert Order.objects.get(number="A-1").state == OrderState.DELIVERED
