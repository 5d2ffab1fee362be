"""Reads of orders. Whoever asks for a guest's orders names telephones that were vouched for: an order tells where somebody lives."""

from collections.abc import Collection, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from orders.models import Order, StateWords
from orders.states import OVER, OrderState


def list_orders(phones: Collection[str], *, number: str = "", limit: int = 3) -> Sequence[Order]:
    """Orders of these verified telephones (E.164), those still going on first, then the newest; `number` = only this one."""
    known = [phone for phone in phones if phone]
    if not known:
        return []
    found = Order.objects.filter(phone__in=known).select_related("store").order_by("-placed_at", "-pk")
    found = found.filter(number=number) if number else found
    # A guest's orders of the last time, not of all times.
    return sorted(found[:20], key=lambda order: order.state in OVER)[:limit]


def in_words(order: Order) -> str:
    """The order's state as the guest is told of it."""
    kept = StateWords.objects.filter(state=order.state).values_list("words", flat=True).first()
    words = kept or f"{{number}}: {OrderState(order.state).label}"
    facts = {"number": order.number, "expected": _expected(order), "store": order.store.address or order.store.name if order.store else ""}
    for name, value in facts.items():
        words = words.replace(f"{{{name}}}", value)
    return " ".join(words.split())


def _expected(order: Order) -> str:
    """When it is expected, by the clock of its store: `22.11, 18:00–20:00`; empty when nobody said."""
    zone = ZoneInfo(order.store.time_zone if order.store else "Europe/Moscow")
    first, last = (_local(at, zone) for at in (order.expected_from, order.expected_until))
    if first is None or last is None:
        known = first or last
        return f"{known:%d.%m, %H:%M}" if known else _("as agreed")
    if first.date() == last.date():
        return f"{first:%d.%m, %H:%M}–{last:%H:%M}"
    return f"{first:%d.%m, %H:%M} – {last:%d.%m, %H:%M}"


def _local(at: datetime | None, zone: ZoneInfo) -> datetime | None:
    return at.astimezone(zone) if at else None
