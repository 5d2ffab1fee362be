"""Operators at work: their states, what they hold, and why a dialogue went to whom."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from accounts.models import Group
from omni.models.accounts import Queue
from omni.models.conversations import Session
from omni.states import DecisionKind, HoldingEnd, PresenceState


class BreakKind(models.Model):
    """A kind of break that an operator can choose."""

    code = models.SlugField(_("code"), max_length=40, unique=True)
    name = models.CharField(_("name"), max_length=80)
    name_en = models.CharField(_("name in English"), max_length=80, blank=True)
    limit_minutes = models.PositiveSmallIntegerField(
        _("limit, minutes"), null=True, blank=True, help_text=_("Longer is shown to the person and to supervisors; empty = no limit.")
    )
    is_paid = models.BooleanField(_("counts as paid time"), default=True)
    hands_back = models.BooleanField(
        _("unanswered dialogues go back to the queue"),
        default=False,
        help_text=_("As with an absent operator: after the time that the dialogue's queue names."),
    )
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    is_active = models.BooleanField(_("active"), default=True)

    class Meta:
        verbose_name = _("kind of break")
        verbose_name_plural = _("kinds of break")
        ordering = ["position", "name"]

    def __str__(self) -> str:
        return self.shown_name

    @property
    def shown_name(self) -> str:
        return self.name_en if get_language() == "en" and self.name_en else self.name


class Presence(models.Model):
    """An operator's state and load. `load` changes only together with a session's owner or an offer, under this row's lock."""

    staff = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, primary_key=True, related_name="presence")
    state = models.CharField(_("state"), max_length=8, choices=PresenceState, default=PresenceState.OFFLINE)
    reason = models.CharField(_("kind of break"), max_length=40, blank=True)
    since = models.DateTimeField(_("since"))
    until = models.DateTimeField(_("ends by itself"), null=True, blank=True)
    seen_at = models.DateTimeField(_("last sign of life"))
    capacity = models.PositiveSmallIntegerField(_("capacity"), default=5)
    load = models.PositiveSmallIntegerField(_("load"), default=0)
    assigned_at = models.DateTimeField(_("last given work"))

    class Meta:
        verbose_name = _("presence")
        verbose_name_plural = _("presence")
        constraints = [models.CheckConstraint(condition=Q(load__gte=0), name="presence_load_not_negative")]
        indexes = [
            models.Index(fields=["state", "seen_at"], name="presence_ready"),
            models.Index(fields=["until"], condition=Q(until__isnull=False), name="presence_ends"),
        ]

    def __str__(self) -> str:
        return f"{self.staff_id} {self.state}"


class PresenceSpan(models.Model):
    """From when to when an operator was in a state; `until` null = still is."""

    staff = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", db_index=False, verbose_name=_("member of staff"))
    state = models.CharField(_("state"), max_length=8, choices=PresenceState)
    reason = models.CharField(_("kind of break"), max_length=40, blank=True)
    since = models.DateTimeField(_("since"))
    until = models.DateTimeField(_("until"), null=True, blank=True)

    class Meta:
        verbose_name = _("time in a state")
        verbose_name_plural = _("times in states")
        constraints = [models.UniqueConstraint(fields=["staff"], condition=Q(until__isnull=True), name="presence_span_one_open")]
        indexes = [
            models.Index(fields=["staff", "-since"], name="presence_span_staff"),
            models.Index(fields=["since"], name="presence_span_period"),
        ]


class Holding(models.Model):
    """Who had a dialogue from when to when; `until` null = still has it."""

    session = models.ForeignKey(Session, models.CASCADE, related_name="holdings", db_index=False)
    staff = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", db_index=False)
    queue = models.ForeignKey(Queue, models.CASCADE, related_name="+", db_index=False)
    weight = models.PositiveSmallIntegerField(default=0)
    queued_at = models.DateTimeField(null=True)
    """Since when it waited for somebody; null = it did not wait in the queue but came from a colleague."""
    since = models.DateTimeField()
    until = models.DateTimeField(null=True)
    end = models.CharField(max_length=8, choices=HoldingEnd, default=HoldingEnd.RUNNING, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["session"], condition=Q(until__isnull=True), name="holding_one_open")]
        indexes = [
            models.Index(fields=["session", "-since"], name="holding_session"),
            models.Index(fields=["queue", "since"], name="holding_queue"),
        ]


class Decision(models.Model):
    """Why a dialogue was given or offered to whom, and what came of it: the answer to "why did I get this?"."""

    session = models.ForeignKey(Session, models.CASCADE, related_name="decisions")
    group = models.ForeignKey(Group, models.CASCADE, related_name="+")
    staff = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    kind = models.CharField(_("what was done"), max_length=9, choices=DecisionKind, default=DecisionKind.GIVEN)
    at = models.DateTimeField()
    explanation = models.JSONField()

    class Meta:
        verbose_name = _("distribution decision")
        verbose_name_plural = _("distribution decisions")
        indexes = [models.Index(fields=["-at"], name="decision_recent")]
