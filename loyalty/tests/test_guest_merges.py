"""Wallets of joined guests are one balance; parted guests get back what came along and is not spent."""

import pytest

from core.models import AuditEntry
from customers.services import merging
from loyalty import selectors
from loyalty.models import Card, Lot, Wallet, WalletJoin
from loyalty.services import accounts, cards, guest_merges, ledger, proof, reservations
from loyalty.states import AccountKind, TransferKind
from loyalty.tests.builders import NOW, a_chain, a_guest, a_wallet, an_order, available, give, later
from tests import builders as b

pytestmark = pytest.mark.django_db


@pytest.fixture
def boss():
    return b.a_person("boss", "Начальник")


@pytest.fixture
def two():
    """Anna has 100 points of one chain, the other Anna 40 of another: 30 until tomorrow, 10 for a year."""
    anna, same = a_guest(), a_guest("Аня")
    a_wallet(100, card="1000", guest=anna)
    wallet = a_wallet(30, card="2000", guest=same, chain=a_chain("second", "Вторая"), ends_at=later(1))
    give(available(wallet), 10, ends_at=later(365))
    return anna, same


def points(guest):
    return selectors.balance_of(guest.pk).available


def merged(two, by=None):
    return merging.merge(kept_id=two[0].pk, gone_id=two[1].pk, by=by, now=NOW)


def spend(guest, amount):
    ledger.post_one(an_order(available(Wallet.objects.get(guest=guest)), accounts.house("redeem:lukoshko"), amount), now=NOW)


def proves():
    return list(proof.prove(now=NOW)) == []


def test_one_balance_over_two_chains_and_back(two, boss, django_capture_on_commit_callbacks):
    anna, same = two
    with django_capture_on_commit_callbacks(execute=True):
        done = merged(two)
    assert (points(anna), points(same)) == (140, 0)
    assert {card.number for card in selectors.list_cards(anna.pk)} == {"1000", "2000"}
    assert selectors.balance_of(anna.pk).next_points == 30
    with django_capture_on_commit_callbacks(execute=True):
        merging.undo(merge_id=done.pk, by=boss, now=NOW)
    assert (points(anna), points(same)) == (100, 40)
    assert [card.number for card in selectors.list_cards(same.pk)] == ["2000"]
    assert selectors.balance_of(same.pk).next_points == 30
    assert AuditEntry.objects.filter(action__in=["wallet.joined", "wallet.parted"]).count() == 2
    assert proves()


def test_what_was_spent_in_between_is_spent_from_what_ends_first(two, boss):
    anna, same = two
    done = merged(two)
    guest_merges.follow(guest_id=same.pk, now=NOW)
    spend(anna, 50)
    merging.undo(merge_id=done.pk, by=boss, now=NOW)
    assert guest_merges.follow_due(now=NOW) == 1
    # The 30 that end tomorrow went first, then those that end before the others.
    assert points(anna) + points(same) == 90
    assert points(same) == sum(Lot.objects.filter(account__wallet__guest=same).values_list("left", flat=True)) <= 10
    assert proves()


def test_points_that_came_after_the_joining_stay_with_who_goes_on(two, boss):
    anna, same = two
    done = merged(two)
    guest_merges.follow(guest_id=same.pk, now=NOW)
    give(available(Wallet.objects.get(guest=anna)), 7)
    merging.undo(merge_id=done.pk, by=boss, now=NOW)
    guest_merges.follow(guest_id=same.pk, now=NOW)
    assert (points(anna), points(same)) == (107, 40)


def test_news_twice_or_late_change_nothing_more(two, boss):
    anna, same = two
    done = merged(two)
    assert [guest_merges.follow(guest_id=same.pk, now=NOW) for _ in range(3)] == [True, False, False]
    assert guest_merges.follow_due(now=NOW) == 0
    merging.undo(merge_id=done.pk, by=boss, now=NOW)
    assert [guest_merges.follow(guest_id=same.pk, now=NOW) for _ in range(2)] == [True, False]
    again = merged(two, by=boss)
    assert guest_merges.follow(guest_id=same.pk, now=NOW)
    assert points(anna) == 140
    merging.undo(merge_id=again.pk, by=boss, now=NOW)
    guest_merges.follow(guest_id=same.pk, now=NOW)
    assert (points(anna), points(same)) == (100, 40)
    assert proves()


def test_a_wallet_alone_is_handed_over_and_back(boss):
    anna, same = a_guest(), a_guest("Аня")
    a_wallet(40, card="2000", guest=same)
    done = merged((anna, same))
    guest_merges.follow_due(now=NOW)
    assert (points(anna), points(same)) == (40, 0)
    merging.undo(merge_id=done.pk, by=boss, now=NOW)
    guest_merges.follow_due(now=NOW)
    assert (points(anna), points(same)) == (0, 40)
    assert WalletJoin.objects.filter(parted_at=None).count() == 0


def test_reserved_points_wait_for_the_sweep(two):
    anna, same = two
    held = available(Wallet.objects.get(guest=same))
    kept = reservations.reserve(
        id=an_order(1, 2, 3).id, account=held, credit=accounts.house("redeem:lukoshko"), amount=5, kind=TransferKind.SPEND,
        expires_at=later(1), now=NOW,
    )  # fmt: skip
    merged(two)
    assert guest_merges.follow(guest_id=same.pk, now=NOW) is False
    assert points(anna) == 100
    reservations.void(id=kept.pk, now=NOW)
    assert guest_merges.follow_due(now=NOW) == 1
    assert points(anna) == 140


def test_a_debt_goes_along_and_comes_back(two, boss):
    anna, same = two
    wallet = Wallet.objects.get(guest=same)
    spend(same, 40)
    owed = accounts.account_of(wallet.pk, AccountKind.OWED)
    ledger.post_one(an_order(owed, accounts.house("redeem:lukoshko"), 15), now=NOW)
    done = merged(two)
    guest_merges.follow(guest_id=same.pk, now=NOW)
    assert selectors.balance_of(anna.pk).owed == 15
    merging.undo(merge_id=done.pk, by=boss, now=NOW)
    guest_merges.follow(guest_id=same.pk, now=NOW)
    assert (selectors.balance_of(anna.pk).owed, selectors.balance_of(same.pk).owed) == (0, 15)
    assert proves()


def test_three_guests_in_a_chain_are_parted_one_after_the_other(two, boss):
    anna, same = two
    third = a_guest("Анна П.")
    a_wallet(5, card="3000", guest=third)
    first = merged(two)
    guest_merges.follow(guest_id=same.pk, now=NOW)
    second = merging.merge(kept_id=third.pk, gone_id=anna.pk, by=None, now=NOW)
    guest_merges.follow(guest_id=anna.pk, now=NOW)
    assert points(third) == 145
    merging.undo(merge_id=second.pk, by=boss, now=NOW)
    guest_merges.follow(guest_id=anna.pk, now=NOW)
    merging.undo(merge_id=first.pk, by=boss, now=NOW)
    guest_merges.follow(guest_id=same.pk, now=NOW)
    assert (points(anna), points(same), points(third)) == (100, 40, 5)
    assert Card.objects.get(number="2000").wallet.guest == same
    assert proves()


def test_a_card_of_a_joined_wallet_still_opens_the_balance(two):
    anna, same = two
    merged(two)
    guest_merges.follow(guest_id=same.pk, now=NOW)
    assert accounts.active(Wallet.objects.get(joins__gone=same)).guest == anna
    assert cards.settle_joined(now=NOW) == 0
