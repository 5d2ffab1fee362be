"""Telephone calls: one row each, told step by step by the exchange; and who sits at which telephone."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from omni.models.accounts import ChannelAccount
from omni.models.conversations import Message, Session
from omni.telephony import CallState


class Extension(models.Model):
    """The telephone of a member of staff in an exchange."""

    account = models.ForeignKey(ChannelAccount, models.CASCADE, related_name="extensions", verbose_name=_("exchange"))
    number = models.CharField(_("extension"), max_length=32, help_text=_("As the exchange names it: 101; for UIS the employee's id."))
    staff = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="extensions", verbose_name=_("member of staff"))

    class Meta:
        verbose_name = _("extension")
        verbose_name_plural = _("extensions")
        ordering = ["account", "number"]
        constraints = [models.UniqueConstraint(fields=["account", "number"], name="extension_once")]

    def __str__(self) -> str:
        return f"{self.number} · {self.staff}"


class Call(models.Model):
    """One call. `steps` are all that the exchange said, as it said it; the other fields are what they add up to."""

    PERSONAL = ("guest_number", "steps", "digits")

    account = models.ForeignKey(ChannelAccount, models.PROTECT, related_name="calls", verbose_name=_("exchange"))
    call_key = models.CharField(_("key in the exchange"), max_length=200)
    leg_keys = ArrayField(models.CharField(max_length=200), default=list)
    steps = models.JSONField(default=list)
    session = models.ForeignKey(Session, models.PROTECT, null=True, related_name="calls", verbose_name=_("dialogue"))
    message = models.OneToOneField(Message, models.SET_NULL, null=True, related_name="call")
    operator = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", verbose_name=_("operator"))
    state = models.CharField(_("state"), max_length=8, choices=CallState, default=CallState.RINGING)
    inbound = models.BooleanField(_("from the guest"), default=True)
    guest_number = models.CharField(_("guest's number"), max_length=40, blank=True)
    line = models.CharField(_("line"), max_length=40, blank=True)
    extension = models.CharField(_("extension"), max_length=32, blank=True)
    queue = models.CharField(_("exchange's queue"), max_length=120, blank=True)
    started_at = models.DateTimeField(_("started"), null=True)
    answered_at = models.DateTimeField(_("answered"), null=True)
    ended_at = models.DateTimeField(_("ended"), null=True)
    wait = models.PositiveIntegerField(_("wait, seconds"), null=True)
    duration = models.PositiveIntegerField(_("length, seconds"), null=True)
    reason = models.CharField(_("reason of the end"), max_length=120, blank=True)
    recording = models.CharField(_("recording"), max_length=1000, blank=True)
    digits = models.CharField(_("keys pressed"), max_length=200, blank=True)
    popped = ArrayField(models.CharField(max_length=200), default=list)
    """Legs whose ringing was shown on an operator's screen."""
    told = models.CharField(max_length=60, default="")
    """What the operator's screen was told last."""
    was_answered = models.BooleanField(default=False)
    """The dialogue has followed the answer."""
    is_heard = models.BooleanField(default=False)
    """The guest's wait for a call back has been counted."""
    is_lost = models.BooleanField(_("its end was never told"), default=False)
    last_step_at = models.DateTimeField()

    class Meta:
        verbose_name = _("call")
        verbose_name_plural = _("calls")
        constraints = [models.UniqueConstraint(fields=["account", "call_key"], name="call_once")]
        indexes = [
            models.Index(fields=["session"], name="call_session"),
            GinIndex(fields=["leg_keys"], name="call_legs"),
            models.Index(fields=["last_step_at"], condition=Q(ended_at__isnull=True), name="call_open"),
            models.Index(fields=["-started_at"], name="call_recent"),
        ]

    def __str__(self) -> str:
        return f"{self.account_id}:{self.call_key}"
