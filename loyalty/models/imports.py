"""Files of balances and of accruals: checked first, loaded in portions, proved at the end."""

from django.conf import settings
from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from loyalty.states import ImportKind, ImportState
from stores.models import Chain


class Import(models.Model):
    """One file. Where it stands is written in the transaction of each portion, so a kill costs one portion at most."""

    name = models.CharField(_("name"), max_length=200)
    kind = models.CharField(_("kind"), max_length=8, choices=ImportKind, default=ImportKind.BALANCES)
    file = models.FileField(_("file"), upload_to="loyalty-imports/")
    digest = models.CharField(_("SHA-256"), max_length=64, blank=True)
    chain = models.ForeignKey(Chain, models.PROTECT, related_name="+", verbose_name=_("chain"), help_text=_("Whose points these are."))
    period_from = models.DateField(_("period from"), null=True, blank=True)
    period_to = models.DateField(_("period to"), null=True, blank=True)
    largest = models.PositiveBigIntegerField(
        _("largest amount of a row"),
        default=1_000_000,
        validators=[MaxValueValidator(10**9)],
        help_text=_("A row with more points is rejected."),
    )
    state = models.CharField(_("state"), max_length=8, choices=ImportState, default=ImportState.NEW)
    bytes_total = models.PositiveBigIntegerField(_("size"), default=0)
    bytes_read = models.PositiveBigIntegerField(_("read"), default=0)
    lines_read = models.PositiveBigIntegerField(_("lines read"), default=0)
    good_rows = models.PositiveBigIntegerField(_("good rows"), default=0)
    good_points = models.PositiveBigIntegerField(_("points in them"), default=0)
    rejected_rows = models.PositiveBigIntegerField(_("rejected rows"), default=0)
    loaded_rows = models.PositiveBigIntegerField(_("loaded rows"), default=0)
    loaded_points = models.PositiveBigIntegerField(_("loaded points"), default=0)
    loaded_line = models.PositiveBigIntegerField(default=0)
    proof = models.JSONField(_("proof of the totals"), default=dict, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("uploaded by")
    )
    created_at = models.DateTimeField(_("uploaded"))
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("approved by")
    )
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)

    class Meta:
        verbose_name = _("import of points")
        verbose_name_plural = _("imports of points")
        constraints = [
            models.CheckConstraint(
                condition=~Q(kind=ImportKind.ACCRUAL) | Q(period_from__isnull=False, period_to__gte=models.F("period_from")),
                name="loyalty_import_period",
            )
        ]

    def __str__(self) -> str:
        return self.name


class ImportRow(models.Model):
    """A good row. `operation` is the receipt of an accrual, empty for an opening balance. Personal: the card."""

    PERSONAL = ("card",)

    owner = models.ForeignKey(Import, models.CASCADE, related_name="rows", db_index=False, db_constraint=False)
    line = models.PositiveBigIntegerField()
    card = models.CharField(max_length=32)
    operation = models.CharField(max_length=64, blank=True)
    points = models.BigIntegerField()
    ends_on = models.DateField(null=True)
    on_date = models.DateField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["owner", "line"], name="loyalty_import_row_once")]


class ImportReject(models.Model):
    """A row that was not taken, and why."""

    PERSONAL = ("raw",)

    owner = models.ForeignKey(Import, models.CASCADE, related_name="rejects", db_index=False)
    line = models.PositiveBigIntegerField()
    code = models.CharField(max_length=24)
    raw = models.CharField(max_length=400)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["owner", "line"], name="loyalty_import_reject_once")]
