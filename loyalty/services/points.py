"""What happens to a guest's points: accrued, spent, given back, taken back."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

from django.utils.translation import gettext_lazy as _

from core.refusal import Refusal
from loyalty.models import Account, Lot, Terms, Transfer, Wallet
from loyalty.services import accounts
from loyalty.services.ledger import must, post, post_one
from loyalty.states import AccountKind, TransferKind
from loyalty.types import Order, Outcome
from stores.models import Chain

TRIES = 5


def terms_of(chain: Chain | None) -> Terms:
    """How long a chain's points live: its own row, the common one, or the defaults."""
    found = {row.chain_id: row for row in Terms.objects.all()}
    return found.get(chain.pk if chain else None) or found.get(None) or Terms()


def accrue(
    *,
    id: UUID,
    wallet: Wallet,
    chain: Chain,
    points: int,
    now: datetime,
    subject: str = "",
    reason: str = "",
    by: int | None = None,
    kind: str = TransferKind.ACCRUAL,
) -> Outcome:
    """Give points for something bought; they can be spent when they are ripe, and repay what the guest owes at once.

    DONE, or REPEATED for a known id. Raises Refusal `id_reused`, `wrong_order`.
    """
    home, terms = accounts.active(wallet), terms_of(chain)
    ripens = terms.ripen_days > 0
    account = accounts.account_of(home.pk, AccountKind.PENDING if ripens else AccountKind.AVAILABLE)
    ends_at = now + timedelta(days=terms.ripen_days if ripens else terms.life_days)
    order = Order(id, kind, accounts.issue(chain), account, points, ends_at, subject=subject, reason=reason, by=by)
    outcome = post_one(order, now=now)
    repay(wallet=home, now=now)
    return outcome


def spend(*, id: UUID, wallet: Wallet, chain: Chain, points: int, now: datetime, subject: str = "", by: int | None = None) -> Outcome:
    """Pay with points. Raises Refusal `not_enough`, `id_reused`, `wrong_order`."""
    account = accounts.account_of(accounts.active(wallet).pk)
    return post_one(Order(id, TransferKind.SPEND, account, accounts.redeem(chain), points, subject=subject, by=by), now=now)


def refund(*, id: UUID, of: UUID, points: int, now: datetime, by: int | None = None, reason: str = "") -> Outcome:
    """Give back what a spending took, to the lots it came from; all refunds together give back no more than was taken.

    Raises Refusal: `transfer_unknown`, `not_enough`, `id_reused`, `wrong_order`.
    """
    spent = Transfer.objects.select_related("debit").filter(pk=of).first()
    if spent is None or spent.debit.kind != AccountKind.AVAILABLE:
        raise Refusal("transfer_unknown", _("There is no such payment with points."), status=404)
    back = Order(
        id, TransferKind.REFUND, spent.credit_id, spent.debit_id, points, subject=f"transfer:{of}", reason=reason, by=by, refund_of=of
    )
    return post_one(back, now=now)


def reverse(*, of: UUID, now: datetime, by: int | None = None, reason: str = "") -> Outcome:
    """Take an accrual back, once: what is left of it, then other points of the guest; what is spent already is owed from then on.

    DONE or REPEATED. Raises Refusal `transfer_unknown`, `busy` when the balance never stood still.
    """
    given = Transfer.objects.select_related("debit", "credit__wallet").filter(pk=of).first()
    if given is None or given.credit.wallet is None or given.debit.kind == AccountKind.AVAILABLE:
        raise Refusal("transfer_unknown", _("There is no such accrual."), status=404)
    for _try in range(TRIES):
        orders = _reversal(given, now, by, reason)
        if orders is None:
            return Outcome.REPEATED
        outcomes = post(orders, now=now)
        if all(outcome is Outcome.DONE for outcome in outcomes):
            return Outcome.DONE
        if Outcome.REPEATED in outcomes or Outcome.REUSED in outcomes:
            return Outcome.REPEATED
    raise Refusal("busy", _("The balance changes all the time; please try again."))


