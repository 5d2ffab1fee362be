"""Orders from the systems that carry them out: the newest news of each counts, a repeat changes nothing."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from django.db import transaction

from core import audit
from core.text import storable
from orders.models import Order, OrderLine, StatusRule
from orders.states import OrderState
from orders.types import Loaded, Told
from stores.models import Store


def load(told: Sequence[Told], *, by: object, now: datetime) -> Loaded:
    """Take a batch over in one transaction; of several news of one order the newest counts, whatever their order."""
    outcome = Loaded(0, 0, 0, [])
    with transaction.atomic():
        rules = _rules({one.source for one in told})
        stores = dict(Store.objects.filter(number__in={one.store for one in told if one.store}).values_list("number", "pk"))
        # In one order for all: two batches that share orders wait for each other instead of locking each other up.
        for one in sorted(told, key=lambda one: (one.source, one.number, one.changed_at)):
            _take(one, rules, stores, outcome, now=now)
        counted = {"added": outcome.added, "changed": outcome.changed, "stale": outcome.stale, "unknown": outcome.unknown[:50]}
        audit.record(action="orders.loaded", by=by, subject="orders", now=now, details=counted)  # type: ignore[arg-type]
    return outcome


def _rules(sources: set[str]) -> Mapping[tuple[str, str], str]:
    found = StatusRule.objects.filter(source__in=sources).values_list("source", "raw_status", "state")
    return {(source, status): state for source, status, state in found}


def _take(one: Told, rules: Mapping[tuple[str, str], str], stores: Mapping[str, int], outcome: Loaded, *, now: datetime) -> None:
    state = rules.get((one.source, one.status), OrderState.UNKNOWN)
    if state == OrderState.UNKNOWN and f"{one.source}:{one.status}" not in outcome.unknown:
        outcome.unknown.append(f"{one.source}:{one.status}")
    values = _values(one, state, stores.get(one.store), now)
    made, added = Order.objects.get_or_create(source=one.source, number=storable(one.number), defaults=values)
    if added:
        outcome.added += 1
    elif not _change(made.pk, one, values):
        outcome.stale += 1
        return
    else:
        outcome.changed += 1
    if one.lines is not None:
        made.lines.all().delete()
        OrderLine.objects.bulk_create(OrderLine(order=made, name=line.name, quantity=line.quantity, price=line.price) for line in one.lines)


def _change(order_id: int, one: Told, values: Mapping[str, object]) -> bool:
    """Compare and set: news that is not newer than what is known changes nothing."""
    return bool(Order.objects.filter(pk=order_id, changed_at__lt=one.changed_at).update(**values))


def _values(one: Told, state: str, store: int | None, now: datetime) -> dict[str, object]:
    values: dict[str, object] = {
        "raw_status": storable(one.status),
        "state": state,
        "total": one.total,
        "placed_at": one.placed_at,
        "expected_from": one.expected_from,
        "expected_until": one.expected_until,
        "changed_at": one.changed_at,
        "loaded_at": now,
    }
    # What a source leaves out it does not take back.
    return values | ({"phone": one.phone} if one.phone else {}) | ({"store_id": store} if store else {})
