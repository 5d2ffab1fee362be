"""Operators at work, and why a dialogue went to whom."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Group
from omni.models.conversations import Session
from omni.states import PresenceState


class Presence(models.Model):
    """An operator's state and load. `load` changes only together with a session's owner, under this row's lock."""

    staff = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, primary_key=True, related_name="presence")
    state = models.CharField(_("state"), max_length=8, choices=PresenceState, default=PresenceState.OFFLINE)
    reason = models.CharField(_("kind of break"), max_length=40, blank=True)
    since = models.DateTimeField(_("since"))
    seen_at = models.DateTimeField(_("last sign of life"))
    capacity = models.PositiveSmallIntegerField(_("capacity"), default=5)
    load = models.PositiveSmallIntegerField(_("load"), default=0)
    assigned_at = models.DateTimeField(_("last given work"))

    class Meta:
        verbose_name = _("presence")
        verbose_name_plural = _("presence")
        constraints = [models.CheckConstraint(condition=Q(load__gte=0), name="presence_load_not_negative")]
        indexes = [models.Index(fields=["state", "seen_at"], name="presence_ready")]

    def __str__(self) -> str:
        return f"{self.staff_id} {self.state}"


class Decision(models.Model):
    """Why a dialogue was given to whom: the answer to "why did I get this?"."""

    session = models.ForeignKey(Session, models.CASCADE, related_name="decisions")
    group = models.ForeignKey(Group, models.CASCADE, related_name="+")
    staff = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    at = models.DateTimeField()
    explanation = models.JSONField()

    class Meta:
        verbose_name = _("distribution decision")
        verbose_name_plural = _("distribution decisions")
        indexes = [models.Index(fields=["-at"], name="decision_recent")]
