"""Where an order is, in one order for all sources: what each of them calls it is mapped by rows."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class OrderState(models.TextChoices):
    PLACED = "placed", _("placed")
    ASSEMBLING = "assembling", _("being assembled")
    READY = "ready", _("ready to be picked up")
    ON_THE_WAY = "on_the_way", _("on the way")
    DELIVERED = "delivered", _("delivered")
    CANCELLED = "cancelled", _("cancelled")
    RETURNED = "returned", _("returned")
    UNKNOWN = "unknown", _("unknown")


OVER = frozenset({OrderState.DELIVERED, OrderState.CANCELLED, OrderState.RETURNED})
"""Nothing more happens to such an order."""
