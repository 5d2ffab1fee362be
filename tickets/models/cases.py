"""Tickets and their history."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Group
from customers.models import Guest
from omni.models import Session
from sla.models import Policy
from stores.models import Store
from tickets.models.closing import ClosingCause
from tickets.models.topics import Topic
from tickets.states import CaseState, Cause, Step


class Case(models.Model):
    """A trouble ticket: a matter under a clock, in the hands of a group, a store or a person; a guest's, or an incident's own."""

    PERSONAL = ("summary", "details")

    number = models.CharField(_("number"), max_length=16, unique=True)
    guest = models.ForeignKey(Guest, models.PROTECT, null=True, blank=True, related_name="cases", db_index=False, verbose_name=_("guest"))
    """None = no guest's: an incident's own. Its dialogue is one among ourselves (docs/adr/0014)."""
    session = models.ForeignKey(Session, models.PROTECT, related_name="cases", verbose_name=_("dialogue"))
    topic = models.ForeignKey(Topic, models.PROTECT, related_name="+", db_index=False, verbose_name=_("topic"))
    policy = models.ForeignKey(Policy, models.PROTECT, related_name="+", db_index=False, verbose_name=_("SLA policy"))
    group = models.ForeignKey(Group, models.PROTECT, related_name="+", db_index=False, verbose_name=_("group"))
    store = models.ForeignKey(Store, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("store"))
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", db_index=False, verbose_name=_("owner")
    )
    state = models.CharField(_("state"), max_length=16, choices=CaseState, default=CaseState.NEW)
    at_store = models.BooleanField(_("the store has to answer"), default=False)
    summary = models.TextField(_("matter"), blank=True)
    priority = models.SmallIntegerField(_("priority"), default=0)
    unread = models.PositiveIntegerField(default=0)
    routing = models.JSONField(_("why it came here"), default=dict)
    opened_at = models.DateTimeField(_("opened"))
    opened_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", db_index=False, verbose_name=_("opened by")
    )
    """None = the system itself, because the guest came back."""
    first_answer_at = models.DateTimeField(_("first answer"), null=True, blank=True)
    waiting_since = models.DateTimeField(null=True, blank=True)
    last_at = models.DateTimeField()
    closed_at = models.DateTimeField(_("closed"), null=True, blank=True)
    cause = models.CharField(_("cause"), max_length=12, choices=Cause, blank=True)
    closing = models.ForeignKey(
        ClosingCause, models.PROTECT, null=True, blank=True, related_name="+", db_index=False, verbose_name=_("cause of closing")
    )
    details = models.JSONField(_("details"), default=dict, db_default={})
    """What the topic asks for, by the detail's code."""
    previous = models.ForeignKey(
        "self", models.SET_NULL, null=True, blank=True, related_name="continued_by", verbose_name=_("goes on from")
    )

    class Meta:
        verbose_name = _("ticket")
        verbose_name_plural = _("tickets")
        constraints = [
            models.CheckConstraint(
                condition=Q(state=CaseState.CLOSED, closed_at__isnull=False) | (~Q(state=CaseState.CLOSED) & Q(closed_at__isnull=True)),
                name="case_closed_when_paired",
            )
        ]
        indexes = [
            models.Index(fields=["guest", "-opened_at"], name="case_guest"),
            models.Index(fields=["closed_at"], condition=Q(state=CaseState.CLOSED), name="case_closed"),
            models.Index(fields=["store"], condition=Q(at_store=True), name="case_at_store"),
        ]

    def __str__(self) -> str:
        return f"№ {self.number}"

    @property
    def clock_subject(self) -> str:
        return f"case:{self.pk}"

    @property
    def guest_name(self) -> str:
        """Empty without a guest, or when the name is not known."""
        return self.guest.name if self.guest else ""


class CaseStep(models.Model):
    """One row of a ticket's history: the route map is drawn from these."""

    case = models.ForeignKey(Case, models.CASCADE, related_name="steps")
    step = models.CharField(max_length=16, choices=Step)
    at = models.DateTimeField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", db_index=False)
    state = models.CharField(max_length=16, choices=CaseState)
    group = models.ForeignKey(Group, models.PROTECT, null=True, related_name="+", db_index=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", db_index=False)
    details = models.JSONField(default=dict)

    class Meta:
        ordering = ["at", "id"]
