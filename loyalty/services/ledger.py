"""The one door through which points move."""

import random
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TypeVar

from django.db import IntegrityError, OperationalError, connection, transaction
from django.utils.translation import gettext_lazy as _

from core.refusal import Refusal
from loyalty.rules import plan
from loyalty.services import books
from loyalty.types import CARRIED_OUT, Order, Outcome

LARGEST_BATCH = 5000
TRIES = 6
_PAUSE = 0.02
T = TypeVar("T")
# 40001 serialisation, 40P01 deadlock, 23505 the same id written meanwhile, 23514 a floor passed by such a race.
_RACES = {"40001", "40P01", "23505", "23514"}

_TEXTS = {
    Outcome.SHORT: _("There are not enough points."),
    Outcome.REUSED: _("This id belongs to a different transfer of points."),
    Outcome.UNKNOWN: _("There is no such account of points."),
    Outcome.WRONG: _("The transfer of points cannot be carried out: its amount or its accounts are wrong."),
    Outcome.CHAIN: _("The transfers of points belong together, and one of them was refused."),
}


def post(orders: Sequence[Order], *, now: datetime) -> list[Outcome]:
    """Carry out the orders that fit, in one transaction; the outcome of each in their sequence.

    An order that is refused changes nothing for its neighbours, but for those of its chain. A repeat of a known id with the same
    body is REPEATED, with another body REUSED. Inside the caller's own transaction this must be its only batch: accounts are
    locked in the order of their ids within a batch. Raises ValueError for more than LARGEST_BATCH orders.
    """
    if len(orders) > LARGEST_BATCH:
        raise ValueError(f"at most {LARGEST_BATCH} orders in a batch")
    return again(lambda: _post(orders, now)) if orders else []


def _post(orders: Sequence[Order], now: datetime) -> list[Outcome]:
    with transaction.atomic():
        outcomes, entries = plan(orders, books.open_books(orders), now=now)
        if entries.transfers:
            books.write(entries, now=now)
    return outcomes


def again(run: Callable[[], T]) -> T:
    """Run a transaction, again when another one came between. Inside the caller's transaction: once, its caller tries again."""
    if connection.in_atomic_block:
        return run()
    for left in range(TRIES - 1, -1, -1):
        try:
            return run()
        except (IntegrityError, OperationalError) as fault:
            if not left or getattr(fault.__cause__, "pgcode", None) not in _RACES:
                raise
        time.sleep(random.uniform(0, _PAUSE))
    raise AssertionError("unreachable")


def must(outcome: Outcome) -> Outcome:
    """The outcome when the order was carried out, now or before. Raises Refusal with the outcome as its code."""
    if outcome not in CARRIED_OUT:
        raise Refusal(str(outcome), _TEXTS[outcome], status=409)
    return outcome


def post_one(order: Order, *, now: datetime) -> Outcome:
    """Carry out one order: DONE or REPEATED. Raises Refusal (`not_enough`, `id_reused`, `no_account`, `wrong_order`)."""
    return must(post([order], now=now)[0])
