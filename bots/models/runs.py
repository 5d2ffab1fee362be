"""Dialogues with guests: where each stands, what it has to answer, which skills it used."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from bots.models.dialogues import Version
from bots.states import RunState, TurnState
from customers.models import Guest
from omni.models import ChannelAccount, Message, Session


class Run(models.Model):
    """One dialogue with one guest. Changed under its session's lock, or under its own when it is a call."""

    PERSONAL = ("place",)

    version = models.ForeignKey(Version, models.PROTECT, related_name="runs", verbose_name=_("version"))
    account = models.ForeignKey(ChannelAccount, models.PROTECT, related_name="+", db_index=False, verbose_name=_("account"))
    session = models.ForeignKey(Session, models.CASCADE, null=True, related_name="bot_runs", verbose_name=_("dialogue"))
    opened_at = models.DateTimeField(_("begun"))
    """When the session was opened for the last time: whoever comes back begins anew."""
    call_key = models.CharField(_("key in the exchange"), max_length=200, blank=True)
    state = models.CharField(_("state"), max_length=6, choices=RunState, default=RunState.OPEN)
    place = models.JSONField(default=dict)
    turns_done = models.PositiveIntegerField(_("answers"), default=0)
    ended_at = models.DateTimeField(_("ended"), null=True)
    next_at = models.DateTimeField(null=True)
    """When the silence has lasted too long; null = it is over, or a call, whose end the exchange tells."""

    class Meta:
        verbose_name = _("talk of a bot")
        verbose_name_plural = _("talks of bots")
        constraints = [
            models.UniqueConstraint(fields=["session", "opened_at"], condition=Q(call_key=""), name="bot_run_once"),
            models.UniqueConstraint(fields=["account", "call_key"], condition=~Q(call_key=""), name="bot_call_once"),
        ]
        indexes = [
            models.Index(fields=["next_at"], condition=Q(state=RunState.OPEN), name="bot_run_silent"),
            models.Index(fields=["-opened_at"], name="bot_run_recent"),
        ]

    def __str__(self) -> str:
        return f"{self.pk}"


class Turn(models.Model):
    """One word of the guest that is answered once: a message, or one question of an exchange."""

    PERSONAL = ("heard", "answer")

    run = models.ForeignKey(Run, models.CASCADE, related_name="turns", db_index=False)
    number = models.PositiveIntegerField()
    """Counts the answers of the run; of a call it is the exchange's own."""
    message = models.OneToOneField(Message, models.CASCADE, null=True, related_name="bot_turn")
    heard = models.CharField(max_length=64, blank=True)
    """The keys of a call."""
    answer = models.JSONField(null=True)
    """What the exchange was told, for its repeats."""
    state = models.CharField(max_length=7, choices=TurnState, default=TurnState.DUE)
    tries = models.PositiveSmallIntegerField(default=0)
    next_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "number"], name="bot_turn_once")]
        indexes = [models.Index(fields=["next_at"], condition=Q(state=TurnState.DUE), name="bot_turn_due")]

    def __str__(self) -> str:
        return f"{self.run_id}:{self.number}"


class SkillUse(models.Model):
    """A skill was used, and what came of it: what limits guessing, and what the figures count."""

    run = models.ForeignKey(Run, models.CASCADE, related_name="skill_uses")
    guest = models.ForeignKey(Guest, models.CASCADE, null=True, related_name="+")
    skill = models.CharField(_("skill"), max_length=40)
    outcome = models.CharField(_("outcome"), max_length=24)
    at = models.DateTimeField(_("at"))

    class Meta:
        verbose_name = _("use of a skill")
        verbose_name_plural = _("uses of skills")
        indexes = [models.Index(fields=["guest", "skill", "-at"], name="bot_skill_use")]

    def __str__(self) -> str:
        return f"{self.skill}: {self.outcome}"
