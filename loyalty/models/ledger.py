"""The double-entry ledger. A transfer is one row with its two legs, so that the legs of all transfers add up to zero by their form."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from loyalty.models.wallet import Wallet
from loyalty.states import FLOORED, AccountKind, AlarmCheck, ReservationState, TransferKind
from loyalty.types import LARGEST


class Account(models.Model):
    """A place for points. A wallet's accounts and budgets hold their balance live; a house account's is folded from deltas.

    `code` names a house account or a budget (`issue:lukoshko`), empty for a wallet's.
    """

    kind = models.CharField(_("kind"), max_length=12, choices=AccountKind)
    wallet = models.ForeignKey(Wallet, models.PROTECT, null=True, blank=True, related_name="accounts", verbose_name=_("wallet"))
    code = models.CharField(_("code"), max_length=64, null=True, blank=True, unique=True)
    balance = models.BigIntegerField(_("balance"), default=0)
    reserved = models.BigIntegerField(_("reserved"), default=0)

    class Meta:
        verbose_name = _("account of points")
        verbose_name_plural = _("accounts of points")
        constraints = [
            models.UniqueConstraint(fields=["wallet", "kind"], name="loyalty_account_once"),
            models.CheckConstraint(condition=~Q(kind__in=sorted(FLOORED)) | Q(balance__gte=F("reserved")), name="loyalty_never_below_zero"),
            models.CheckConstraint(condition=Q(reserved__gte=0), name="loyalty_reserved_not_negative"),
            models.CheckConstraint(condition=~Q(kind=AccountKind.OWED) | Q(balance__lte=0), name="loyalty_owed_not_positive"),
            models.CheckConstraint(
                condition=Q(kind__in=[AccountKind.HOUSE, AccountKind.BUDGET], wallet__isnull=True, code__isnull=False)
                | Q(wallet__isnull=False, code__isnull=True),
                name="loyalty_account_of_one",
            ),
        ]

    def __str__(self) -> str:
        return self.code or f"{self.get_kind_display()} {self.wallet_id}"


class Transfer(models.Model):
    """Points that moved. Immutable (a trigger holds it); a correction is a new transfer. `id` is the caller's.

    The accounts are no foreign keys for the database: checking them would lock a house account's row for every transfer.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, verbose_name=_("id"))
    kind = models.CharField(_("kind"), max_length=12, choices=TransferKind)
    debit = models.ForeignKey(Account, models.PROTECT, related_name="paid", db_index=False, db_constraint=False, verbose_name=_("from"))
    credit = models.ForeignKey(Account, models.PROTECT, related_name="got", db_index=False, db_constraint=False, verbose_name=_("to"))
    amount = models.BigIntegerField(_("points"))
    at = models.DateTimeField(_("time"))
    subject = models.CharField(_("because of"), max_length=96, blank=True, help_text=_("Kind and id, for example case:4711."))
    reason = models.CharField(_("reason"), max_length=200, blank=True)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
        db_constraint=False,
        verbose_name=_("by"),
    )
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
        db_constraint=False,
        verbose_name=_("approved by"),
    )
    refund_of = models.UUIDField(_("refund of"), null=True, blank=True)
    reservation = models.UUIDField(_("reservation"), null=True, blank=True)

    class Meta:
        verbose_name = _("transfer of points")
        verbose_name_plural = _("transfers of points")
        constraints = [
            models.CheckConstraint(condition=Q(amount__gt=0, amount__lte=LARGEST), name="loyalty_transfer_amount"),
            models.CheckConstraint(condition=~Q(debit=F("credit")), name="loyalty_transfer_two_legs"),
            models.UniqueConstraint(fields=["reservation"], condition=Q(reservation__isnull=False), name="loyalty_reservation_posted_once"),
        ]
        indexes = [
            models.Index(fields=["debit", "-at"], name="loyalty_transfer_debit"),
            models.Index(fields=["credit", "-at"], name="loyalty_transfer_credit"),
        ]

    def __str__(self) -> str:
        return str(self.id)


class HouseDelta(models.Model):
    """A change of a house account that is not yet folded into its balance."""

    account = models.ForeignKey(Account, models.PROTECT, related_name="deltas", db_index=False, db_constraint=False)
    amount = models.BigIntegerField()


