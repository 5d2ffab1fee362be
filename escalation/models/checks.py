"""What the watchman and the dry run find."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from escalation.models.maps import MapLine
from escalation.models.runs import Run
from escalation.states import AlarmKind, HoleKind, Level


class Alarm(models.Model):
    """Something is wrong with escalation itself. One open row per run and kind; it ends when the cause is gone."""

    kind = models.CharField(_("alarm"), max_length=8, choices=AlarmKind)
    run = models.ForeignKey(Run, models.CASCADE, null=True, blank=True, related_name="alarms", verbose_name=_("escalation"))
    raised_at = models.DateTimeField(_("raised"))
    since = models.DateTimeField(_("since"))
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)
    details = models.JSONField(default=dict)

    class Meta:
        verbose_name = _("alarm of escalation")
        verbose_name_plural = _("alarms of escalation")
        ordering = ["-raised_at"]
        constraints = [
            models.UniqueConstraint(fields=["kind", "run"], condition=Q(ended_at__isnull=True), name="alarm_one_open", nulls_distinct=False)
        ]

    def __str__(self) -> str:
        return self.get_kind_display()


class DryRun(models.Model):
    """One walk over every line and hour of the days to come."""

    date = models.DateField(_("date"), unique=True)
    ran_at = models.DateTimeField(_("ran"))
    days = models.PositiveSmallIntegerField(_("days"))
    lines = models.PositiveIntegerField(_("lines"))
    stale_lines = models.PositiveIntegerField(_("lines out of date"), default=0)
    hole_count = models.PositiveIntegerField(_("holes"))

    class Meta:
        verbose_name = _("dry run")
        verbose_name_plural = _("dry runs")
        ordering = ["-date"]

    def __str__(self) -> str:
        return f"{self.date:%d.%m.%Y}"


class Hole(models.Model):
    """A time in which a level of a line would reach nobody, or only the lead."""

    dry_run = models.ForeignKey(DryRun, models.CASCADE, related_name="holes")
    line = models.ForeignKey(MapLine, models.CASCADE, related_name="+", verbose_name=_("line of the map"))
    kind = models.CharField(_("hole"), max_length=11, choices=HoleKind)
    level = models.PositiveSmallIntegerField(_("level"), choices=Level, null=True, blank=True)
    starts_at = models.DateTimeField(_("from"))
    ends_at = models.DateTimeField(_("to"))
    roles = models.CharField(_("who is missing"), max_length=240, blank=True)

    class Meta:
        verbose_name = _("hole")
        verbose_name_plural = _("holes")
        ordering = ["starts_at", "line", "level"]

    def __str__(self) -> str:
        return f"{self.line} · {self.get_kind_display()}"


class UnmappedHit(models.Model):
    """A matter for which no map has a line, counted by day: the list of what the maps lack."""

    key = models.CharField(_("matter"), max_length=120)
    date = models.DateField(_("date"))
    hits = models.PositiveIntegerField(_("times"), default=0)

    class Meta:
        verbose_name = _("matter without a line")
        verbose_name_plural = _("matters without a line")
        ordering = ["-date", "-hits"]
        constraints = [models.UniqueConstraint(fields=["key", "date"], name="unmapped_once")]

    def __str__(self) -> str:
        return self.key
