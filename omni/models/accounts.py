"""Queues and channel accounts."""

import uuid

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import Group
from core import secrets
from omni.channels.contract import AccountConfig
from omni.states import AccountState, Delivery, Reopen, Strategy
from sla.models import Policy


class Queue(models.Model):
    """Where a channel's dialogues wait: a group of people, a promise, a rule for guests who come back."""

    code = models.SlugField(_("code"), unique=True)
    name = models.CharField(_("name"), max_length=120)
    group = models.ForeignKey(Group, models.PROTECT, related_name="queues", verbose_name=_("group"))
    policy = models.ForeignKey(Policy, models.PROTECT, verbose_name=_("SLA policy"))
    priority = models.SmallIntegerField(_("priority"), default=0, help_text=_("Higher is served first."))
    reopen = models.CharField(_("when a guest comes back"), max_length=8, choices=Reopen, default=Reopen.WITHIN)
    reopen_days = models.PositiveSmallIntegerField(_("days"), default=3)
    is_paused = models.BooleanField(_("paused: nothing is given out"), default=False)
    strategy = models.CharField(_("who gets it"), max_length=8, choices=Strategy, default=Strategy.ROOM)
    delivery = models.CharField(_("how it is given"), max_length=8, choices=Delivery, default=Delivery.PUSH)
    offer_seconds = models.PositiveSmallIntegerField(
        _("time to accept an offer, seconds"), default=20, validators=[MinValueValidator(5), MaxValueValidator(600)]
    )
    again_seconds = models.PositiveIntegerField(
        _("not again to the same person for, seconds"),
        default=60,
        help_text=_("After a declined or missed offer, and after a dialogue was returned to the queue."),
    )
    missed_away = models.BooleanField(
        _("away after a missed offer"), default=True, help_text=_("Nothing more comes until the person says to be ready again.")
    )
    wrap_up_seconds = models.PositiveSmallIntegerField(
        _("after-work, seconds"), default=0, help_text=_("Begins by itself after a dialogue and ends by itself; 0 = none.")
    )
    reassign_seconds = models.PositiveIntegerField(
        _("unanswered dialogues of an absent operator go back after, seconds"),
        default=300,
        help_text=_("What is answered stays with the operator until the guest writes again."),
    )
    preferred_days = models.PositiveSmallIntegerField(
        _("the guest's last operator is preferred for, days"), default=0, help_text=_("0 = nobody is preferred.")
    )
    preferred_seconds = models.PositiveSmallIntegerField(
        _("wait for the preferred operator, seconds"), default=30, help_text=_("Only while this person is at work but has no room.")
    )

    class Meta:
        verbose_name = _("queue")
        verbose_name_plural = _("queues")

    def __str__(self) -> str:
        return self.name


class ChannelAccount(models.Model):
    """One account of a channel: a bot, a mailbox, a site with a chat."""

    public_id = models.UUIDField(_("address"), default=uuid.uuid4, unique=True, editable=False)
    kind = models.CharField(_("channel"), max_length=24)
    name = models.CharField(_("name"), max_length=120)
    queue = models.ForeignKey(Queue, models.PROTECT, verbose_name=_("queue"))
    state = models.CharField(_("state"), max_length=8, choices=AccountState, default=AccountState.ENABLED)
    state_reason = models.CharField(_("reason"), max_length=240, blank=True)
    weight = models.PositiveSmallIntegerField(_("weight"), default=1, help_text=_("How much of an operator's capacity a dialogue takes."))
    settings = models.JSONField(_("settings"), default=dict, blank=True)
    closed_secrets = models.TextField(editable=False, default="")
    paused_until = models.DateTimeField(_("paused until"), null=True, blank=True)
    per_second = models.FloatField(
        _("sends per second"),
        null=True,
        blank=True,
        validators=[MinValueValidator(0.01)],
        help_text=_("Empty = what the channel's provider allows."),
    )
    per_chat_per_second = models.FloatField(
        _("sends per second to one guest"),
        null=True,
        blank=True,
        validators=[MinValueValidator(0.01)],
        help_text=_("0.2 = one every five seconds. Empty = what the channel's provider allows."),
    )
    answers_first = models.CharField(
        _("answers first"),
        max_length=64,
        blank=True,
        default="",
        db_default="",
        help_text=_("Talks with the guest before a person does, from the next dialogue on."),
    )
    """One of `omni.responders.offered`; empty = people only."""
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("channel account")
        verbose_name_plural = _("channel accounts")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def set_secrets(self, **values: str) -> None:
        """Replace the given secrets; the others stay."""
        self.closed_secrets = secrets.close({**secrets.open_box(self.closed_secrets), **values})

    def config(self) -> AccountConfig:
        """The account as its adapter sees it, secrets opened. Raises core.secrets.SecretLost."""
        return AccountConfig(id=str(self.public_id), kind=self.kind, settings=self.settings, secrets=secrets.open_box(self.closed_secrets))
