"""The inbound journal: each event as it arrived, before anything is made of it."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from omni.channels.contract import RawEvent
from omni.models.accounts import ChannelAccount
from omni.states import EventState


class InboundEvent(models.Model):
    """One event of a provider: exact bytes and headers under the provider's own key."""

    PERSONAL = ("body", "headers")

    account = models.ForeignKey(ChannelAccount, models.PROTECT, related_name="events", verbose_name=_("account"))
    key = models.CharField(_("key"), max_length=200)
    body = models.BinaryField()
    headers = models.JSONField(default=dict)
    query = models.JSONField(default=dict)
    received_at = models.DateTimeField(_("received"))
    state = models.CharField(_("state"), max_length=10, choices=EventState, default=EventState.RECEIVED)
    reason = models.TextField(_("reason"), blank=True)
    tries = models.PositiveSmallIntegerField(_("tries"), default=0)
    next_at = models.DateTimeField(null=True)
    processed_at = models.DateTimeField(_("processed"), null=True)
    message_ids = ArrayField(models.BigIntegerField(), default=list)

    class Meta:
        verbose_name = _("inbound event")
        verbose_name_plural = _("inbound journal")
        constraints = [models.UniqueConstraint(fields=["account", "key"], name="inbound_event_once")]
        indexes = [
            models.Index(fields=["received_at"], condition=Q(state=EventState.RECEIVED), name="inbound_due"),
            models.Index(
                fields=["-received_at"], condition=Q(state__in=[EventState.UNREADABLE, EventState.FAILED]), name="inbound_trouble"
            ),
            models.Index(fields=["-received_at"], name="inbound_recent"),
        ]

    def __str__(self) -> str:
        return f"{self.account_id}:{self.key}"

    def raw(self) -> RawEvent:
        return RawEvent(body=bytes(self.body), headers=self.headers, query=self.query, received_at=self.received_at)
