"""Wallets' accounts and the house's: made when they are needed first."""

from datetime import datetime

from django.db import connection, transaction

from core.locks import only_one
from core.statements import Prepared
from customers.models import Guest
from loyalty.models import Account, Wallet
from loyalty.states import AccountKind
from stores.models import Chain

_OF_WALLET = Prepared(lambda wallet, kind: Account.objects.filter(wallet=wallet, kind=kind).values_list("pk", flat=True))
_BY_CODE = Prepared(lambda code: Account.objects.filter(code=code).values_list("pk", flat=True))


def account_of(wallet_id: int, kind: AccountKind = AccountKind.AVAILABLE) -> int:
    """The id of the wallet's account of this kind."""
    found = _OF_WALLET.first(wallet=wallet_id, kind=str(kind))
    if found is None:
        _insert(Account(wallet_id=wallet_id, kind=kind))
        found = _OF_WALLET.get(wallet=wallet_id, kind=str(kind))
    return found


def house(code: str, *, kind: AccountKind = AccountKind.HOUSE) -> int:
    """The id of a house account (or budget) by its code: `issue:lukoshko`, `redeem:…`, `expiry`, `opening:…`."""
    found = _BY_CODE.first(code=code)
    if found is None:
        _insert(Account(code=code, kind=kind))
        found = _BY_CODE.get(code=code)
    return found


def _insert(account: Account) -> None:
    Account.objects.bulk_create([account], ignore_conflicts=True)


def issue(chain: Chain) -> int:
    """Where a chain's accrued points come from."""
    return house(f"issue:{chain.code}")


def redeem(chain: Chain) -> int:
    """Where points spent in a chain go."""
    return house(f"redeem:{chain.code}")


def wallet_of(guest: Guest, *, now: datetime) -> Wallet:
    """The guest's wallet, made when there is none: points wait there for a card."""
    with transaction.atomic():
        Wallet.objects.bulk_create([Wallet(guest=guest, created_at=now)], ignore_conflicts=True)
        return Wallet.objects.get(guest=guest)


def active(wallet: Wallet) -> Wallet:
    """The wallet that a joined one became part of; itself otherwise."""
    while wallet.merged_into_id is not None:
        wallet = Wallet.objects.get(pk=wallet.merged_into_id)
    return wallet


def fold_house() -> int:
    """Fold the deltas of house accounts into their balances; how many there were. One process at a time."""
    with only_one("loyalty house accounts") as alone:
        return _fold() if alone else 0


def _fold() -> int:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            """
            with gone as (delete from loyalty_housedelta returning account_id, amount),
            sums as (select account_id, sum(amount) as amount, count(*) as number from gone group by account_id),
            changed as (update loyalty_account a set balance = a.balance + sums.amount from sums where a.id = sums.account_id)
            select coalesce(sum(number), 0) from sums
            """
        )
        return int(cursor.fetchone()[0])
