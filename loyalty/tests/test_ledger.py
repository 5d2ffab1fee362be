"""The ledger against a real database: ids, floors, lots, chains, refunds, transfers that stay as they are."""

import uuid

import pytest
from django.db import DatabaseError, IntegrityError, transaction

from core.refusal import Refusal
from loyalty.models import Account, HouseDelta, Lot, LotUse, Transfer
from loyalty.services import accounts, ledger
from loyalty.states import TransferKind
from loyalty.tests.builders import NOW, a_wallet, an_order, available, give, later
from loyalty.types import Outcome

pytestmark = pytest.mark.django_db


@pytest.fixture
def till(db):
    return accounts.house("redeem:lukoshko")


def balance(wallet):
    return Account.objects.get(pk=available(wallet)).balance


def lots(wallet):
    return list(Lot.objects.filter(account=available(wallet)).order_by("ends_at").values_list("amount", "left"))


def test_a_transfer_moves_points_once(till):
    wallet = a_wallet(100)
    order = an_order(available(wallet), till, 30, subject="receipt:1")
    assert ledger.post([order, order], now=NOW) == [Outcome.DONE, Outcome.REPEATED]
    assert ledger.post([order], now=later(1)) == [Outcome.REPEATED]
    assert balance(wallet) == 70
    assert Transfer.objects.filter(kind=TransferKind.SPEND).count() == 1


@pytest.mark.parametrize("change", [{"amount": 31}, {"subject": "receipt:2"}, {"kind": TransferKind.BURN}])
def test_the_same_id_with_another_body_is_refused(till, change):
    wallet = a_wallet(100)
    order = an_order(available(wallet), till, 30, subject="receipt:1")
    ledger.post_one(order, now=NOW)
    fields = {"kind": order.kind, "amount": 30, "subject": "receipt:1", "id": order.id, **change}
    other = an_order(available(wallet), till, fields.pop("amount"), **fields)
    with pytest.raises(Refusal) as refused:
        ledger.post_one(other, now=NOW)
    assert refused.value.code == "id_reused"
    assert balance(wallet) == 70


def test_never_below_zero_and_a_refused_one_does_not_fail_its_neighbours(till):
    wallet = a_wallet(100)
    orders = [an_order(available(wallet), till, amount) for amount in (60, 50, 40, 1)]
    assert ledger.post(orders, now=NOW) == [Outcome.DONE, Outcome.SHORT, Outcome.DONE, Outcome.SHORT]
    assert balance(wallet) == 0


def test_a_chain_stands_or_falls_together(till):
    one, two = a_wallet(100), a_wallet(10)
    chain = [an_order(available(one), till, 50, chain=1), an_order(available(two), till, 50, chain=1)]
    after = an_order(available(one), till, 100)
    assert ledger.post([*chain, after], now=NOW) == [Outcome.CHAIN, Outcome.SHORT, Outcome.DONE]
    assert (balance(one), balance(two)) == (0, 10)


@pytest.mark.parametrize(("amount", "outcome"), [(0, Outcome.WRONG), (-5, Outcome.WRONG), (10**12 + 1, Outcome.WRONG)])
def test_absurd_amounts_are_refused(till, amount, outcome):
    assert ledger.post([an_order(till, available(a_wallet()), amount)], now=NOW) == [outcome]


def test_unknown_accounts_and_one_account_twice_are_refused(till):
    account = available(a_wallet(10))
    orders = [an_order(account, 987654321, 1), an_order(account, account, 1)]
    assert ledger.post(orders, now=NOW) == [Outcome.UNKNOWN, Outcome.WRONG]


def test_what_ends_first_is_spent_first_and_comes_back_to_where_it_was(till):
    wallet = a_wallet()
    account = available(wallet)
    for points, days in ((10, 30), (20, 5), (30, None)):
        give(account, points, ends_at=later(days) if days else None)
    spent = an_order(account, till, 35)
    ledger.post_one(spent, now=NOW)
    assert lots(wallet) == [(20, 0), (10, 0), (30, 25)]
    back = an_order(till, account, 12, kind=TransferKind.REFUND, refund_of=spent.id)
    ledger.post_one(back, now=later(4))
    assert lots(wallet) == [(20, 0), (10, 7), (30, 30)]
    rest = an_order(till, account, 23, kind=TransferKind.REFUND, refund_of=spent.id)
    ledger.post_one(rest, now=later(4))
    assert lots(wallet)[0] == (20, 20)
    assert Lot.objects.filter(account=account).order_by("ends_at").first().ends_at == later(18)  # at least 14 days to use it
    assert ledger.post([an_order(till, account, 1, refund_of=spent.id)], now=NOW) == [Outcome.SHORT]
    assert sum(LotUse.objects.values_list("returned", flat=True)) == 35


def test_spent_and_refunded_in_one_batch(till):
    wallet = a_wallet(50)
    spent = an_order(available(wallet), till, 20)
    back = an_order(till, available(wallet), 15, kind=TransferKind.REFUND, refund_of=spent.id)
    assert ledger.post([spent, back], now=NOW) == [Outcome.DONE, Outcome.DONE]
    assert lots(wallet) == [(50, 45)]
    assert list(LotUse.objects.values_list("amount", "returned")) == [(20, 15)]


def test_house_accounts_have_no_live_row_and_are_folded(till):
    wallet = a_wallet(100)
    ledger.post([an_order(available(wallet), till, 1) for _n in range(5)], now=NOW)
    assert Account.objects.get(pk=till).balance == 0
    assert HouseDelta.objects.filter(account=till).get().amount == 5
    assert accounts.fold_house() == 2
    assert Account.objects.get(pk=till).balance == 5
    assert Account.objects.get(code="issue:lukoshko").balance == -100
    assert accounts.fold_house() == 0


@pytest.mark.parametrize("change", [lambda: Transfer.objects.update(amount=1), lambda: Transfer.objects.all().delete()])
def test_transfers_are_never_changed_or_removed(change):
    a_wallet(100)
    with pytest.raises(DatabaseError, match="never changed"), transaction.atomic():
        change()


def test_the_database_itself_holds_the_floor():
    wallet = a_wallet(100)
    with pytest.raises(IntegrityError), transaction.atomic():
        Account.objects.filter(pk=available(wallet)).update(balance=-1)


def test_a_batch_has_a_largest_size(till):
    with pytest.raises(ValueError):
        ledger.post([an_order(till, 1, 1, id=uuid.UUID(int=n)) for n in range(ledger.LARGEST_BATCH + 1)], now=NOW)
