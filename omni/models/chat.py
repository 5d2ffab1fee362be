"""The web chat's own rows: visitors' tokens, nonces of signed identities, files put up before their message."""

import uuid

from django.db import models
from django.db.models import Q

from omni.models.accounts import ChannelAccount
from omni.models.conversations import Session


class ChatToken(models.Model):
    """A visitor's way in from one device; only digests of the token and of the device's secret are kept."""

    PERSONAL = ("visitor", "page_url", "user_agent", "name", "phone", "facts")

    digest = models.CharField(max_length=64, unique=True)
    account = models.ForeignKey(ChannelAccount, models.CASCADE, related_name="+", db_index=False)
    visitor = models.CharField(max_length=255)
    """The identity's external id: `visitor:...` of an anonymous device, else what the site's server has signed."""
    device = models.CharField(max_length=64)
    name = models.CharField(max_length=160, blank=True)
    phone = models.CharField(max_length=20, blank=True)
    """E.164; name and telephone are set only when the site's server vouches for them."""
    page_url = models.CharField(max_length=1000, blank=True)
    user_agent = models.CharField(max_length=240, blank=True)
    facts = models.JSONField(default=dict, blank=True)
    """What an app says of itself and of what is chosen in it (omni.chat.facts)."""
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)
    device_forgotten = models.BooleanField(default=False)
    """The guest has signed out: the device's secret opens nothing any more."""

    class Meta:
        indexes = [
            models.Index(fields=["account", "device"], name="chat_token_device"),
            models.Index(fields=["expires_at"], name="chat_token_expiry"),
        ]

    @property
    def is_anonymous(self) -> bool:
        return self.visitor.startswith("visitor:")


class ChatNonce(models.Model):
    """A signed identity that has been used; kept until it would have expired anyway."""

    account = models.ForeignKey(ChannelAccount, models.CASCADE, related_name="+", db_index=False)
    nonce = models.CharField(max_length=64)
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "nonce"], name="chat_nonce_once")]


class ChatUpload(models.Model):
    """A file that a visitor has put up; it becomes an attachment when a message names it."""

    PERSONAL = ("visitor", "name", "path")

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    account = models.ForeignKey(ChannelAccount, models.CASCADE, related_name="+", db_index=False)
    visitor = models.CharField(max_length=255)
    name = models.CharField(max_length=240)
    mime = models.CharField(max_length=120)
    size = models.BigIntegerField()
    path = models.CharField(max_length=240, db_index=True)
    created_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["created_at"], condition=Q(used_at__isnull=True), name="chat_upload_unused")]


class SessionFacts(models.Model):
    """From what the guest writes: the app's version, the store chosen in it, as the newest message of the dialogue said it."""

    PERSONAL = ("facts",)

    session = models.OneToOneField(Session, models.CASCADE, primary_key=True, related_name="facts")
    facts = models.JSONField(default=dict)
    updated_at = models.DateTimeField()
