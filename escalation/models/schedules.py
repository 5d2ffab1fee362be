"""Who is on duty, when, and how a person is reached."""

from datetime import time

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.models import known_time_zone
from escalation.states import PERSONAL_CHOICES, DutySource, Rotation, SwapState


class Schedule(models.Model):
    """A duty schedule: layers of rotations, overrides, swaps. Who is on duty is worked out by escalation.rota."""

    code = models.SlugField(_("code"), unique=True)
    name = models.CharField(_("name"), max_length=120)
    time_zone = models.CharField(_("time zone"), max_length=40, default="Europe/Moscow", validators=[known_time_zone])
    lead = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("lead"),
        help_text=_("Called when no shift is there."),
    )
    recorded_until = models.DateTimeField(_("duty recorded until"), null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("duty schedule")
        verbose_name_plural = _("duty schedules")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Layer(models.Model):
    """One rotation of a schedule. The layer with the highest priority that has somebody on duty counts."""

    schedule = models.ForeignKey(Schedule, models.CASCADE, related_name="layers", verbose_name=_("duty schedule"))
    name = models.CharField(_("name"), max_length=80)
    priority = models.SmallIntegerField(_("priority"), default=0, help_text=_("A higher layer covers a lower one."))
    rotation = models.CharField(_("turns change every"), max_length=6, choices=Rotation, default=Rotation.WEEKLY)
    length = models.PositiveSmallIntegerField(
        _("number of them"), default=1, validators=[MinValueValidator(1), MaxValueValidator(366)], help_text=_("Hours must divide 24.")
    )
    handoff = models.TimeField(_("hand-over at"), default=time(9), help_text=_("In the schedule's time zone."))
    starts_on = models.DateField(pgettext_lazy("duty", "first day"))
    ends_on = models.DateField(pgettext_lazy("duty", "last day"), null=True, blank=True)
    only_from = models.TimeField(_("only from"), null=True, blank=True)
    only_to = models.TimeField(_("only to"), null=True, blank=True, help_text=_("Not later than “from” = on the next day."))
    weekdays = models.CharField(
        _("weekdays"), max_length=7, default="1234567", help_text=_("Days on which the hours begin: 1 = Monday … 7 = Sunday.")
    )

    class Meta:
        verbose_name = _("layer")
        verbose_name_plural = _("layers")
        ordering = ["schedule", "-priority", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["schedule", "priority"], name="layer_priority_once"),
            models.CheckConstraint(
                condition=Q(only_from__isnull=True, only_to__isnull=True) | Q(only_from__isnull=False, only_to__isnull=False),
                name="layer_hours_paired",
                violation_error_message=_("Give both hours or none."),
            ),
            models.CheckConstraint(
                condition=Q(ends_on__isnull=True) | Q(ends_on__gte=F("starts_on")),
                name="layer_runs_forward",
                violation_error_message=_("The last day comes after the first."),
            ),
            models.CheckConstraint(condition=Q(length__gte=1), name="layer_has_length"),
        ]

    def __str__(self) -> str:
        return f"{self.schedule} · {self.name}"

    def clean(self) -> None:
        """Raises ValidationError: hours that do not divide a day, weekdays that are none."""
        if self.rotation == Rotation.HOURS and (not self.length or 24 % self.length):
            raise ValidationError({"length": _("Turns of hours must divide 24: 1, 2, 3, 4, 6, 8, 12 or 24.")})
        if not self.weekdays or set(self.weekdays) - set("1234567"):
            raise ValidationError({"weekdays": _("Write the digits of the days: 12345 = Monday to Friday.")})


class LayerMember(models.Model):
    """A person in a rotation. People with the same turn number are on duty together."""

    layer = models.ForeignKey(Layer, models.CASCADE, related_name="members", verbose_name=_("layer"))
    turn = models.PositiveSmallIntegerField(_("turn"), default=1)
    staff = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", verbose_name=_("member of staff"))

    class Meta:
        verbose_name = _("turn of duty")
        verbose_name_plural = _("turns of duty")
        ordering = ["turn", "pk"]
        constraints = [models.UniqueConstraint(fields=["layer", "turn", "staff"], name="layer_member_once")]

    def __str__(self) -> str:
        return f"{self.turn} · {self.staff}"


