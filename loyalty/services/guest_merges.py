"""Wallets follow their guests: joined guests have one balance, parted ones get back what came along and is not spent (docs/adr/0010)."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID, uuid5

import structlog
from django.db import transaction
from django.db.models import F, Q

from core import audit
from core.locks import serialise
from core.refusal import Refusal
from customers.models import Guest
from loyalty.models import Account, Card, Lot, LotUse, Transfer, Wallet, WalletJoin
from loyalty.services import accounts
from loyalty.services.cards import join
from loyalty.services.ledger import again, post
from loyalty.states import AccountKind, TransferKind
from loyalty.types import Order, Outcome

log = structlog.get_logger(__name__)
AT_ONCE = 100


def follow(*, guest_id: int, now: datetime) -> bool:
    """Do for the wallet of a guest what has become of the guest; False when there was nothing to do, or points are just being spent.

    Goes by what the guest is now, so that late, repeated and lost news do no harm.
    """
    try:
        return again(lambda: _follow(guest_id, now))
    except Refusal as refusal:  # reserved or just being spent: the sweep tries again
        log.info("a wallet cannot follow its guest yet", guest=guest_id, code=refusal.code)
        return False


def follow_due(*, now: datetime) -> int:
    """Find what the news missed; how many wallets followed."""
    joined = Wallet.objects.filter(guest__merged_into__isnull=False).values_list("guest_id", flat=True)[:AT_ONCE]
    parted = WalletJoin.objects.filter(parted_at=None).filter(~Q(gone__merged_into=F("kept")) | Q(gone__merged_into=None))
    found = {*joined, *parted.values_list("gone_id", flat=True)[:AT_ONCE]}
    return sum(follow(guest_id=guest_id, now=now) for guest_id in sorted(found))


def _follow(guest_id: int, now: datetime) -> bool:
    with transaction.atomic():
        gone = Guest.objects.select_related("merged_into").get(pk=guest_id)
        other = gone.merged_into_id or WalletJoin.objects.filter(gone=gone, parted_at=None).values_list("kept_id", flat=True).first()
        for one in sorted({gone.pk, other or gone.pk}):
            serialise(f"loyalty guest {one}")
        # Read anew under the locks.
        gone = Guest.objects.select_related("merged_into").get(pk=guest_id)
        return _join(gone, gone.merged_into, now) if gone.merged_into else _part(gone, now)


def _join(gone: Guest, kept: Guest, now: datetime) -> bool:
    theirs, own = Wallet.objects.filter(guest=gone).first(), Wallet.objects.filter(guest=kept).first()
    if theirs is None:
        return False
    made = WalletJoin(wallet=theirs, into=own, kept=kept, gone=gone, at=now)
    if own is None:
        Wallet.objects.filter(pk=theirs.pk).update(guest=kept)
    else:
        made.card_ids = list(Card.objects.filter(wallet=theirs).values_list("pk", flat=True))
        made.part_ids = list(Wallet.objects.filter(merged_into=theirs).values_list("pk", flat=True))
        made.owed = -sum(Account.objects.filter(wallet=theirs, kind=AccountKind.OWED).values_list("balance", flat=True))
        made.lot_ids = [str(id) for id in join(wallet=theirs, into=own, now=now)]
    made.save(force_insert=True)
    audit.record(action="wallet.joined", by=None, subject=theirs, now=now, details={"kept": kept.pk, "gone": gone.pk})
    return True


def _part(gone: Guest, now: datetime) -> bool:
    done = WalletJoin.objects.select_for_update(of=("self",)).select_related("wallet", "into").filter(gone=gone, parted_at=None).first()
    if done is None:
        return False
    if done.into is None:
        Wallet.objects.filter(pk=done.wallet_id, guest=done.kept_id).update(guest=gone)
    else:
        _give_back(done, accounts.active(done.into), now)
        Card.objects.filter(pk__in=done.card_ids, wallet=accounts.active(done.into)).update(wallet=done.wallet)
        Wallet.objects.filter(pk__in=done.part_ids).update(merged_into=done.wallet)
        Wallet.objects.filter(pk=done.wallet_id).update(merged_into=None, guest=gone)
    done.parted_at = now
    done.save(update_fields=["parted_at"])
    audit.record(action="wallet.parted", by=None, subject=done.wallet, now=now, details={"kept": done.kept_id, "gone": gone.pk})
    return True


def _give_back(done: WalletJoin, home: Wallet, now: datetime) -> None:
    """What is left of the lots that came along goes back, with its ends; so does what is still owed of the debt. Raises Refusal."""
    orders = [_back(lot, done) for lot in _left_of(done, home)]
    owing = Account.objects.filter(wallet=home, kind=AccountKind.OWED, balance__lt=0).first()
    debt = min(done.owed, -owing.balance) if owing else 0
    if owing is not None and debt > 0:
        debtor = accounts.account_of(done.wallet_id, AccountKind.OWED)
        orders.append(Order(uuid5(UUID(int=done.pk), "debt"), TransferKind.JOINING, debtor, owing.pk, debt, chain=1))
    if any(outcome is not Outcome.DONE for outcome in post(orders, now=now)):
        raise Refusal("card_busy", "points are reserved or just being spent")


def _left_of(done: WalletJoin, home: Wallet) -> Sequence[Lot]:
    """The lots that came along, also where they have ripened or moved on since."""
    known = {UUID(one) for one in done.lot_ids}
    new = set(known)
    moved = (TransferKind.RIPENED, TransferKind.JOINING)
    while new:
        used = set(LotUse.objects.filter(lot__in=new).values_list("transfer", flat=True))
        new = set(Transfer.objects.filter(pk__in=used, kind__in=moved).values_list("pk", flat=True)) - known
        known |= new
    found = Lot.objects.filter(pk__in=known, left__gt=0, account__wallet=home)
    return list(found.select_related("account").order_by("ends_at"))


def _back(lot: Lot, done: WalletJoin) -> Order:
    home = accounts.account_of(done.wallet_id, AccountKind(lot.account.kind))
    id = uuid5(lot.pk, f"parted {done.pk} {lot.left}")
    return Order(id, TransferKind.JOINING, lot.account_id, home, lot.left, lot.ends_at, lot=lot.pk, chain=1)
