"""Calendars, policies and running clocks."""

from datetime import time

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.models import known_time_zone


class Calendar(models.Model):
    """Working hours in a zone."""

    code = models.SlugField(_("code"), unique=True)
    name = models.CharField(_("name"), max_length=80)
    time_zone = models.CharField(_("time zone"), max_length=40, default="Europe/Moscow", validators=[known_time_zone])
    frozen_of = models.ForeignKey("self", models.PROTECT, null=True, blank=True, editable=False, related_name="+")
    """The calendar whose hours of a past time these are: clocks that ran then are told by them. Never changed, never chosen."""

    class Meta:
        verbose_name = _("calendar")
        verbose_name_plural = _("calendars")

    def __str__(self) -> str:
        return self.name


class WorkingInterval(models.Model):
    """One working interval of a weekday; a day may have several."""

    class Weekday(models.IntegerChoices):
        MONDAY = 0, _("Monday")
        TUESDAY = 1, _("Tuesday")
        WEDNESDAY = 2, _("Wednesday")
        THURSDAY = 3, _("Thursday")
        FRIDAY = 4, _("Friday")
        SATURDAY = 5, _("Saturday")
        SUNDAY = 6, _("Sunday")

    calendar = models.ForeignKey(Calendar, models.CASCADE, related_name="intervals", verbose_name=_("calendar"))
    weekday = models.SmallIntegerField(_("weekday"), choices=Weekday)
    starts = models.TimeField(_("from"))
    ends = models.TimeField(_("to"), help_text=_("00:00 = the end of the day"))

    class Meta:
        verbose_name = _("working interval")
        verbose_name_plural = _("working intervals")
        ordering = ["weekday", "starts"]
        constraints = [
            models.CheckConstraint(
                condition=Q(ends__gt=models.F("starts")) | Q(ends=time(0)),
                name="interval_runs_forward",
                violation_error_message=_("An interval ends after it starts."),
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_weekday_display()} {self.starts:%H:%M}–{self.ends:%H:%M}"


class Holiday(models.Model):
    """A date that differs from its weekday: closed, or with hours of its own."""

    calendar = models.ForeignKey(Calendar, models.CASCADE, related_name="holidays", verbose_name=_("calendar"))
    date = models.DateField(_("date"))
    name = models.CharField(_("name"), max_length=80, blank=True)
    starts = models.TimeField(_("from"), null=True, blank=True, help_text=_("Empty = closed all day"))
    ends = models.TimeField(_("to"), null=True, blank=True)

    class Meta:
        verbose_name = _("holiday")
        verbose_name_plural = _("holidays")
        constraints = [
            models.UniqueConstraint(fields=["calendar", "date"], name="holiday_once"),
            models.CheckConstraint(
                condition=Q(starts__isnull=True, ends__isnull=True) | Q(starts__isnull=False, ends__isnull=False),
                name="holiday_hours_paired",
                violation_error_message=_("Give both hours or none."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.date:%d.%m.%Y} {self.name}"

    def clean(self) -> None:
        """Hours that run backwards would be no working time at all, without a word; 00:00 is the end of the day."""
        if self.starts and self.ends is not None and time(0) != self.ends <= self.starts:
            raise ValidationError({"ends": _("An interval ends after it starts.")})


class Policy(models.Model):
    """What is promised: minutes of working time; empty = no such promise."""

    code = models.SlugField(_("code"), unique=True)
    name = models.CharField(_("name"), max_length=120)
    calendar = models.ForeignKey(Calendar, models.PROTECT, verbose_name=_("calendar"))
    first_response_minutes = models.PositiveIntegerField(_("first response, minutes"), null=True, blank=True)
    next_response_minutes = models.PositiveIntegerField(_("next response, minutes"), null=True, blank=True)
    resolution_minutes = models.PositiveIntegerField(_("resolution, minutes"), null=True, blank=True)
    periodic_minutes = models.PositiveIntegerField(
        _("word to the guest every, minutes"), null=True, blank=True, help_text=_("While the ticket is open, counted from our last word.")
    )
    handover_minutes = models.PositiveIntegerField(
        _("one group's work, minutes"), null=True, blank=True, help_text=_("The internal promise of each group that has the ticket (OLA).")
    )
    in_store_zone = models.BooleanField(
        _("in the store's time zone"), default=False, help_text=_("The calendar's hours are those of the wall clock at the ticket's store.")
    )

    class Meta:
        verbose_name = _("SLA policy")
        verbose_name_plural = _("SLA policies")

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """A calendar without working time keeps no promise."""
        if self.calendar_id and not self.calendar.intervals.exists():
            raise ValidationError({"calendar": _("This calendar has no working time: no promise would ever be due.")})


class Metric(models.TextChoices):
    FIRST_RESPONSE = "first_response", _("first response")
    NEXT_RESPONSE = "next_response", _("next response")
    RESOLUTION = "resolution", _("resolution")
    PERIODIC_UPDATE = "periodic_update", _("word to the guest")
    HANDOVER = "handover", _("group's work")


class Clock(models.Model):
    """One promise for one subject (`case:7`, `dialogue:12`): runs, pauses, is met or breached. A cycle counts repeats."""

    subject = models.CharField(pgettext_lazy("clock", "subject"), max_length=40)
    metric = models.CharField(_("promise"), max_length=16, choices=Metric)
    cycle = models.PositiveIntegerField(_("round"), default=1)
    policy = models.ForeignKey(Policy, models.PROTECT, verbose_name=_("SLA policy"))
    calendar = models.ForeignKey(Calendar, models.PROTECT, null=True, related_name="+", db_index=False)
    """Hours that count instead of the policy's own: the clock began before they changed and was left as it was. None = the policy's."""
    target_seconds = models.PositiveIntegerField()
    time_zone = models.CharField(max_length=40, blank=True)
    """The zone of the calendar's wall clock when it is not the calendar's own; empty = its own."""
    started_at = models.DateTimeField(_("begun"))
    due_at = models.DateTimeField(_("due"))
    paused_at = models.DateTimeField(_("stands since"), null=True)
    spent_seconds = models.FloatField(default=0)
    """Working seconds used up before the last resume."""
    resumed_at = models.DateTimeField()
    ended_at = models.DateTimeField(_("ended"), null=True)
    met = models.BooleanField(_("kept"), null=True)
    breached_at = models.DateTimeField(_("broken"), null=True)

    class Meta:
        verbose_name = _("SLA clock")
        verbose_name_plural = _("SLA clocks")
        constraints = [
            models.UniqueConstraint(fields=["subject", "metric", "cycle"], name="clock_once"),
            models.UniqueConstraint(fields=["subject", "metric"], condition=Q(ended_at__isnull=True), name="clock_one_running"),
        ]
        indexes = [
            models.Index(
                fields=["due_at"],
                condition=Q(ended_at__isnull=True, paused_at__isnull=True, breached_at__isnull=True),
                name="clock_due",
            ),
            models.Index(fields=["breached_at"], condition=Q(breached_at__isnull=False), name="clock_breached"),
        ]

    def __str__(self) -> str:
        return f"{self.subject} {self.metric} {self.cycle}"


class ClockPause(models.Model):
    """An interval in which a clock stood."""

    clock = models.ForeignKey(Clock, models.CASCADE, related_name="pauses")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True)
    reason = models.CharField(max_length=48)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["clock"], condition=Q(ends_at__isnull=True), name="clock_pause_one_open")]
        # The report of pauses asks for those of some days among all that ever were.
        indexes = [models.Index(fields=["starts_at"], name="clock_pause_begun")]