def _forward(name: str) -> models.CheckConstraint:
    message = _("The end comes after the beginning.")
    return models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name=name, violation_error_message=message)


class Override(models.Model):
    """Somebody stands in, whatever the layers say. Several at once are on duty together."""

    schedule = models.ForeignKey(Schedule, models.CASCADE, related_name="overrides", verbose_name=_("duty schedule"))
    staff = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", verbose_name=_("member of staff"))
    starts_at = models.DateTimeField(_("from"))
    ends_at = models.DateTimeField(_("to"))
    reason = models.CharField(_("reason"), max_length=160, blank=True)

    class Meta:
        verbose_name = _("override")
        verbose_name_plural = _("overrides")
        ordering = ["-starts_at"]
        constraints = [_forward("override_runs_forward")]
        indexes = [models.Index(fields=["schedule", "ends_at"], name="override_current")]

    def __str__(self) -> str:
        return f"{self.staff} · {self.starts_at:%d.%m.%Y %H:%M}"


class Swap(models.Model):
    """A request to change places for a while; it counts only once the other person has accepted it."""

    schedule = models.ForeignKey(Schedule, models.CASCADE, related_name="swaps", verbose_name=_("duty schedule"))
    who = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", verbose_name=_("who is replaced"))
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", verbose_name=_("who stands in"))
    starts_at = models.DateTimeField(_("from"))
    ends_at = models.DateTimeField(_("to"))
    state = models.CharField(_("state"), max_length=9, choices=SwapState, default=SwapState.PROPOSED, editable=False)
    proposed_at = models.DateTimeField(_("proposed"), editable=False)
    settled_at = models.DateTimeField(_("settled"), null=True, editable=False)

    class Meta:
        verbose_name = _("swap of duty")
        verbose_name_plural = _("swaps of duty")
        ordering = ["-starts_at"]
        constraints = [
            _forward("swap_runs_forward"),
            models.CheckConstraint(
                condition=~Q(who=F("by")), name="swap_of_two", violation_error_message=_("Two different people swap places.")
            ),
        ]
        indexes = [models.Index(fields=["schedule", "ends_at"], condition=Q(state=SwapState.ACCEPTED), name="swap_current")]

    def __str__(self) -> str:
        return f"{self.who} → {self.by}"


class DutyInterval(models.Model):
    """Who was on duty from when to when: written as it happens, so a later change of the schedule does not change the past."""

    schedule = models.ForeignKey(Schedule, models.CASCADE, related_name="intervals", verbose_name=_("duty schedule"))
    staff = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("member of staff"))
    source = models.CharField(_("through"), max_length=8, choices=DutySource)
    starts_at = models.DateTimeField(_("from"))
    ends_at = models.DateTimeField(_("to"), null=True, blank=True)

    class Meta:
        verbose_name = _("duty")
        verbose_name_plural = _("past duty")
        ordering = ["-starts_at"]
        constraints = [
            models.UniqueConstraint(fields=["schedule", "staff"], condition=Q(ends_at__isnull=True), name="duty_one_running"),
            models.UniqueConstraint(fields=["schedule", "staff", "starts_at"], name="duty_once"),
            models.CheckConstraint(condition=Q(ends_at__isnull=True) | Q(ends_at__gt=F("starts_at")), name="duty_runs_forward"),
        ]
        indexes = [models.Index(fields=["schedule", "-starts_at"], name="duty_of_schedule")]

    def __str__(self) -> str:
        return f"{self.schedule} · {self.staff}"


class Contact(models.Model):
    """How a member of staff is reached in one channel. Without a row, e-mail and SMS use what stands with the person."""

    PERSONAL = ("address",)

    staff = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="duty_contacts", verbose_name=_("member of staff"))
    channel = models.CharField(_("channel"), max_length=9, choices=PERSONAL_CHOICES)
    address = models.CharField(
        _("address"), max_length=255, help_text=_("Number, mailbox, token of the telephone, or KIND:ID of a messenger.")
    )
    is_active = models.BooleanField(_("active"), default=True)

    class Meta:
        verbose_name = _("contact of staff")
        verbose_name_plural = _("contacts of staff")
        ordering = ["staff", "channel"]
        constraints = [models.UniqueConstraint(fields=["staff", "channel", "address"], name="contact_once")]

    def __str__(self) -> str:
        return f"{self.staff} · {self.get_channel_display()}"
