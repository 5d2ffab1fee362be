"""Guests' orders as the systems that carry them out tell of them, and what their statuses mean."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from orders.states import OrderState
from stores.models import Store


class Order(models.Model):
    """One order. Whose it is, is told by its telephone alone: guests who are joined or parted take their orders along with it."""

    PERSONAL = ("phone",)

    source = models.SlugField(_("source"), max_length=24, help_text=_("The system that carries it out: own, ozon …"))
    number = models.CharField(_("number"), max_length=40)
    phone = models.CharField(_("phone"), max_length=20, blank=True, help_text=_("E.164"))
    raw_status = models.CharField(_("status in the source"), max_length=64)
    state = models.CharField(_("state"), max_length=10, choices=OrderState)
    store = models.ForeignKey(Store, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("store"))
    total = models.DecimalField(_("total, roubles"), max_digits=12, decimal_places=2, null=True, blank=True)
    placed_at = models.DateTimeField(_("placed"))
    expected_from = models.DateTimeField(_("expected from"), null=True, blank=True)
    expected_until = models.DateTimeField(_("expected until"), null=True, blank=True)
    changed_at = models.DateTimeField(_("changed"), help_text=_("By the source's clock: older news changes nothing."))
    loaded_at = models.DateTimeField(_("loaded"))

    class Meta:
        verbose_name = _("order")
        verbose_name_plural = _("orders")
        constraints = [models.UniqueConstraint(fields=["source", "number"], name="order_once")]
        indexes = [
            models.Index(fields=["phone", "-placed_at"], condition=~models.Q(phone=""), name="order_of_phone"),
            models.Index(fields=["number"], name="order_number"),
            models.Index(fields=["-placed_at"], name="order_recent"),
        ]

    def __str__(self) -> str:
        return self.number


class OrderLine(models.Model):
    """A good of an order."""

    order = models.ForeignKey(Order, models.CASCADE, related_name="lines", verbose_name=_("order"))
    name = models.CharField(_("good"), max_length=200)
    quantity = models.DecimalField(_("quantity"), max_digits=9, decimal_places=3)
    price = models.DecimalField(_("price, roubles"), max_digits=12, decimal_places=2)

    class Meta:
        verbose_name = _("line of an order")
        verbose_name_plural = _("lines of orders")

    def __str__(self) -> str:
        return self.name


class StatusRule(models.Model):
    """What a source's status means. A status without a rule is unknown."""

    source = models.SlugField(_("source"), max_length=24)
    raw_status = models.CharField(_("status in the source"), max_length=64)
    state = models.CharField(_("state"), max_length=10, choices=OrderState)

    class Meta:
        verbose_name = _("meaning of a status")
        verbose_name_plural = _("meanings of statuses")
        ordering = ["source", "state", "raw_status"]
        constraints = [models.UniqueConstraint(fields=["source", "raw_status"], name="order_status_once")]

    def __str__(self) -> str:
        return f"{self.source}: {self.raw_status}"


class StateWords(models.Model):
    """How a guest is told of a state. `{number}`, `{expected}` and `{store}` are filled in."""

    state = models.CharField(_("state"), max_length=10, choices=OrderState, primary_key=True)
    words = models.CharField(_("words for the guest"), max_length=400, help_text=_("{number}, {expected} and {store} are filled in."))

    class Meta:
        verbose_name = _("words for a state")
        verbose_name_plural = _("words for states")
        ordering = ["state"]

    def __str__(self) -> str:
        return str(self.get_state_display())