class ClockTerms(models.Model):
    """Terms that a clock had before they were changed: what was promised from the beginning, or from the change before, until `ends_at`."""

    clock = models.ForeignKey(Clock, models.CASCADE, related_name="earlier_terms")
    policy = models.ForeignKey(Policy, models.PROTECT, related_name="+")
    calendar = models.ForeignKey(Calendar, models.PROTECT, null=True, related_name="+", db_index=False)
    """As of a clock: None = the hours that the policy had at `ends_at`."""
    target_seconds = models.PositiveIntegerField()
    time_zone = models.CharField(max_length=40, blank=True)
    ends_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["clock", "ends_at"], name="clock_terms_order")]


class PolicyHours(models.Model):
    """Hours that a policy had until an instant; those that it has now stand in the policy."""

    policy = models.ForeignKey(Policy, models.CASCADE, related_name="past_hours")
    calendar = models.ForeignKey(Calendar, models.PROTECT, related_name="+")
    until = models.DateTimeField()


class ChangeState(models.TextChoices):
    RUNNING = "running", _("being applied")
    DONE = "done", _("applied")


class TermsChange(models.Model):
    """A changed policy or calendar that is applied to the clocks that run: row by row, in the background, from where it was."""

    policy = models.ForeignKey(Policy, models.CASCADE, null=True, blank=True, related_name="+", verbose_name=_("SLA policy"))
    calendar = models.ForeignKey(Calendar, models.CASCADE, null=True, blank=True, related_name="+", verbose_name=_("calendar"))
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", db_index=False, verbose_name=_("by"))
    made_at = models.DateTimeField(_("changed"))
    state = models.CharField(_("state"), max_length=8, choices=ChangeState, default=ChangeState.RUNNING)
    last_clock_id = models.BigIntegerField(default=0)
    looked_at = models.PositiveIntegerField(_("clocks looked at"), default=0)
    changed = models.PositiveIntegerField(_("clocks changed"), default=0)
    failed = models.PositiveIntegerField(_("clocks at fault"), default=0)
    done_at = models.DateTimeField(_("applied"), null=True, blank=True)

    class Meta:
        verbose_name = _("change of promises")
        verbose_name_plural = _("changes of promises")
        constraints = [
            models.CheckConstraint(condition=Q(policy__isnull=False) ^ Q(calendar__isnull=False), name="terms_change_of_one"),
        ]
        indexes = [models.Index(fields=["id"], condition=Q(state=ChangeState.RUNNING), name="terms_change_running")]

    def __str__(self) -> str:
        return str(self.policy or self.calendar)
