"""Sessions and their messages: the guest's one feed."""

import uuid

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector, SearchVectorField
from django.db import models
from django.db.models import Q, Value
from django.db.models.functions import Lower, Replace
from django.utils.translation import gettext_lazy as _

from accounts.models import Group
from customers.models import Guest, Identity
from omni.models.accounts import ChannelAccount, Queue
from omni.states import Direction, FileState, SendState, SessionState


class Session(models.Model):
    """A conversation of one identity in one channel account, from the first message to the close."""

    account = models.ForeignKey(ChannelAccount, models.PROTECT, related_name="sessions", verbose_name=_("account"))
    identity = models.ForeignKey(Identity, models.PROTECT, related_name="sessions", verbose_name=_("identity"))
    guest = models.ForeignKey(Guest, models.PROTECT, related_name="sessions", verbose_name=_("guest"))
    queue = models.ForeignKey(Queue, models.PROTECT, verbose_name=_("queue"))
    state = models.CharField(_("state"), max_length=8, choices=SessionState, default=SessionState.WAITING)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("owner"))
    previous = models.ForeignKey("self", models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("previous"))
    subject = models.CharField(_("subject"), max_length=240, blank=True)
    opened_at = models.DateTimeField(_("opened"))
    closed_at = models.DateTimeField(_("closed"), null=True, blank=True)
    assigned_at = models.DateTimeField(null=True)
    last_message_at = models.DateTimeField()
    last_inbound_at = models.DateTimeField(null=True)
    last_inbound_id = models.BigIntegerField(default=0)
    """Id of the newest message that an answer must have seen: the guest's or a colleague's."""
    waiting_since = models.DateTimeField(null=True)
    """When the guest began to wait for an answer; null = nobody waits."""
    guest_read_at = models.DateTimeField(null=True)
    group = models.ForeignKey(
        Group, models.SET_NULL, null=True, blank=True, related_name="+", db_index=False, verbose_name=_("handed to the group")
    )
    """Another group than the queue's own serves it, because somebody handed it there."""
    responder = models.CharField(max_length=64, blank=True, default="", db_default="")
    """Who of omni.responders talks with the guest instead of a person; empty = nobody."""
    language = models.CharField(_("language"), max_length=2, blank=True)
    """Of the guest's words, as far as their letters tell (omni.languages); empty = not known."""
    topics = ArrayField(models.CharField(max_length=64), verbose_name=_("topics"), default=list, blank=True)
    """Codes of the topic it is about and of the topics above it; empty = not known."""
    offered_until = models.DateTimeField(null=True)
    """Somebody has an offer of it; null = nobody."""
    held_weight = models.PositiveSmallIntegerField(default=0)
    """What the session counts in its owner's load: the account's weight when it was taken, whatever the weight is now."""
    message_count = models.PositiveIntegerField(default=0)
    unread = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("dialogue")
        verbose_name_plural = _("dialogues")
        constraints = [
            # Two conversations for one guest cannot exist: the database refuses the second.
            models.UniqueConstraint(fields=["identity", "account"], condition=~Q(state=SessionState.CLOSED), name="session_one_open"),
            models.CheckConstraint(
                condition=Q(state=SessionState.ACTIVE, owner__isnull=False) | ~Q(state=SessionState.ACTIVE), name="session_active_has_owner"
            ),
            models.CheckConstraint(condition=~Q(state=SessionState.WAITING) | Q(owner__isnull=True), name="session_waiting_has_no_owner"),
        ]
        indexes = [
            models.Index(fields=["guest", "-opened_at"], name="session_guest"),
            models.Index(fields=["identity", "account", "-opened_at"], name="session_identity"),
            models.Index(fields=["owner"], condition=Q(state=SessionState.ACTIVE), name="session_active_owner"),
        ]

    def __str__(self) -> str:
        return f"{self.pk}"

    @property
    def clock_subject(self) -> str:
        return f"session:{self.pk}"

    @property
    def serving_group_id(self) -> int:
        """The group whose people may get it: the one it was handed to, else the queue's."""
        return self.group_id or self.queue.group_id


