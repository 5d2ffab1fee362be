"""Lots whose time has come: ripe ones become available, old ones expire."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID, uuid5

from core.locks import only_one
from loyalty.models import Account, Lot, Terms, Transfer
from loyalty.services import accounts
from loyalty.services.ledger import post
from loyalty.services.points import terms_of
from loyalty.states import AccountKind, TransferKind
from loyalty.types import Order, Outcome
from stores.models import Chain

AT_ONCE = 1000


def end_due(*, now: datetime) -> int:
    """End the oldest lots that are due; how many ended. Call again until it is 0. One process at a time.

    Points that are reserved stay until their reservation is resolved.
    """
    with only_one("loyalty endings") as alone:
        return _end_due(now) if alone else 0


def _end_due(now: datetime) -> int:
    due = list(Lot.objects.filter(left__gt=0, ends_at__lte=now).select_related("account").order_by("ends_at", "pk")[:AT_ONCE])
    ripe = [lot for lot in due if lot.account.kind == AccountKind.PENDING]
    old = [lot for lot in due if lot.account.kind == AccountKind.AVAILABLE]
    orders = [*_ripened(ripe, now), *_expired(old)]
    return sum(outcome is Outcome.DONE for outcome in post(orders, now=now))


def _ripened(lots: Sequence[Lot], now: datetime) -> list[Order]:
    life = _lives(lots)
    return [
        Order(
            uuid5(lot.pk, f"ripe {lot.left}"),
            TransferKind.RIPENED,
            lot.account_id,
            accounts.account_of(lot.account.wallet_id or 0),
            lot.left,
            now + timedelta(days=life[lot.pk]),
            lot=lot.pk,
        )
        for lot in lots
    ]


def _lives(lots: Sequence[Lot]) -> Mapping[UUID, int]:
    """Days that the points of each lot live once they are ripe: by the chain that gave them."""
    given = Transfer.objects.filter(pk__in=[lot.pk for lot in lots]).values_list("pk", "debit__code")
    chains = {f"issue:{chain.code}": chain for chain in Chain.objects.all()}
    terms: dict[str, Terms] = {}
    for code in {code for _pk, code in given}:
        terms[code or ""] = terms_of(chains.get(code or ""))
    return {pk: terms[code or ""].life_days for pk, code in given}


def _expired(lots: Sequence[Lot]) -> list[Order]:
    """What is free of each; the state of the lot is in the id, because a refund may fill it again."""
    free = {pk: balance - reserved for pk, balance, reserved in _balances(lots)}
    orders, gone = [], accounts.house("expiry") if lots else 0
    for lot in lots:
        points = min(lot.left, free[lot.account_id])
        if points > 0:
            free[lot.account_id] -= points
            id = uuid5(lot.pk, f"expired {lot.ends_at} {lot.left}")
            orders.append(Order(id, TransferKind.EXPIRY, lot.account_id, gone, points, lot=lot.pk))
    return orders


def _balances(lots: Sequence[Lot]) -> Sequence[tuple[int, int, int]]:
    return list(Account.objects.filter(pk__in={lot.account_id for lot in lots}).values_list("pk", "balance", "reserved"))
