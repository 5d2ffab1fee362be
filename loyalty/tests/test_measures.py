"""What loyalty measures of guests for segments: points of purchases, without those taken back."""

import uuid

import pytest

from customers import measures
from loyalty.services import points
from loyalty.tests.builders import NOW, a_chain, a_guest, a_wallet, later

pytestmark = pytest.mark.django_db


def earn(wallet, number, *, now=NOW):
    id = uuid.uuid4()
    points.accrue(id=id, wallet=wallet, chain=a_chain(), points=number, now=now)
    return id


def reaching(least, **given):
    return set(measures.measure_of("points_earned").reaching(since=later(-1), least=least, **given))


def test_points_of_purchases_count_for_the_cards_guest():
    one, other, nobodys = a_wallet(guest=a_guest()), a_wallet(guest=a_guest("Вера")), a_wallet()
    earn(nobodys, 9000)
    earn(one, 300)
    earn(one, 200)
    earn(one, 9000, now=later(-2))
    earn(other, 100)
    assert reaching(500) == {one.guest_id}
    assert reaching(501) == set()
    assert reaching(100) == {one.guest_id, other.guest_id}
    assert reaching(100, guest_ids=[other.guest_id]) == {other.guest_id}


def test_what_was_taken_back_counts_no_more():
    wallet = a_wallet(guest=a_guest())
    earn(wallet, 300)
    points.reverse(of=earn(wallet, 200), now=NOW)
    assert reaching(300) == {wallet.guest_id}
    assert reaching(301) == set()
