"""The ledger's rules against any sequence of orders: floors, lots, sums, ids."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from loyalty.rules import plan
from loyalty.states import FLOORED, WITH_LOTS
from loyalty.types import CARRIED_OUT, Account, Books, Lot, Order, Outcome

NOW = datetime(2026, 11, 22, tzinfo=UTC)
KINDS = {1: "house", 2: "house", 3: "available", 4: "available", 5: "pending", 6: "budget", 7: "owed", 8: "hold"}

ends = st.one_of(st.none(), st.integers(-3, 30).map(lambda days: NOW + timedelta(days=days)))


@st.composite
def books(draw):
    accounts, lots, number = {}, [], 1000
    for id, kind in KINDS.items():
        parts = draw(st.lists(st.integers(1, 40), max_size=4)) if kind in FLOORED else []
        balance = sum(parts) if kind != "owed" else -draw(st.integers(0, 30))
        accounts[id] = Account(id, kind, balance, draw(st.integers(0, balance)) if kind in FLOORED else 0)
        if kind in WITH_LOTS:
            for part in parts:
                number += 1
                lots.append(Lot(UUID(int=number), id, part, draw(ends)))
    return Books(accounts, lots=lots)


@st.composite
def batches(draw):
    found = []
    for place in range(draw(st.integers(1, 14))):
        number = draw(st.integers(1, 16))
        refund = draw(st.one_of(st.none(), st.integers(1, 16).map(lambda n: UUID(int=n))))
        found.append(
            Order(
                id=UUID(int=number),
                kind="spend",
                debit=draw(st.integers(1, 9)),
                credit=draw(st.integers(1, 8)),
                amount=draw(st.integers(-2, 60)),
                ends_at=draw(ends),
                chain=draw(st.sampled_from([None, None, 1, 2, place])),
                refund_of=refund if draw(st.booleans()) else None,
            )
        )
    return found


def after(books, entries):
    balances = {id: account.balance for id, account in books.accounts.items()}
    for changes in (entries.balances, entries.house):
        for id, amount in changes.items():
            balances[id] += amount
    lots = {lot.id: lot for lot in books.lots} | entries.changed_lots | entries.new_lots
    return balances, lots


@settings(max_examples=400)
@given(books(), batches())
def test_nothing_is_lost_doubled_or_below_zero(before, orders):
    outcomes, entries = plan(orders, before, now=NOW)
    balances, lots = after(before, entries)
    assert sum(entries.balances.values()) + sum(entries.house.values()) == 0
    done = [order for order, outcome in zip(orders, outcomes, strict=True) if outcome is Outcome.DONE]
    assert entries.transfers == done
    assert len({order.id for order in done}) == len(done)
    for id, account in before.accounts.items():
        legs = sum(order.amount for order in done if order.credit == id) - sum(order.amount for order in done if order.debit == id)
        assert balances[id] - account.balance == legs
        if account.kind in FLOORED:
            assert balances[id] >= account.reserved
        if account.kind == "owed":
            assert balances[id] <= 0
        if account.kind in WITH_LOTS:
            assert sum(lot.left for lot in lots.values() if lot.account == id) == balances[id]
    assert all(lot.left >= 0 for lot in lots.values())


@settings(max_examples=200)
@given(books(), batches())
def test_a_repeat_changes_nothing(before, orders):
    outcomes, entries = plan(orders, before, now=NOW)
    balances, lots = after(before, entries)
    accounts = {id: Account(id, account.kind, balances[id], account.reserved) for id, account in before.accounts.items()}
    known = {order.id: order.body for order in entries.transfers}
    again, nothing = plan(orders, Books(accounts, known, list(lots.values()), entries.uses), now=NOW)
    done = {order.id for order in entries.transfers}
    for first, second in zip(outcomes, again, strict=True):
        if first in CARRIED_OUT:
            assert second in (Outcome.REPEATED, Outcome.CHAIN, Outcome.REUSED)
    assert not done & {order.id for order in nothing.transfers}


@settings(max_examples=200)
@given(books(), batches())
def test_chains_stand_or_fall_together(before, orders):
    outcomes, _entries = plan(orders, before, now=NOW)
    place = 0
    while place < len(orders):
        end = place + 1
        while end < len(orders) and orders[end].chain is not None and orders[end].chain == orders[place].chain:
            end += 1
        if end - place > 1:
            counted = Counter(outcome in CARRIED_OUT for outcome in outcomes[place:end])
            assert len(counted) == 1
        place = end


@settings(max_examples=200)
@given(books(), st.integers(1, 200))
def test_what_ends_first_goes_first(before, amount):
    outcomes, entries = plan([Order(UUID(int=1), "spend", 3, 1, amount)], before, now=NOW)
    free = before.accounts[3].free
    assert outcomes == [Outcome.DONE if amount <= free else Outcome.SHORT]
    forever = datetime.max.replace(tzinfo=UTC)
    lots = sorted((lot for lot in before.lots if lot.account == 3), key=lambda lot: (lot.ends_at or forever, lot.id))
    taken = {use.lot: use.amount for use in entries.uses}
    full = [lot.id for lot in lots if taken.get(lot.id) == lot.left]
    assert full == [lot.id for lot in lots][: len(full)]
    assert len(taken) <= len(full) + 1
