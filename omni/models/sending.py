"""Sends: each try is a row with a key of its own; texts that a provider has approved; another channel when one fails."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from omni.message_templates import count_places
from omni.models.accounts import ChannelAccount, Queue
from omni.models.conversations import Message, Session
from omni.states import FallbackState, SendState, TemplateState


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
        indexes = [
            models.Index(fields=["account", "external_id"], name="early_status"),
            models.Index(fields=["at"], name="early_status_at"),
        ]


class MessageTemplate(models.Model):
    """A text that the account's provider has approved: the only thing that may be sent when the reply window is over."""

    account = models.ForeignKey(ChannelAccount, models.CASCADE, related_name="templates", verbose_name=_("account"))
    name = models.CharField(_("name at the provider"), max_length=512)
    language = models.CharField(_("language"), max_length=16, default="ru", help_text=_("As the provider codes it: ru, en_US."))
    body = models.TextField(_("text"), max_length=1024, help_text=_("As it was approved, with its places {{1}}, {{2}} …"))
    parameters = ArrayField(
        models.CharField(max_length=80),
        default=list,
        blank=True,
        verbose_name=_("what belongs into the places"),
        help_text=_("For the operator, in the order of the places, divided by commas: Name, Number of the order"),
    )
    state = models.CharField(_("state"), max_length=8, choices=TemplateState, default=TemplateState.PENDING)
    state_reason = models.CharField(_("reason"), max_length=240, blank=True)
    told_at = models.DateTimeField(
        _("told by the provider"), null=True, blank=True, editable=False, help_text=_("When the provider last told the state.")
    )

    class Meta:
        verbose_name = _("approved text")
        verbose_name_plural = _("approved texts")
        ordering = ["account", "name", "language"]
        constraints = [models.UniqueConstraint(fields=["account", "name", "language"], name="message_template_once")]

    def __str__(self) -> str:
        return f"{self.name} ({self.language})"

    def clean(self) -> None:
        """Each place of the text has a name for the operator."""
        if count_places(self.body) != len(self.parameters):
            raise ValidationError(
                {"parameters": _("Name each place of the text once: there are %(count)d.") % {"count": count_places(self.body)}}
            )


class TemplateUse(models.Model):
    """The approved text that an outgoing message is, as it was chosen: a later change of the row changes nothing that was written."""

    PERSONAL = ("parameters",)

    message = models.OneToOneField(Message, models.CASCADE, primary_key=True, related_name="template_use")
    name = models.CharField(max_length=512)
    language = models.CharField(max_length=16)
    parameters = ArrayField(models.TextField(), default=list)

    def __str__(self) -> str:
        return self.name


class FallbackStep(models.Model):
    """Which channel is tried next by itself when an answer of this queue could not be sent for good."""

    queue = models.ForeignKey(Queue, models.CASCADE, related_name="fallbacks", verbose_name=_("queue"))
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    channel = models.CharField(_("channel"), max_length=24)

    class Meta:
        verbose_name = _("next channel")
        verbose_name_plural = _("next channels")
        ordering = ["queue", "position"]
        constraints = [models.UniqueConstraint(fields=["queue", "channel"], name="fallback_step_once")]

    def __str__(self) -> str:
        return self.channel


class Fallback(models.Model):
    """A message that could not be sent goes through another channel of the guest, with consent; why, and what became of it."""

    origin = models.OneToOneField(Message, models.CASCADE, related_name="fallback")
    message = models.OneToOneField(Message, models.CASCADE, null=True, related_name="fallback_of")
    state = models.CharField(_("state"), max_length=8, choices=FallbackState, default=FallbackState.DUE)
    reason = models.CharField(_("reason"), max_length=240)
    """Why the first channel failed, in words."""
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", verbose_name=_("by"))
    """Null = by the queue's rule."""
    at = models.DateTimeField(_("at"))
    settled_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("send through another channel")
        verbose_name_plural = _("sends through another channel")
        indexes = [
            models.Index(
                fields=["id"], condition=Q(state__in=[FallbackState.DUE, FallbackState.SENT], settled_at__isnull=True), name="fallback_open"
            )
        ]

    def __str__(self) -> str:
        return f"{self.origin_id} → {self.message_id}"