class Lot(models.Model):
    """Points that arrived by one transfer (whose id it has) and end together: they expire, or ripen on a pending account."""

    id = models.UUIDField(primary_key=True)
    account = models.ForeignKey(Account, models.PROTECT, related_name="lots", db_index=False, db_constraint=False)
    amount = models.BigIntegerField()
    left = models.BigIntegerField()
    ends_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(left__gte=0, left__lte=F("amount")), name="loyalty_lot_left")]
        indexes = [
            models.Index(fields=["account", "ends_at"], condition=Q(left__gt=0), name="loyalty_lot_open"),
            models.Index(fields=["ends_at"], condition=Q(left__gt=0, ends_at__isnull=False), name="loyalty_lot_due"),
        ]


class LotUse(models.Model):
    """What a spending took from a lot, and what came back of it."""

    transfer = models.UUIDField()
    lot = models.ForeignKey(Lot, models.PROTECT, related_name="uses", db_constraint=False)
    amount = models.BigIntegerField()
    returned = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["transfer", "lot"], name="loyalty_lot_use_once"),
            models.CheckConstraint(condition=Q(amount__gt=0, returned__gte=0, returned__lte=F("amount")), name="loyalty_lot_use_amount"),
        ]


class Reservation(models.Model):
    """Points put aside for one transfer to come. Resolved exactly once: posted (all or part), voided or expired."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, verbose_name=_("id"))
    account = models.ForeignKey(Account, models.PROTECT, related_name="reservations", verbose_name=_("from"))
    credit = models.ForeignKey(Account, models.PROTECT, related_name="+", db_index=False, db_constraint=False, verbose_name=_("to"))
    kind = models.CharField(_("kind"), max_length=12, choices=TransferKind)
    amount = models.BigIntegerField(_("points"))
    posted = models.BigIntegerField(_("posted"), default=0)
    state = models.CharField(_("state"), max_length=8, choices=ReservationState, default=ReservationState.OPEN)
    subject = models.CharField(_("because of"), max_length=96, blank=True)
    made_at = models.DateTimeField(_("made"))
    expires_at = models.DateTimeField(_("expires"))
    resolved_at = models.DateTimeField(_("resolved"), null=True, blank=True)

    class Meta:
        verbose_name = _("reservation of points")
        verbose_name_plural = _("reservations of points")
        constraints = [
            models.CheckConstraint(condition=Q(amount__gt=0, posted__gte=0, posted__lte=F("amount")), name="loyalty_reservation_amount"),
            models.CheckConstraint(
                condition=Q(state=ReservationState.OPEN, resolved_at__isnull=True)
                | (~Q(state=ReservationState.OPEN) & Q(resolved_at__isnull=False)),
                name="loyalty_reservation_resolved_paired",
            ),
        ]
        indexes = [models.Index(fields=["expires_at"], condition=Q(state=ReservationState.OPEN), name="loyalty_reservation_due")]

    def __str__(self) -> str:
        return str(self.id)


class Alarm(models.Model):
    """A proof of the ledger that failed; open until a person says what was done about it."""

    check_name = models.CharField(_("proof"), max_length=16, choices=AlarmCheck)
    subject = models.CharField(_("where"), max_length=96, blank=True)
    expected = models.BigIntegerField(_("expected"), null=True, blank=True)
    found = models.BigIntegerField(_("found"), null=True, blank=True)
    text = models.CharField(_("details"), max_length=400, blank=True)
    raised_at = models.DateTimeField(_("raised"))
    seen_at = models.DateTimeField(_("seen last"))
    closed_at = models.DateTimeField(_("closed"), null=True, blank=True)
    closed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("closed by")
    )
    answer = models.TextField(_("what was done"), blank=True)

    class Meta:
        verbose_name = _("alarm of the ledger")
        verbose_name_plural = _("alarms of the ledger")
        constraints = [
            models.UniqueConstraint(fields=["check_name", "subject"], condition=Q(closed_at__isnull=True), name="loyalty_alarm_open_once"),
            models.CheckConstraint(condition=Q(closed_at__isnull=True) | Q(closed_by__isnull=False), name="loyalty_alarm_closed_paired"),
        ]

    def __str__(self) -> str:
        return f"{self.get_check_name_display()} {self.subject}".strip()