def _reversal(given: Transfer, now: datetime, by: int | None, reason: str) -> Sequence[Order] | None:
    """The legs by today's balances; None when it was reversed before."""
    first = uuid5(given.pk, "reversed 0")
    if Transfer.objects.filter(pk=first).exists():
        return None
    assert given.credit.wallet is not None
    wallet = accounts.active(given.credit.wallet)
    left, legs = given.amount, []
    for account, lot, free in _sources(given, wallet):
        if taken := min(free, left):
            legs.append((account, taken, lot))
            left -= taken
    if left:
        legs.append((accounts.account_of(wallet.pk, AccountKind.OWED), left, None))
    common: dict[str, Any] = {"subject": f"transfer:{given.pk}", "reason": reason, "by": by, "chain": 1}
    return [
        Order(uuid5(given.pk, f"reversed {place}"), TransferKind.REVERSAL, account, given.debit_id, amount, lot=lot, **common)
        for place, (account, amount, lot) in enumerate(legs)
    ]


def _sources(given: Transfer, wallet: Wallet) -> Sequence[tuple[int, UUID | None, int]]:
    """Where points can be taken from: the accrual's own lot first, then whatever is available."""
    own = Lot.objects.filter(pk=given.pk, left__gt=0).select_related("account").first()
    found: list[tuple[int, UUID | None, int]] = []
    free = {account.pk: account.balance - account.reserved for account in Account.objects.filter(wallet=wallet)}
    if own is not None and own.account_id in free:
        taken = min(own.left, free[own.account_id], given.amount)
        found.append((own.account_id, own.pk, taken))
        free[own.account_id] -= taken
    available = accounts.account_of(wallet.pk)
    return [*found, (available, None, free.get(available, 0))]


def repay(*, wallet: Wallet, now: datetime) -> int:
    """Pay what the guest owes from what is available; how many points."""
    owed = Account.objects.filter(wallet=wallet, kind=AccountKind.OWED, balance__lt=0).first()
    if owed is None:
        return 0
    available = Account.objects.get(pk=accounts.account_of(wallet.pk))
    points = min(-owed.balance, available.balance - available.reserved)
    if points <= 0:
        return 0
    # The state of both is in the id: whoever repays the same at the same time is the same.
    id = uuid5(wallet_space(wallet), f"repaid {owed.balance} {Transfer.objects.filter(credit=owed).count()}")
    order = Order(id, TransferKind.REPAID, available.pk, owed.pk, points)
    return points if post([order], now=now) == [Outcome.DONE] else 0


def wallet_space(wallet: Wallet) -> UUID:
    """A namespace for ids that are made of a wallet's own state."""
    return uuid5(UUID(int=wallet.pk), "loyalty wallet")


def freeze(*, id: UUID, wallet: Wallet, points: int, subject: str, now: datetime, by: int | None = None) -> Outcome:
    """Put points out of the guest's reach while a case of anti-fraud (`subject`) is looked into. Raises Refusal `not_enough`."""
    home = accounts.active(wallet)
    hold, available = accounts.account_of(home.pk, AccountKind.HOLD), accounts.account_of(home.pk)
    return post_one(Order(id, TransferKind.FREEZE, available, hold, points, subject=subject, by=by), now=now)


def release(*, of: UUID, now: datetime, by: int) -> Outcome:
    """Give frozen points back to their lots; by another person than the one who froze them. Raises Refusal `same_person`."""
    frozen = _frozen(of, by)
    back = Order(
        uuid5(of, "released"), TransferKind.REFUND, frozen.credit_id, frozen.debit_id, frozen.amount, subject=f"transfer:{of}", by=by
    )
    return post_one(replace(back, refund_of=of), now=now)


def burn(*, of: UUID, now: datetime, by: int) -> Outcome:
    """Take frozen points away for good; by another person than the one who froze them. Raises Refusal `same_person`, `not_enough`."""
    frozen = _frozen(of, by)
    gone = Order(uuid5(of, "burnt"), TransferKind.BURN, frozen.credit_id, accounts.house("burnt"), frozen.amount, by=by)
    return must(post([replace(gone, subject=f"transfer:{of}")], now=now)[0])


def _frozen(of: UUID, by: int) -> Transfer:
    found = Transfer.objects.filter(pk=of, kind=TransferKind.FREEZE).first()
    if found is None:
        raise Refusal("transfer_unknown", _("There is no such freezing."), status=404)
    if found.by_id == by:
        raise Refusal("same_person", _("Another person decides about points than the one who froze them."), status=403)
    return found
