"""Wallets with points to test with."""

import uuid
from datetime import UTC, datetime, timedelta

from customers.models import Guest
from loyalty.models import Card, Wallet
from loyalty.services import accounts, ledger
from loyalty.states import AccountKind, TransferKind
from loyalty.types import Order
from stores.models import Chain

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)


def a_chain(code="lukoshko", name="Лукошко"):
    return Chain.objects.get_or_create(code=code, defaults={"name": name})[0]


def a_guest(name="Анна"):
    return Guest.objects.create(name=name, created_at=NOW)


def a_wallet(points=0, *, card=None, guest=None, chain=None, ends_at=None):
    wallet = Wallet.objects.create(guest=guest, created_at=NOW)
    if card:
        Card.objects.create(number=card, chain=chain or a_chain(), wallet=wallet, created_at=NOW)
    account = accounts.account_of(wallet.pk)
    if points:
        give(account, points, ends_at=ends_at)
    return wallet


def give(account, points, *, ends_at=None, now=NOW):
    return ledger.post_one(an_order(accounts.house("issue:lukoshko"), account, points, kind=TransferKind.ACCRUAL, ends_at=ends_at), now=now)


def available(wallet):
    return accounts.account_of(wallet.pk, AccountKind.AVAILABLE)


def an_order(debit, credit, amount, *, kind=TransferKind.SPEND, **fields):
    return Order(id=fields.pop("id", None) or uuid.uuid4(), kind=kind, debit=debit, credit=credit, amount=amount, **fields)


def later(days):
    return NOW + timedelta(days=days)
