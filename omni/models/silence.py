"""How much each account usually brings, and when it fell silent."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from omni.models.accounts import ChannelAccount


class HourCount(models.Model):
    """How many events an account brought in one whole hour (UTC): what the usual rate is learned from."""

    account = models.ForeignKey(ChannelAccount, models.CASCADE, related_name="hours", db_index=False)
    hour = models.DateTimeField()
    count = models.PositiveIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "hour"], name="hour_count_once")]

    def __str__(self) -> str:
        return f"{self.account_id} {self.hour:%Y-%m-%d %H}: {self.count}"


class SilenceRule(models.Model):
    """When silence of an account is alarming. The row without an account holds for all that have none of their own."""

    account = models.OneToOneField(
        ChannelAccount,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="silence_rule",
        verbose_name=_("account"),
        help_text=_("Empty = all."),
    )
    is_on = models.BooleanField(_("on"), default=True)
    weeks = models.PositiveSmallIntegerField(_("weeks looked back"), default=6, validators=[MinValueValidator(1), MaxValueValidator(26)])
    least_weeks = models.PositiveSmallIntegerField(
        _("weeks needed"), default=2, validators=[MinValueValidator(1)], help_text=_("Before so many weeks are known nothing is judged.")
    )
    least_minutes = models.PositiveSmallIntegerField(_("silence, at least minutes"), default=10)
    least_expected = models.FloatField(
        _("events missed, at least"),
        default=8,
        validators=[MinValueValidator(1)],
        help_text=_("So many events should have come in the silence. Higher = fewer false alarms, later ones."),
    )
    least_share = models.PositiveSmallIntegerField(
        _("share that still comes, %"),
        default=20,
        validators=[MaxValueValidator(100)],
        help_text=_("Less than this part of the usual in an hour is alarming too. 0 = only silence is."),
    )
    mail_to = models.TextField(_("mail to"), blank=True, help_text=_("Addresses, one in a line."))

    class Meta:
        verbose_name = _("silence alarm")
        verbose_name_plural = _("silence alarms")

    def __str__(self) -> str:
        return str(self.account or _("All accounts"))

    @property
    def addresses(self) -> list[str]:
        return [line.strip() for line in self.mail_to.splitlines() if line.strip()]


class Silence(models.Model):
    """An account that brought less than it should, from when until when."""

    account = models.ForeignKey(ChannelAccount, models.CASCADE, related_name="silences", verbose_name=_("account"))
    since = models.DateTimeField(_("since"))
    noticed_at = models.DateTimeField(_("noticed"))
    expected = models.FloatField(_("usual"))
    seen = models.PositiveIntegerField(_("came"))
    ended_at = models.DateTimeField(_("ended"), null=True)
    told_at = models.DateTimeField(_("told by mail"), null=True)

    class Meta:
        verbose_name = _("silence of a channel")
        verbose_name_plural = _("silences of channels")
        constraints = [models.UniqueConstraint(fields=["account"], condition=Q(ended_at__isnull=True), name="silence_one_open")]
        indexes = [models.Index(fields=["-noticed_at"], name="silence_recent")]

    def __str__(self) -> str:
        return f"{self.account_id} {self.since:%Y-%m-%d %H:%M}"
