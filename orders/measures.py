"""What orders measure of guests, for rules of segments. An order is a guest's by a telephone that was vouched for."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from django.db.models import Count, Sum
from django.utils.translation import gettext_lazy as _

from customers.models import Identity
from orders.models import Order
from orders.states import OrderState


class OrdersTotal:
    """What delivered orders cost."""

    code = "orders_total"
    name = _("delivered orders, roubles")
    figure: Any = Sum("total")

    def reaching(self, *, since: datetime, least: int, guest_ids: Collection[int] | None = None) -> Collection[int]:
        found = Order.objects.filter(state=OrderState.DELIVERED, placed_at__gte=since).exclude(phone="")
        if guest_ids is not None:
            known = _verified().filter(guest__in=guest_ids)
            found = found.filter(phone__in=list(known.values_list("phone", flat=True)))
        figures = dict(found.values_list("phone").annotate(figure=self.figure).order_by())
        return {guest for guest, figure in _by_guest(figures).items() if figure >= least}


class OrdersNumber(OrdersTotal):
    """How many orders were delivered."""

    code = "orders_number"
    name = _("delivered orders, how many")
    figure: Any = Count("pk")


def _verified() -> Any:
    return Identity.objects.filter(is_verified=True, guest__merged_into=None).exclude(phone="")


def _by_guest(figures: Mapping[str, Any]) -> Mapping[int, Any]:
    """Figures of each guest; a telephone in several channels counts once."""
    found: dict[int, Any] = defaultdict(int)
    phones = list(figures)
    for at in range(0, len(phones), 1000):
        owners = _verified().filter(phone__in=phones[at : at + 1000]).values_list("guest_id", "phone").distinct()
        for guest_id, phone in owners:
            found[guest_id] += figures[phone] or 0
    return found
