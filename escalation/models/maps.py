"""Escalation maps: who is called about what, in which order, and who answers for the map."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, URLValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Group
from core import secrets
from escalation.models.schedules import Schedule
from escalation.states import PERSONAL_CHOICES, Level, Severity, StepKind
from sla.models import Calendar


def default_channels() -> list[str]:
    return [channel for channel, _label in PERSONAL_CHOICES]


class EscalationSettings(models.Model):
    """The numbers of escalation: one row. Minutes of a line override those here."""

    reaction_minutes = models.PositiveSmallIntegerField(_("taken within, minutes"), default=15, help_text=_("Clock 1; 0 = none."))
    deal_minutes = models.PositiveSmallIntegerField(
        _("resolved or escalated within, minutes"), default=30, help_text=_("Clock 2; taking does not stop it; 0 = none.")
    )
    remind_minutes = models.PositiveSmallIntegerField(
        _("ask after, minutes"), default=30, help_text=_("Whether it is still in hand; 0 = never.")
    )
    lapse_minutes = models.PositiveSmallIntegerField(
        _("time to confirm, minutes"), default=15, help_text=_("Then nobody has it again; 0 = never.")
    )
    near_minutes = models.PositiveSmallIntegerField(
        _("start before a promise is missed, minutes"), default=15, help_text=_("Tickets whose topic names a line; 0 = when it is missed.")
    )
    gap_seconds = models.PositiveSmallIntegerField(_("between two steps, seconds"), default=5)
    late_seconds = models.PositiveSmallIntegerField(_("a step is late after, seconds"), default=60)
    overdue_seconds = models.PositiveSmallIntegerField(_("alarm about an overdue step after, seconds"), default=60)
    unsent_minutes = models.PositiveSmallIntegerField(_("alarm about an unsent notice after, minutes"), default=5)
    review_days = models.PositiveSmallIntegerField(_("a map is out of date after, days"), default=90)
    review_again_days = models.PositiveSmallIntegerField(
        _("tell the owner of such a map every, days"), default=7, help_text=_("0 = not at all.")
    )
    dry_run_days = models.PositiveSmallIntegerField(
        _("dry run over the next, days"), default=14, validators=[MinValueValidator(1), MaxValueValidator(60)]
    )
    channels = ArrayField(
        models.CharField(max_length=9, choices=PERSONAL_CHOICES),
        verbose_name=_("channels"),
        default=default_channels,
        help_text=_("For steps that name none."),
    )

    class Meta:
        verbose_name = _("settings of escalation")
        verbose_name_plural = _("settings of escalation")
        constraints = [models.CheckConstraint(condition=Q(pk=1), name="escalation_settings_one_row")]

    def __str__(self) -> str:
        return str(_("settings of escalation"))


class DutyRole(models.Model):
    """A part in a ladder (first line, shift lead ...). Who plays it is on duty, in a group, or named."""

    code = models.SlugField(_("code"), unique=True)
    name = models.CharField(_("name"), max_length=120)
    name_en = models.CharField(_("name in English"), max_length=120, blank=True)
    schedule = models.ForeignKey(Schedule, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("duty schedule"))
    group = models.ForeignKey(
        Group,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("group"),
        help_text=_("Everybody of it, if there is no schedule."),
    )
    staff = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("person"),
        help_text=_("If there is neither."),
    )
    lead = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("lead"),
        help_text=_("Called when nobody else is there."),
    )

    class Meta:
        verbose_name = _("duty role")
        verbose_name_plural = _("duty roles")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Hook(models.Model):
    """Another system that a step calls: POST of JSON, signed with the secret (HMAC-SHA256 of the body)."""

    name = models.CharField(_("name"), max_length=120, unique=True)
    url = models.CharField(_("address"), max_length=400, validators=[URLValidator(schemes=["http", "https"])])
    closed_secret = models.TextField(default="", blank=True, editable=False)
    is_active = models.BooleanField(_("active"), default=True)

    class Meta:
        verbose_name = _("system to call")
        verbose_name_plural = _("systems to call")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def secret(self) -> str:
        """Raises SecretLost."""
        return secrets.open_box(self.closed_secret).get("secret", "")

    def set_secret(self, value: str) -> None:
        self.closed_secret = secrets.close({"secret": value} if value else {})


class EscalationMap(models.Model):
    """A map: lines with an owner who answers for them and the day of the last review."""

    code = models.SlugField(_("code"), unique=True)
    name = models.CharField(_("name"), max_length=120)
    about = models.TextField(_("what it is for"), blank=True)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("owner of the map")
    )
    reviewed_on = models.DateField(_("reviewed on"), null=True, blank=True)
    is_active = models.BooleanField(_("active"), default=True)

    class Meta:
        verbose_name = _("escalation map")
        verbose_name_plural = _("escalation maps")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class MapLine(models.Model):
    """A line of a map: about one kind of matter. Empty minutes = those of the settings, 0 = no such clock."""

    map = models.ForeignKey(EscalationMap, models.CASCADE, related_name="lines", verbose_name=_("escalation map"))
    code = models.SlugField(_("code"), unique=True)
    name = models.CharField(_("what happens"), max_length=160)
    severity = models.CharField(_("severity"), max_length=2, choices=Severity, default=Severity.S2)
    signals = ArrayField(models.CharField(max_length=32), verbose_name=_("signals"), default=list, blank=True)
    calendar = models.ForeignKey(
        Calendar, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("hours"), help_text=_("Empty = round the clock.")
    )
    runbook = models.CharField(_("instruction"), max_length=400, blank=True, validators=[URLValidator(schemes=["http", "https"])])
    may_do = models.TextField(_("what the first line may do itself"), blank=True)
    chat = models.CharField(_("marketplace chat"), max_length=160, blank=True)
    message = models.TextField(
        _("text of the notices"), blank=True, help_text=_("{subject}, {line}, {level}, {due}, {link} are filled in; empty = a common text.")
    )
    reaction_minutes = models.PositiveSmallIntegerField(_("taken within, minutes"), null=True, blank=True)
    deal_minutes = models.PositiveSmallIntegerField(_("resolved or escalated within, minutes"), null=True, blank=True)
    update_minutes = models.PositiveSmallIntegerField(_("news every, minutes"), null=True, blank=True)
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    is_active = models.BooleanField(_("active"), default=True)

    class Meta:
        verbose_name = _("line of the map")
        verbose_name_plural = _("lines of the map")
        ordering = ["map", "position", "code"]

    def __str__(self) -> str:
        return f"{self.code} · {self.name}"


class MapStep(models.Model):
    """A step of a ladder. What it needs besides depends on its kind."""

    line = models.ForeignKey(MapLine, models.CASCADE, related_name="steps", verbose_name=_("line of the map"))
    level = models.PositiveSmallIntegerField(_("level"), choices=Level, default=Level.L1)
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    kind = models.CharField(_("step"), max_length=12, choices=StepKind)
    role = models.ForeignKey(DutyRole, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("duty role"))
    schedule = models.ForeignKey(Schedule, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("duty schedule"))
    group = models.ForeignKey(Group, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("group"))
    hook = models.ForeignKey(Hook, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("system to call"))
    calendar = models.ForeignKey(Calendar, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("hours"))
    minutes = models.PositiveSmallIntegerField(_("minutes"), null=True, blank=True)
    times = models.PositiveSmallIntegerField(_("times"), null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(5)])
    channels = ArrayField(models.CharField(max_length=9, choices=PERSONAL_CHOICES), verbose_name=_("channels"), default=list, blank=True)
    message = models.TextField(_("text"), blank=True)

    class Meta:
        verbose_name = _("step of the ladder")
        verbose_name_plural = _("steps of the ladder")
        ordering = ["level", "position", "pk"]

    def __str__(self) -> str:
        return f"L{self.level} · {self.get_kind_display()}"

    def clean(self) -> None:
        """Raises ValidationError when what the kind needs is missing."""
        needed = NEEDED.get(StepKind(self.kind)) if self.kind in StepKind.values else None
        if needed and not any(getattr(self, name) for name in needed):
            raise ValidationError({needed[0]: _("This kind of step needs it.")})


NEEDED: dict[StepKind, tuple[str, ...]] = {
    StepKind.ROLE: ("role",),
    StepKind.SCHEDULE: ("schedule",),
    StepKind.GROUP: ("group",),
    StepKind.ROUND_ROBIN: ("group", "role", "schedule"),
    StepKind.WAIT: ("minutes",),
    StepKind.HOURS: ("calendar",),
    StepKind.WEBHOOK: ("hook",),
    StepKind.REPEAT: ("times",),
}
