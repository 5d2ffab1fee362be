"""A guest's wallet, the cards that open it, and the terms under which points live."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from customers.models import Guest
from loyalty.states import CardState
from stores.models import Chain


class Wallet(models.Model):
    """One balance over all chains. Without a guest it waits for the person who shows one of its cards."""

    guest = models.OneToOneField(Guest, models.PROTECT, null=True, blank=True, related_name="wallet", verbose_name=_("guest"))
    merged_into = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="+", db_index=False, verbose_name=_("joined to")
    )
    created_at = models.DateTimeField(_("created"))

    class Meta:
        verbose_name = _("wallet")
        verbose_name_plural = _("wallets")

    def __str__(self) -> str:
        return str(_("Wallet %(number)s") % {"number": self.pk})


class WalletJoin(models.Model):
    """A wallet that went along when its guest turned out to be another one: what is needed to part the two again."""

    wallet = models.ForeignKey(Wallet, models.PROTECT, related_name="joins")
    into = models.ForeignKey(Wallet, models.PROTECT, null=True, related_name="+", db_index=False)
    """None = the other guest had no wallet: this one was handed over as it was."""
    kept = models.ForeignKey(Guest, models.PROTECT, related_name="+", db_index=False)
    gone = models.ForeignKey(Guest, models.PROTECT, related_name="+")
    card_ids = models.JSONField(default=list)
    part_ids = models.JSONField(default=list)
    """Wallets that were part of this one before."""
    lot_ids = models.JSONField(default=list)
    """The lots in which its points arrived."""
    owed = models.BigIntegerField(default=0)
    at = models.DateTimeField()
    parted_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["wallet"], condition=Q(parted_at__isnull=True), name="loyalty_wallet_joined_once")]


class Card(models.Model):
    """A loyalty card of one chain."""

    PERSONAL = ("number",)

    number = models.CharField(_("number"), max_length=32, unique=True)
    chain = models.ForeignKey(Chain, models.PROTECT, related_name="+", db_index=False, verbose_name=_("chain"))
    wallet = models.ForeignKey(Wallet, models.PROTECT, related_name="cards", verbose_name=_("wallet"))
    state = models.CharField(_("state"), max_length=8, choices=CardState, default=CardState.ACTIVE)
    created_at = models.DateTimeField(_("created"))

    class Meta:
        verbose_name = _("loyalty card")
        verbose_name_plural = _("loyalty cards")

    def __str__(self) -> str:
        return self.number


class Terms(models.Model):
    """How long points live, one row for each chain and one for those without a row."""

    chain = models.OneToOneField(
        Chain, models.CASCADE, null=True, blank=True, related_name="+", verbose_name=_("chain"), help_text=_("Empty = every other chain.")
    )
    ripen_days = models.PositiveSmallIntegerField(_("days until accrued points can be spent"), default=14)
    life_days = models.PositiveSmallIntegerField(_("days until points expire"), default=365)
    compensation_life_days = models.PositiveSmallIntegerField(_("days until points of a compensation expire"), default=90)

    class Meta:
        verbose_name = _("terms of points")
        verbose_name_plural = _("terms of points")
        constraints = [models.UniqueConstraint(fields=["chain"], nulls_distinct=False, name="loyalty_terms_once")]

    def __str__(self) -> str:
        return str(self.chain) if self.chain_id else str(_("Every other chain"))