class Message(models.Model):
    """One entry of the feed. `sent_at` is the provider's time, `received_at` ours; `seq` counts within the session."""

    PERSONAL = ("text", "visible_text")

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    session = models.ForeignKey(Session, models.CASCADE, related_name="messages", db_index=False)
    account = models.ForeignKey(ChannelAccount, models.PROTECT, related_name="+", db_index=False)
    guest = models.ForeignKey(Guest, models.PROTECT, related_name="+", db_index=False)
    seq = models.PositiveIntegerField()
    direction = models.CharField(max_length=6, choices=Direction)
    text = models.TextField(blank=True)
    visible_text = models.TextField(blank=True)
    """The text without quotes and signature; empty = all of it."""
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", db_index=False)
    sent_at = models.DateTimeField()
    sequence = models.BigIntegerField(default=0)
    received_at = models.DateTimeField()
    external_id = models.CharField(max_length=255, blank=True)
    reply_to = models.CharField(max_length=255, blank=True)
    album = models.CharField(max_length=64, blank=True)
    is_automatic = models.BooleanField(default=False)
    """Written by a machine: an out-of-office mail, our own auto-reply."""
    is_outside = models.BooleanField(default=False, db_default=False)
    """An answer that somebody of ours gave past us, in the provider's own pages: its author is not known."""
    edited_at = models.DateTimeField(null=True)
    deleted_at = models.DateTimeField(null=True)
    send_state = models.CharField(max_length=9, choices=SendState, default=SendState.NONE, blank=True)
    send_error = models.CharField(max_length=240, blank=True)
    possibly_delivered = models.BooleanField(default=False)
    search = models.GeneratedField(
        expression=SearchVector(Replace(Lower("text"), Value("ё"), Value("е"), output_field=models.TextField()), config="russian"),
        output_field=SearchVectorField(),
        db_persist=True,
    )

    class Meta:
        verbose_name = _("message")
        verbose_name_plural = _("messages")
        constraints = [
            models.UniqueConstraint(fields=["account", "external_id"], condition=~Q(external_id=""), name="message_once"),
            models.UniqueConstraint(fields=["session", "seq"], name="message_seq_once"),
        ]
        indexes = [
            models.Index(fields=["guest", "-sent_at", "-sequence", "-id"], name="message_feed"),
            GinIndex(fields=["search"], name="message_search"),
            models.Index(fields=["session", "album"], condition=~Q(album=""), name="message_album"),
        ]

    def __str__(self) -> str:
        return f"{self.pk}"


class MessageVersion(models.Model):
    """What a message said before an edit or deletion."""

    PERSONAL = ("text",)

    message = models.ForeignKey(Message, models.CASCADE, related_name="versions")
    text = models.TextField(blank=True)
    replaced_at = models.DateTimeField()


class MessageChoices(models.Model):
    """Ready answers that go out with a message, as buttons where the channel has some."""

    message = models.OneToOneField(Message, models.CASCADE, primary_key=True, related_name="choices")
    labels = ArrayField(models.CharField(max_length=64), default=list)
    asks_phone = models.BooleanField(default=False)


class Letter(models.Model):
    """What a mail has beyond a message."""

    PERSONAL = ("subject", "html")

    message = models.OneToOneField(Message, models.CASCADE, primary_key=True, related_name="letter")
    subject = models.CharField(max_length=500, blank=True)
    html = models.TextField(blank=True)
    """Made safe: no scripts, forms or remote images."""
    rfc_message_id = models.CharField(max_length=255, blank=True, db_index=True)


class Attachment(models.Model):
    """A file of a message."""

    PERSONAL = ("name", "path")

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    message = models.ForeignKey(Message, models.CASCADE, related_name="attachments")
    kind = models.CharField(max_length=12)
    name = models.CharField(max_length=240, blank=True)
    mime = models.CharField(max_length=120, blank=True)
    size = models.BigIntegerField(null=True)
    sha256 = models.CharField(max_length=64, blank=True)
    path = models.CharField(max_length=240, blank=True)
    content_id = models.CharField(max_length=240, blank=True)
    state = models.CharField(max_length=9, choices=FileState, default=FileState.PENDING)
    ref = models.TextField(blank=True)
    tries = models.PositiveSmallIntegerField(default=0)
    next_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["next_at"], condition=Q(state=FileState.PENDING), name="attachment_due")]

    def __str__(self) -> str:
        return self.name
