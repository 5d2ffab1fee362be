"""Which orders of a batch fit, and what they write: pure.

Orders are looked at in their sequence; one that is refused changes nothing for the next. Orders of a chain stand or fall together.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from copy import copy
from datetime import UTC, datetime, timedelta
from uuid import UUID

from loyalty.states import FLOORED, WITH_LOTS, AccountKind
from loyalty.types import LARGEST, Account, Books, Entries, Lot, Order, Outcome, Use

# A refund gives the guest at least so long to use what came back (rule of the trade: no refund into expired points).
REFUND_LIFE = timedelta(days=14)
_NEVER = datetime.max.replace(tzinfo=UTC)


class _Refused(Exception):
    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome)
        self.outcome = outcome


def plan(orders: Sequence[Order], books: Books, *, now: datetime) -> tuple[list[Outcome], Entries]:
    """The outcome of each order, in their sequence, and what is to be written for those that are carried out.

    After it no floored account has less than it has reserved, and each lot account's lots add up to its balance.
    """
    clerk = _Clerk(books, now)
    outcomes: list[Outcome] = []
    for orders_together in _chains(orders):
        outcomes += clerk.carry_out(orders_together)
    return outcomes, clerk.entries()


def _chains(orders: Sequence[Order]) -> Iterator[list[Order]]:
    """Neighbours with the same chain together, all others alone."""
    together: list[Order] = []
    for order in orders:
        if together and (order.chain is None or order.chain != together[-1].chain):
            yield together
            together = []
        together.append(order)
    if together:
        yield together


class _Clerk:
    """Carries out orders on a copy of the books; `entries` is the difference."""

    def __init__(self, books: Books, now: datetime) -> None:
        self.books, self.now = books, now
        self.accounts = {number: copy(account) for number, account in books.accounts.items()}
        self.known = dict(books.known)
        self.lots: dict[UUID, Lot] = {}
        self.lots_of: dict[int, list[Lot]] = defaultdict(list)
        for lot in sorted(books.lots, key=_by_end):
            self._keep(copy(lot))
        self.uses: dict[UUID, list[Use]] = defaultdict(list)
        for use in books.uses:
            self.uses[use.transfer].append(use)
        self.made = Entries()

    def carry_out(self, orders: list[Order]) -> list[Outcome]:
        if len(orders) == 1:
            return [self._single(orders[0])]
        return self._together(orders)

    def entries(self) -> Entries:
        return self.made

    def _single(self, order: Order) -> Outcome:
        known = self.known.get(order.id)
        if known is not None:
            return Outcome.REPEATED if known == order.body else Outcome.REUSED
        try:
            self._check(order)
        except _Refused as refusal:
            return refusal.outcome
        self._move(order)
        return Outcome.DONE

    def _together(self, orders: list[Order]) -> list[Outcome]:
        """All or none: tried on a copy, which is thrown away when one does not fit."""
        trial = _Clerk(self._as_books(), self.now)
        outcomes = [trial._single(order) for order in orders]
        if all(outcome is Outcome.REPEATED for outcome in outcomes):
            return outcomes
        if any(outcome is not Outcome.DONE for outcome in outcomes):
            return [Outcome.CHAIN if outcome in (Outcome.DONE, Outcome.REPEATED) else outcome for outcome in outcomes]
        return [self._single(order) for order in orders]

    def _as_books(self) -> Books:
        uses = [use for uses in self.uses.values() for use in uses]
        return Books(self.accounts, self.known, list(self.lots.values()), uses)

    def _check(self, order: Order) -> None:
        payer, payee = self.accounts.get(order.debit), self.accounts.get(order.credit)
        if payer is None or payee is None:
            raise _Refused(Outcome.UNKNOWN)
        if not 0 < order.amount <= LARGEST or order.debit == order.credit:
            raise _Refused(Outcome.WRONG)
        if payer.kind in FLOORED and payer.free < order.amount:
            raise _Refused(Outcome.SHORT)
        if payee.kind == AccountKind.OWED and payee.balance + order.amount > 0:
            raise _Refused(Outcome.SHORT)
        if order.refund_of is not None:
            self._check_refund(order, payee)
        if order.lot is not None and (order.lot not in self.lots or self.lots[order.lot].left < order.amount):
            raise _Refused(Outcome.SHORT)

    def _check_refund(self, order: Order, payee: Account) -> None:
        """No more comes back than was taken, and to the account that paid."""
        assert order.refund_of is not None
        body, uses = self.known.get(order.refund_of), self.uses[order.refund_of]
        if body is None or body[1] != order.credit or payee.kind not in WITH_LOTS:
            raise _Refused(Outcome.WRONG)
        if sum(use.amount - use.returned for use in uses) < order.amount:
            raise _Refused(Outcome.SHORT)

    def _move(self, order: Order) -> None:
        payer, payee = self.accounts[order.debit], self.accounts[order.credit]
        if payer.kind in WITH_LOTS:
            self._take(order)
        self._change(payer, -order.amount)
        self._change(payee, order.amount)
        if order.refund_of is not None:
            self._return(order)
        elif payee.kind in WITH_LOTS:
            self._bring(order)
        self.known[order.id] = order.body
        self.made.transfers.append(order)

    def _change(self, account: Account, amount: int) -> None:
        account.balance += amount
        changes = self.made.house if account.kind == AccountKind.HOUSE else self.made.balances
        changes[account.id] = changes.get(account.id, 0) + amount

    def _take(self, order: Order) -> None:
        """What ends first goes first."""
        wanted, lots = order.amount, self.lots_of[order.debit]
        for lot in [self.lots[order.lot]] if order.lot else list(lots):
            taken = min(lot.left, wanted)
            if taken:
                lot.left -= taken
                wanted -= taken
                self.uses[order.id].append(Use(order.id, lot.id, taken))
                self.made.uses.append(Use(order.id, lot.id, taken))
                self._note(lot)
            if not wanted:
                break
        while lots and not lots[0].left:
            lots.pop(0)
        if wanted:
            raise LotsDiffer(f"the lots of account {order.debit} hold {wanted} less than its balance")

    def _bring(self, order: Order) -> None:
        lot = Lot(order.id, order.credit, order.amount, order.ends_at)
        self._keep(lot)
        self.lots_of[order.credit].sort(key=_by_end)
        self.made.new_lots[lot.id] = lot
        self.made.lot_amounts[lot.id] = order.amount

    def _return(self, order: Order) -> None:
        """Back to the lots they came from, the one that lives longest first."""
        assert order.refund_of is not None
        wanted, uses = order.amount, self.uses[order.refund_of]
        for place in range(len(uses) - 1, -1, -1):
            use = uses[place]
            back = min(use.amount - use.returned, wanted)
            if not back:
                continue
            wanted -= back
            uses[place] = Use(use.transfer, use.lot, use.amount, use.returned + back)
            self._note_returned(use, back)
            self._refill(use.lot, back)
        self.lots_of[order.credit].sort(key=_by_end)

    def _note_returned(self, use: Use, back: int) -> None:
        for place, made in enumerate(self.made.uses):  # spent and refunded in the same batch
            if (made.transfer, made.lot) == (use.transfer, use.lot):
                self.made.uses[place] = Use(made.transfer, made.lot, made.amount, made.returned + back)
                return
        key = (use.transfer, use.lot)
        self.made.returned[key] = self.made.returned.get(key, 0) + back

    def _refill(self, lot_id: UUID, amount: int) -> None:
        lot = self.lots[lot_id]
        lot.left += amount
        if lot.ends_at is not None:
            lot.ends_at = max(lot.ends_at, self.now + REFUND_LIFE)
        if lot not in self.lots_of[lot.account]:
            self.lots_of[lot.account].append(lot)
        self._note(lot)

    def _note(self, lot: Lot) -> None:
        if lot.id not in self.made.new_lots:
            self.made.changed_lots[lot.id] = lot

    def _keep(self, lot: Lot) -> None:
        self.lots[lot.id] = lot
        self.lots_of[lot.account].append(lot)


class LotsDiffer(RuntimeError):
    """The lots of an account do not add up to its balance: the books are wrong, and nothing may be built on them."""


def _by_end(lot: Lot) -> tuple[datetime, UUID]:
    """Lots that never end come last."""
    return lot.ends_at or _NEVER, lot.id
