"""Wallets with points to test with."""

import uuid
from datetime import UTC, datetime, timedelta

from accounts.models import Group, Role
from customers.models import Guest
from loyalty.models import (
    Allowance,
    ApprovalLevel,
    Budget,
    Campaign,
    Card,
    Compensation,
    CompensationReason,
    GuestAllowance,
    Import,
    Operation,
    Processing,
    Terms,
    Transfer,
    Wallet,
)
from loyalty.services import accounts, budgets, ledger, proof, reservations
from loyalty.states import AccountKind, AlarmCheck, TransferKind
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


def everything(number, *, case, staff):
    """A row in every table that the admin panel shows; `number` keeps them apart."""
    chain = a_chain(f"chain-{number}", f"Сеть {number}")
    wallet = a_wallet(100, card=f"77{number:08}", guest=case.guest, chain=chain)
    till, now = accounts.house("redeem:lukoshko"), NOW
    reservations.reserve(
        id=uuid.uuid4(), account=available(wallet), credit=till, amount=5, kind=TransferKind.SPEND, expires_at=later(1), now=now
    )
    Terms.objects.create(chain=chain)
    reason = CompensationReason.objects.create(code=f"reason-{number}", name=f"Причина {number}")
    role = Role.objects.create(code=f"points-{number}", name=f"Роль {number}")
    Allowance.objects.create(role=role, per_operation=1, per_day=1, per_week=1)
    ApprovalLevel.objects.create(role=role, above=0, up_to=10)
    GuestAllowance.objects.create(points=number, days=number + 1)
    Campaign.objects.create(name=f"Сбой {number}", points=5, starts_at=now, ends_at=later(1))
    group = Group.objects.create(code=f"points-{number}", name=f"Группа баллов {number}")
    budget = budgets.open_budget(Budget(name=f"Бюджет {number}", group=group))
    compensation = Compensation.objects.create(
        guest=case.guest, subject=f"case:{case.pk}", number=case.number, points=5, weighed_points=5, reason=reason, budget=budget,
        state="awaiting", author=staff, asked_at=now, expires_at=later(1),
    )  # fmt: skip
    proof.raise_alarm(proof.Finding(AlarmCheck.BALANCE, f"account:{number}", 1, 2), now=now)
    Import.objects.create(name=f"Файл {number}", chain=chain, created_at=now)
    processing = Processing.objects.create(name=f"Процессинг {number}", address="http://127.0.0.1:1", kinds=[])
    transfer = Transfer.objects.filter(credit=available(wallet)).first()
    Operation.objects.create(processing=processing, transfer=transfer, card="1", points=5, created_at=now)
    return compensation
