"""Notices to guests: what is to be told, each try, who agreed to be told, and the devices that take a push."""

import uuid

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from customers.models import Guest
from omni.models.accounts import ChannelAccount
from omni.models.conversations import Message
from omni.states import SendState


class NoticeMedium(models.TextChoices):
    PUSH = "push", _("push")
    SMS = "sms", _("SMS")


class PushToken(models.Model):
    """A device that takes a push. It belongs to whoever (`visitor`) is signed in to the app's chat on it, so to that identity's guest."""

    PERSONAL = ("visitor", "token")

    app = models.ForeignKey(ChannelAccount, models.CASCADE, related_name="+", db_index=False, verbose_name=_("app"))
    visitor = models.CharField(_("id in the channel"), max_length=255)
    device = models.CharField(max_length=64)
    account = models.ForeignKey(ChannelAccount, models.CASCADE, related_name="+", db_index=False, verbose_name=_("account"))
    token = models.CharField(max_length=4096)
    digest = models.CharField(max_length=64)
    """SHA-256 of the token, which is too long for an index."""
    platform = models.CharField(_("platform"), max_length=16, blank=True)
    app_version = models.CharField(_("version of the app"), max_length=40, blank=True)
    time_zone = models.CharField(_("time zone"), max_length=40, blank=True)
    takes_notices = models.BooleanField(_("takes notices"), default=True)
    """The switch in the app; answers in the chat are pushed all the same."""
    created_at = models.DateTimeField(_("first seen"))
    seen_at = models.DateTimeField(_("last seen"))
    gone_at = models.DateTimeField(_("gone"), null=True, blank=True)

    class Meta:
        verbose_name = _("device")
        verbose_name_plural = _("devices")
        constraints = [models.UniqueConstraint(fields=["account", "digest"], name="push_token_once")]
        indexes = [
            models.Index(fields=["app", "visitor"], condition=Q(gone_at__isnull=True), name="push_token_owner"),
            models.Index(fields=["app", "device"], name="push_token_device"),
        ]

    def __str__(self) -> str:
        return f"{self.pk}"


class NoticeConsent(models.Model):
    """Whether notices may go to an address, whoever of our guests has it: a number that changes hands keeps its opt-out."""

    PERSONAL = ("address",)

    channel = models.CharField(_("channel"), max_length=8, choices=NoticeMedium)
    address = models.CharField(_("address"), max_length=64, help_text=_("E.164"))
    given_at = models.DateTimeField(_("given"), null=True, blank=True)
    withdrawn_at = models.DateTimeField(_("withdrawn"), null=True, blank=True)
    source = models.CharField(_("how it was told"), max_length=200)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", verbose_name=_("noted by"))

    class Meta:
        verbose_name = _("consent to notices")
        verbose_name_plural = _("consents to notices")
        constraints = [models.UniqueConstraint(fields=["channel", "address"], name="notice_consent_once")]

    def __str__(self) -> str:
        return f"{self.pk}"


class Notice(models.Model):
    """Something a guest is told once, by the first of `channels` that gets it through."""

    PERSONAL = ("text", "title", "data")

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    guest = models.ForeignKey(Guest, models.PROTECT, related_name="notices", verbose_name=_("guest"))
    key = models.CharField(_("key"), max_length=120, unique=True)
    """What makes it this notice: asked for twice, it is told once."""
    title = models.CharField(_("title"), max_length=120, blank=True)
    text = models.TextField(_("text"))
    data = models.JSONField(default=dict, blank=True)
    """What the app opens on a touch; texts only."""
    thread = models.CharField(max_length=64, blank=True)
    """A device shows only the newest notice of a thread."""
    channels = ArrayField(models.CharField(max_length=8, choices=NoticeMedium))
    step = models.PositiveSmallIntegerField(default=0)
    """Which of `channels` is being tried."""
    message = models.ForeignKey(Message, models.CASCADE, null=True, related_name="+", verbose_name=_("answer"))
    """The answer that it tells of: once the guest has that, the notice is called off."""
    is_urgent = models.BooleanField(_("at any hour"), default=False)
    state = models.CharField(_("state"), max_length=9, choices=SendState, default=SendState.QUEUED)
    tries = models.PositiveSmallIntegerField(default=0)
    next_at = models.DateTimeField(_("not before"))
    expires_at = models.DateTimeField(_("not after"))
    claimed_until = models.DateTimeField(null=True)
    error_code = models.CharField(_("reason"), max_length=64, blank=True)
    possibly_delivered = models.BooleanField(_("perhaps delivered"), default=False)
    created_at = models.DateTimeField(_("created"))
    finished_at = models.DateTimeField(_("finished"), null=True)

    class Meta:
        verbose_name = _("notice")
        verbose_name_plural = _("notices")
        indexes = [
            models.Index(fields=["next_at"], condition=Q(state=SendState.QUEUED), name="notice_due"),
            models.Index(fields=["claimed_until"], condition=Q(state=SendState.SENDING), name="notice_lost"),
        ]

    def __str__(self) -> str:
        return self.key


class NoticeAttempt(models.Model):
    """One try to tell one notice to one telephone or device."""

    PERSONAL = ("recipient",)

    notice = models.ForeignKey(Notice, models.CASCADE, related_name="attempts")
    number = models.PositiveSmallIntegerField(_("number"))
    channel = models.CharField(_("channel"), max_length=8, choices=NoticeMedium)
    account = models.ForeignKey(ChannelAccount, models.PROTECT, related_name="+", db_index=False, verbose_name=_("account"))
    recipient = models.CharField(max_length=4096)
    state = models.CharField(_("state"), max_length=9, choices=SendState, default=SendState.SENDING)
    external_ids = ArrayField(models.CharField(max_length=255), default=list)
    parts = models.PositiveSmallIntegerField(_("SMS"), default=0)
    error_code = models.CharField(_("reason"), max_length=64, blank=True)
    error_text = models.CharField(_("in words"), max_length=400, blank=True)
    is_permanent = models.BooleanField(default=False)
    account_refused = models.BooleanField(default=False)
    possibly_delivered = models.BooleanField(_("perhaps delivered"), default=False)
    ask_at = models.DateTimeField(null=True)
    """When the provider is asked what became of it; null = there is nothing to ask."""
    asked = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField(_("tried at"))
    finished_at = models.DateTimeField(_("ended at"), null=True)

    class Meta:
        verbose_name = _("try of a notice")
        verbose_name_plural = _("tries of notices")
        constraints = [models.UniqueConstraint(fields=["notice", "number"], name="notice_attempt_once")]
        indexes = [
            GinIndex(fields=["external_ids"], name="notice_external_ids"),
            models.Index(fields=["ask_at"], condition=Q(ask_at__isnull=False), name="notice_ask"),
        ]

    def __str__(self) -> str:
        return f"{self.notice_id}/{self.number}"
