"""What orders measure of guests for segments: delivered ones, by telephones that were vouched for."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from customers import measures
from customers.models import Guest, Identity, Segment, SegmentRule
from customers.rules import months_before
from customers.services import identities
from orders.models import Order

pytestmark = pytest.mark.django_db
NOW = timezone.now()


def a_guest():
    return Guest.objects.create(created_at=NOW)


def segment_of(guest):
    return Guest.objects.get(pk=guest.pk).segment


def a_segment(code, position, *ways):
    made = Segment.objects.create(code=code, name=code, position=position)
    SegmentRule.objects.bulk_create(SegmentRule(segment=made, measure=measure, least=least) for measure, least in ways)


def test_a_guest_who_becomes_known_belongs_at_once(django_capture_on_commit_callbacks):
    a_segment("vip", 10, ("orders_total", 1000))
    Order.objects.create(
        source="own", number="1", phone="+79160000001", state="delivered", raw_status="done", total=Decimal(1500),
        placed_at=NOW - timedelta(days=30), changed_at=NOW, loaded_at=NOW,
    )  # fmt: skip
    with django_capture_on_commit_callbacks(execute=True):
        identity = identities.recognise(channel="telegram", scope="1", external_id="7", name="Анна", phone="+79160000001", now=NOW)
    assert segment_of(identity.guest) == "vip"


def test_orders_count_by_vouched_telephones_within_the_months():
    guest, other = a_guest(), a_guest()
    facts = {"channel": "telegram", "scope": "1", "created_at": NOW}
    Identity.objects.create(guest=guest, external_id="1", phone="+79160000001", is_verified=True, **facts)
    Identity.objects.create(guest=guest, external_id="2", phone="+79160000001", is_verified=True, **facts)
    Identity.objects.create(guest=other, external_id="3", phone="+79160000002", is_verified=False, **facts)
    for number, (phone, state, days, cost) in enumerate(
        [
            ("+79160000001", "delivered", 10, 700),
            ("+79160000001", "delivered", 40, 400),
            ("+79160000001", "delivered", 400, 9000),
            ("+79160000001", "cancelled", 10, 9000),
            ("+79160000002", "delivered", 10, 9000),
            ("", "delivered", 10, 9000),
        ]
    ):
        at = NOW - timedelta(days=days)
        facts = {"source": "own", "number": str(number), "raw_status": "x", "placed_at": at, "changed_at": at, "loaded_at": at}
        Order.objects.create(phone=phone, state=state, total=Decimal(cost), **facts)
    year = months_before(NOW, 12)
    total, how_many = measures.measure_of("orders_total"), measures.measure_of("orders_number")
    assert set(total.reaching(since=year, least=1100)) == {guest.pk}
    assert set(total.reaching(since=year, least=1101)) == set()
    assert set(how_many.reaching(since=year, least=2)) == {guest.pk}
    assert set(how_many.reaching(since=year, least=2, guest_ids=[other.pk])) == set()
