"""What has no business words: audit, live events on their way out, commands already carried out."""

import uuid

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class AuditEntry(models.Model):
    """Who did what to what, written inside the transaction of the deed. No foreign key to the subject: history outlives it."""

    at = models.DateTimeField(_("at"))
    action = models.CharField(_("action"), max_length=64)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("by"))
    subject = models.CharField(
        pgettext_lazy("audit", "subject"), max_length=96, help_text=_("Kind and id of the object, for example case:4711.")
    )
    details = models.JSONField(_("details"), default=dict, blank=True)
    address = models.GenericIPAddressField(_("network address"), null=True, blank=True)

    class Meta:
        verbose_name = _("audit entry")
        verbose_name_plural = _("audit entries")
        indexes = [
            models.Index(fields=["subject", "-at"], name="audit_subject"),
            models.Index(fields=["-at"], name="audit_recent"),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.subject}"


class LiveEvent(models.Model):
    """A live event waiting to be published; written in the transaction that it tells of, removed once it is out.

    `topics` name the audience: `staff:7`, `group:3`, `dialogue:12`. `payload` is what the browser gets.
    """

    topics = ArrayField(models.CharField(max_length=48))
    kind = models.CharField(max_length=32)
    payload = models.JSONField(encoder=DjangoJSONEncoder)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes = [models.Index(fields=["created_at"], name="live_event_oldest")]


class Command(models.Model):
    """A command of a browser or API client that was carried out: its key makes a repeat harmless."""

    key = models.UUIDField(primary_key=True, default=uuid.uuid4)
    name = models.CharField(max_length=48)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    answer = models.JSONField(null=True, encoder=DjangoJSONEncoder)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes = [models.Index(fields=["created_at"], name="command_oldest")]
