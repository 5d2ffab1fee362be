"""The chain's outer processing of points, and what was told to it."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from core import secrets
from loyalty.models.ledger import Transfer
from loyalty.states import OperationState, TransferKind


class Processing(models.Model):
    """A processing that hears of transfers of the chosen kinds."""

    name = models.CharField(_("name"), max_length=120)
    address = models.URLField(_("address"), help_text=_("Without a slash at the end."))
    kinds = ArrayField(models.CharField(max_length=12, choices=TransferKind), verbose_name=_("transfers that it hears of"), default=list)
    timeout_seconds = models.PositiveSmallIntegerField(_("seconds to wait for an answer"), default=10)
    is_active = models.BooleanField(_("active"), default=True)
    closed_secrets = models.TextField(editable=False, default="")

    class Meta:
        verbose_name = _("processing of points")
        verbose_name_plural = _("processings of points")

    def __str__(self) -> str:
        return self.name

    @property
    def token(self) -> str:
        return secrets.open_box(self.closed_secrets).get("token", "")

    def set_token(self, token: str) -> None:
        self.closed_secrets = secrets.close({"token": token})


class Operation(models.Model):
    """One transfer as the processing hears of it, under the transfer's own id; written in the transfer's transaction."""

    processing = models.ForeignKey(Processing, models.PROTECT, related_name="operations", verbose_name=_("processing"))
    transfer = models.ForeignKey(Transfer, models.PROTECT, related_name="operations", verbose_name=_("transfer of points"))
    card = models.CharField(_("card"), max_length=32)
    points = models.BigIntegerField(_("points"))
    """Above zero = to the guest."""
    state = models.CharField(_("state"), max_length=10, choices=OperationState, default=OperationState.QUEUED)
    tries = models.PositiveSmallIntegerField(_("tries"), default=0)
    next_at = models.DateTimeField(_("next try"), null=True)
    reference = models.CharField(_("number there"), max_length=64, blank=True)
    reason = models.CharField(_("answer"), max_length=400, blank=True)
    created_at = models.DateTimeField(_("created"))
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)

    PERSONAL = ("card",)

    class Meta:
        verbose_name = _("operation at the processing")
        verbose_name_plural = _("operations at the processing")
        constraints = [models.UniqueConstraint(fields=["processing", "transfer"], name="loyalty_operation_once")]
        indexes = [models.Index(fields=["next_at"], condition=Q(next_at__isnull=False), name="loyalty_operation_due")]

    def __str__(self) -> str:
        return f"{self.transfer_id}"
