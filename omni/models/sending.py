"""Sends: each try is a row with a key of its own."""

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from omni.models.accounts import ChannelAccount
from omni.models.conversations import Message, Session
from omni.states import SendState


class Attempt(models.Model):
    """One try to send one message. A repeat is a new row, never a second use of an old one."""

    message = models.ForeignKey(Message, models.CASCADE, related_name="attempts")
    session = models.ForeignKey(Session, models.CASCADE, related_name="+", db_index=False)
    account = models.ForeignKey(ChannelAccount, models.PROTECT, related_name="+", db_index=False)
    number = models.PositiveSmallIntegerField(_("number"))
    tries = models.PositiveSmallIntegerField(default=1)
    """Which try this is since a person wished the message to be sent: the back-off counts from there."""
    state = models.CharField(_("state"), max_length=9, choices=SendState, default=SendState.QUEUED)
    next_at = models.DateTimeField(_("not before"))
    claimed_until = models.DateTimeField(null=True)
    external_ids = ArrayField(models.CharField(max_length=255), default=list)
    error_code = models.CharField(max_length=64, blank=True)
    error_text = models.CharField(max_length=400, blank=True)
    is_permanent = models.BooleanField(default=False)
    possibly_delivered = models.BooleanField(default=False)
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("attempt")
        verbose_name_plural = _("attempts")
        constraints = [
            models.UniqueConstraint(fields=["message", "number"], name="attempt_once"),
            models.UniqueConstraint(
                fields=["message"], condition=Q(state__in=[SendState.QUEUED, SendState.SENDING]), name="attempt_one_under_way"
            ),
        ]
        indexes = [
            GinIndex(fields=["external_ids"], name="attempt_external_ids"),
            models.Index(fields=["next_at"], condition=Q(state=SendState.QUEUED), name="attempt_due"),
            models.Index(fields=["claimed_until"], condition=Q(state=SendState.SENDING), name="attempt_lost"),
            models.Index(fields=["session", "message"], condition=Q(state__in=[SendState.QUEUED, SendState.SENDING]), name="attempt_order"),
        ]

    def __str__(self) -> str:
        return f"{self.message_id}/{self.number}"


class EarlyStatus(models.Model):
    """A provider's status of a message whose id we have not stored yet: it waits here."""

    account = models.ForeignKey(ChannelAccount, models.CASCADE, related_name="+")
    external_id = models.CharField(max_length=255)
    state = models.CharField(max_length=9, choices=SendState)
    error = models.CharField(max_length=240, blank=True)
    at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["account", "external_id"], name="early_status")]
