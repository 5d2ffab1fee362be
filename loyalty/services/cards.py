"""Cards of all chains open one wallet: linked to a guest, joined, blocked."""

from datetime import datetime
from uuid import UUID, uuid5

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from accounts.models import Staff
from core import audit
from core.locks import serialise
from core.refusal import Refusal
from customers.models import Guest
from loyalty.models import Account, Card, Lot, Transfer, Wallet
from loyalty.services import accounts, outbox
from loyalty.services.ledger import again, post
from loyalty.states import AccountKind, CardState, TransferKind
from loyalty.types import Order, Outcome
from stores.models import Chain

# One batch moves everything, or nothing.
MOST_LOTS = 2000
UUID_OF_DEBTS = UUID("6a2b1a53-6d0e-4c7e-9d1c-5e0a3bb0f3a1")


def issue_card(*, number: str, chain: Chain, now: datetime, by: Staff | None = None) -> Card:
    """A card with a wallet of its own, as yet nobody's; the known one when the number is known. Raises Refusal `card_taken`."""
    with transaction.atomic():
        serialise(f"loyalty card {number}")
        known = Card.objects.filter(number=number).first()
        if known is None:
            wallet = Wallet.objects.create(created_at=now)
            known = Card.objects.create(number=number, chain=chain, wallet=wallet, created_at=now)
            audit.record(action="card.issued", by=by, subject=known, now=now)
    if known.chain_id != chain.pk:
        raise Refusal("card_taken", _("A card with this number belongs to another chain."))
    return known


def link(*, number: str, guest: Guest, now: datetime, by: Staff | None = None) -> Wallet:
    """Give the card to the guest: from then on its points and those of the guest's other cards are one balance.

    Raises Refusal: `card_unknown`, `card_of_another`, `card_busy` when points of the card are reserved or frozen.
    """
    return again(lambda: _link(number, guest, now, by))


def _link(number: str, guest: Guest, now: datetime, by: Staff | None) -> Wallet:
    with transaction.atomic():
        serialise(f"loyalty guest {guest.pk}")
        card = Card.objects.select_for_update(no_key=True).filter(number=number).first()
        if card is None:
            raise Refusal("card_unknown", _("There is no card with this number."), status=404)
        theirs, own = accounts.active(card.wallet), Wallet.objects.filter(guest=guest).first()
        if theirs.guest_id not in (None, guest.pk):
            raise Refusal("card_of_another", _("This card belongs to another guest."))
        if own is None:
            Wallet.objects.filter(pk=theirs.pk).update(guest=guest)
            theirs.guest, own = guest, theirs
        elif own.pk != theirs.pk:
            join(wallet=theirs, into=own, now=now)
        outbox.give_cards(guest_id=guest.pk, number=number, now=now)
        audit.record(action="card.linked", by=by, subject=card, now=now, details={"guest": guest.pk})
        return own


def join(*, wallet: Wallet, into: Wallet, now: datetime) -> list[UUID]:
    """Make one wallet part of another: its points with their ends, its debt, its cards. Call inside a transaction.

    Returns the ids of the transfers, which are those of the new lots. Raises Refusal `card_busy`.
    """
    orders = _moving(wallet, into)
    if any(outcome is not Outcome.DONE for outcome in post(orders, now=now)):
        raise Refusal("card_busy", _("Points of this card are reserved or just being spent; please try again later."))
    if Account.objects.filter(wallet=wallet).exclude(balance=0, reserved=0).exists():
        raise Refusal("card_busy", _("Points of this card are reserved or just being spent; please try again later."))
    Card.objects.filter(wallet=wallet).update(wallet=into)
    Wallet.objects.filter(merged_into=wallet).update(merged_into=into)
    Wallet.objects.filter(pk=wallet.pk).update(merged_into=into, guest=None)
    return [order.id for order in orders]


def _moving(wallet: Wallet, into: Wallet) -> list[Order]:
    lots = Lot.objects.filter(account__wallet=wallet, left__gt=0).select_related("account").order_by("ends_at")[:MOST_LOTS]
    orders = [
        Order(
            uuid5(lot.pk, f"joined {into.pk} {lot.left}"),
            TransferKind.JOINING,
            lot.account_id,
            accounts.account_of(into.pk, AccountKind(lot.account.kind)),
            lot.left,
            lot.ends_at,
            lot=lot.pk,
            chain=1,
        )
        for lot in lots
    ]
    owed = Account.objects.filter(wallet=wallet, kind=AccountKind.OWED, balance__lt=0).first()
    if owed is not None:
        debtor = accounts.account_of(into.pk, AccountKind.OWED)
        before = Transfer.objects.filter(credit=owed).count()
        id = uuid5(UUID_OF_DEBTS, f"{owed.pk} {into.pk} {owed.balance} {before}")
        orders.append(Order(id, TransferKind.JOINING, debtor, owed.pk, -owed.balance, chain=1))
    return orders


def settle_joined(*, now: datetime) -> int:
    """Carry over what still arrived at a joined wallet; how many wallets."""
    late = Wallet.objects.filter(merged_into__isnull=False, accounts__balance__gt=0, accounts__reserved=0).distinct()[:100]
    settled = 0
    for wallet in late:
        orders = _moving(wallet, accounts.active(wallet))
        settled += bool(orders) and all(outcome is Outcome.DONE for outcome in post(orders, now=now))
    return settled


def block(*, card: Card, now: datetime, by: Staff) -> None:
    """The card opens nothing any more; the wallet stays."""
    with transaction.atomic():
        if Card.objects.filter(pk=card.pk, state=CardState.ACTIVE).update(state=CardState.BLOCKED):
            audit.record(action="card.blocked", by=by, subject=card, now=now)
