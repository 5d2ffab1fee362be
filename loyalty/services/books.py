"""The ledger's two round trips: the books of a batch read under their locks, and its entries written."""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from loyalty.states import AccountKind
from loyalty.types import Account, Books, Entries, Lot, Order, Use


def open_books(orders: Sequence[Order]) -> Books:
    """What decides about these orders; the accounts stay locked until the transaction ends, in ascending order of their ids."""
    accounts = {order.debit for order in orders} | {order.credit for order in orders}
    refunds = {order.refund_of for order in orders if order.refund_of}
    payers = {order.debit for order in orders}
    given = [_array(accounts), _array(order.id for order in orders), _array(payers), _array(refunds)]
    with connection.cursor() as cursor:
        cursor.execute("select loyalty_open_books(%s, %s, %s, %s)", given)
        return _read(cursor.fetchone()[0])


def _array(values: Iterable[Any]) -> str:
    """Numbers or UUIDs as PostgreSQL writes an array: cheaper to read than a constructor of a thousand parts."""
    return "{" + ",".join(map(str, values)) + "}"


def _read(found: dict[str, Any]) -> Books:
    accounts = {row[0]: Account(*row) for row in found["accounts"] or ()}
    accounts |= {number: Account(number, AccountKind.HOUSE) for number in found["house"] or ()}
    return Books(
        accounts=accounts,
        known={UUID(row[0]): (*row[1:6], _uuid(row[6]), _uuid(row[7])) for row in found["known"] or ()},
        lots=[Lot(UUID(row[0]), row[1], row[2], datetime.fromisoformat(row[3]) if row[3] else None) for row in found["lots"] or ()],
        uses=[Use(UUID(row[0]), UUID(row[1]), row[2], row[3]) for row in found["uses"] or ()],
    )


def _uuid(text: str | None) -> UUID | None:
    return UUID(text) if text else None


def write(entries: Entries, *, now: datetime) -> None:
    """Write a batch. Raises IntegrityError when another transaction wrote one of its ids meanwhile."""
    at = now.isoformat()
    given = [
        [_transfer(order, at) for order in entries.transfers],
        [{"id": number, "amount": amount} for number, amount in entries.balances.items() if amount],
        [{"id": number, "amount": amount} for number, amount in entries.house.items() if amount],
        [{**_lot(lot), "account": lot.account, "amount": entries.lot_amounts[lot.id]} for lot in entries.new_lots.values()],
        [_lot(lot) for lot in entries.changed_lots.values()],
        [{"transfer": str(use.transfer), "lot": str(use.lot), "amount": use.amount, "returned": use.returned} for use in entries.uses],
        [{"transfer": str(spent), "lot": str(lot), "amount": back} for (spent, lot), back in entries.returned.items()],
    ]
    with connection.cursor() as cursor:
        cursor.execute("select loyalty_write(%s, %s, %s, %s, %s, %s, %s)", [json.dumps(rows) if rows else None for rows in given])


def _transfer(order: Order, at: str) -> dict[str, Any]:
    return {
        "id": str(order.id),
        "kind": str(order.kind),
        "debit": order.debit,
        "credit": order.credit,
        "amount": order.amount,
        "at": at,
        "subject": order.subject,
        "reason": order.reason[:200],
        "by": order.by,
        "approved_by": order.approved_by,
        "refund_of": str(order.refund_of) if order.refund_of else None,
        "reservation": str(order.reservation) if order.reservation else None,
    }


def _lot(lot: Lot) -> dict[str, Any]:
    return {"id": str(lot.id), "left": lot.left, "ends_at": lot.ends_at.isoformat() if lot.ends_at else None}
