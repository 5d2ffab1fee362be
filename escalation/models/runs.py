"""Running ladders: a row with `next_at` each, their history, their notices."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from escalation.models.maps import MapLine
from escalation.states import OPEN, Channel, DeliveryState, EventKind, Level, RunState


class FrozenPlan(models.Model):
    """A line as it was when a run started. Never changed; runs of equal plans share one."""

    digest = models.CharField(max_length=64, unique=True, editable=False)
    document = models.JSONField()
    line = models.ForeignKey(MapLine, models.SET_NULL, null=True, related_name="+")
    frozen_at = models.DateTimeField(db_default=Now())


class Run(models.Model):
    """A ladder that is being climbed for one subject (`case:7`, `incident:3`). `next_at` is the nearest of its times."""

    subject = models.CharField(pgettext_lazy("escalation", "subject"), max_length=40, help_text=_("Kind and id, for example case:4711."))
    origin = models.CharField(_("what started it"), max_length=80, help_text=_("What started it; the same cause starts it once."))
    title = models.CharField(_("matter"), max_length=200)
    link = models.CharField(max_length=200, blank=True)
    line = models.ForeignKey(
        MapLine, models.SET_NULL, null=True, blank=True, related_name="+", db_index=False, verbose_name=_("line of the map")
    )
    plan = models.ForeignKey(FrozenPlan, models.PROTECT, related_name="+", db_index=False)
    state = models.CharField(_("state"), max_length=9, choices=RunState, default=RunState.CALLING)
    level = models.PositiveSmallIntegerField(_("level"), choices=Level)
    step = models.PositiveSmallIntegerField(default=0)
    turn = models.PositiveIntegerField(default=1)
    repeats = models.PositiveSmallIntegerField(default=0)
    next_at = models.DateTimeField(_("next step"), null=True, blank=True)
    step_at = models.DateTimeField(null=True)
    reaction_due = models.DateTimeField(_("to be taken by"), null=True, blank=True)
    deal_due = models.DateTimeField(_("to be resolved or escalated by"), null=True, blank=True)
    remind_at = models.DateTimeField(null=True)
    lapse_at = models.DateTimeField(null=True)
    update_at = models.DateTimeField(null=True)
    holder = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", db_index=False, verbose_name=_("who has it")
    )
    started_at = models.DateTimeField(_("started"))
    first_taken_at = models.DateTimeField(_("first taken"), null=True, blank=True)
    first_climbed_at = models.DateTimeField(_("first escalated"), null=True, blank=True)
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)
    fault = models.CharField(_("fault"), max_length=240, blank=True)

    class Meta:
        verbose_name = _("escalation")
        verbose_name_plural = _("escalations")
        constraints = [
            models.UniqueConstraint(fields=["subject"], condition=Q(state__in=OPEN), name="run_one_open"),
            models.UniqueConstraint(fields=["subject", "origin"], name="run_once"),
            models.CheckConstraint(
                condition=Q(state__in=OPEN, ended_at__isnull=True) | (~Q(state__in=OPEN) & Q(ended_at__isnull=False, next_at__isnull=True)),
                name="run_ended_paired",
            ),
        ]
        indexes = [
            # Each index is written at every step: there are no others.
            models.Index(fields=["next_at"], condition=Q(next_at__isnull=False), name="run_due"),
        ]

    def __str__(self) -> str:
        return self.title


class RunEvent(models.Model):
    """One row of a run's history; written once, never changed. `due_at` = when it should have happened, `late` = it was not then."""

    run = models.ForeignKey(Run, models.CASCADE, related_name="events", db_index=False)
    turn = models.PositiveIntegerField()
    key = models.CharField(max_length=64)
    kind = models.CharField(max_length=16, choices=EventKind)
    level = models.PositiveSmallIntegerField(choices=Level)
    at = models.DateTimeField()
    due_at = models.DateTimeField()
    late = models.BooleanField(default=False)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", db_index=False)
    details = models.JSONField(default=dict)

    class Meta:
        ordering = ["at", "id"]
        # Exactly once is this key, beside the lock.
        constraints = [models.UniqueConstraint(fields=["run", "turn", "key"], name="run_event_once")]

    def __str__(self) -> str:
        return f"{self.run_id} {self.key}"


class TurnTaken(models.Model):
    """Whose turn it was last in a round robin (`group:5`, `role:2`)."""

    key = models.CharField(max_length=40, primary_key=True)
    staff_id = models.BigIntegerField(default=0)


class Delivery(models.Model):
    """A notice to one person in one channel, or an errand to one system: a row before anything goes out."""

    PERSONAL = ("address",)

    run = models.ForeignKey(
        Run, models.CASCADE, null=True, blank=True, related_name="deliveries", db_index=False, verbose_name=_("escalation")
    )
    turn = models.PositiveIntegerField(default=0)
    key = models.CharField(max_length=64)
    level = models.PositiveSmallIntegerField(_("level"), default=0)
    channel = models.CharField(_("channel"), max_length=9, choices=Channel)
    recipient = models.CharField(max_length=80)
    """`staff:7`, `hook:3`, `chat`: one notice each."""
    staff = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, null=True, blank=True, related_name="+", db_index=False, verbose_name=_("member of staff")
    )
    address = models.CharField(_("address"), max_length=400)
    heading = models.CharField(_("heading"), max_length=200)
    message = models.TextField(_("text"))
    state = models.CharField(_("state"), max_length=9, choices=DeliveryState, default=DeliveryState.QUEUED)
    late = models.BooleanField(_("late"), default=False)
    tries = models.PositiveSmallIntegerField(_("tries"), default=0)
    next_at = models.DateTimeField(_("not before"), null=True, blank=True)
    claimed_until = models.DateTimeField(null=True)
    bundle = models.UUIDField(null=True)
    """Notices that went out in one message."""
    external_id = models.CharField(max_length=255, blank=True)
    error = models.CharField(_("why not"), max_length=240, blank=True)
    possibly_delivered = models.BooleanField(_("possibly delivered"), default=False)
    created_at = models.DateTimeField(_("written"))
    sent_at = models.DateTimeField(_("sent"), null=True, blank=True)
    delivered_at = models.DateTimeField(_("delivered"), null=True, blank=True)
    read_at = models.DateTimeField(_("read"), null=True, blank=True)

    class Meta:
        verbose_name = _("notice to staff")
        verbose_name_plural = _("notices to staff")
        constraints = [
            models.UniqueConstraint(fields=["run", "turn", "key", "recipient", "channel"], name="delivery_once", nulls_distinct=False)
        ]
        indexes = [
            models.Index(fields=["next_at"], condition=Q(state__in=[DeliveryState.QUEUED, DeliveryState.NO_SENDER]), name="delivery_due"),
            models.Index(fields=["claimed_until"], condition=Q(state=DeliveryState.SENDING), name="delivery_lost"),
            models.Index(fields=["channel", "external_id"], condition=~Q(external_id=""), name="delivery_external"),
        ]

    def __str__(self) -> str:
        return f"{self.get_channel_display()} · {self.heading}"
