"""Compensations in points, who may give how much, and who approves."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from accounts.models import Group, Role
from customers.models import Guest
from loyalty.models.ledger import Account
from loyalty.states import COUNTED, CompensationState, NoticeState


class CompensationReason(models.Model):
    """For what points are given: a closed list."""

    code = models.SlugField(_("code"), unique=True)
    name = models.CharField(_("name"), max_length=120)
    name_en = models.CharField(_("name in English"), max_length=120, blank=True)
    usual_points = models.PositiveIntegerField(_("usual points"), null=True, blank=True)
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    is_active = models.BooleanField(_("active"), default=True)

    class Meta:
        verbose_name = _("reason of compensations")
        verbose_name_plural = _("reasons of compensations")
        ordering = ["position", "name"]

    def __str__(self) -> str:
        return self.name_en if get_language() == "en" and self.name_en else self.name


class Allowance(models.Model):
    """What a person of a role may give without anybody's approval. Of several roles the largest counts, field by field."""

    role = models.OneToOneField(Role, models.CASCADE, related_name="+", verbose_name=_("role"))
    per_operation = models.PositiveIntegerField(_("points at once"))
    per_day = models.PositiveIntegerField(_("points a day"))
    per_week = models.PositiveIntegerField(_("points in 7 days"))

    class Meta:
        verbose_name = _("compensations without approval")
        verbose_name_plural = _("compensations without approval")

    def __str__(self) -> str:
        return str(self.role)


class GuestAllowance(models.Model):
    """What one guest may get from everybody together within a period without approval; each row is asked."""

    points = models.PositiveIntegerField(_("points"))
    days = models.PositiveSmallIntegerField(_("days"), unique=True)

    class Meta:
        verbose_name = _("limit of a guest")
        verbose_name_plural = _("limits of a guest")
        ordering = ["days"]

    def __str__(self) -> str:
        return str(_("%(points)s in %(days)s days") % {"points": self.points, "days": self.days})


class ApprovalLevel(models.Model):
    """Whose signature a compensation needs that is over a limit: every level that its points fall into signs, each by another person."""

    role = models.ForeignKey(Role, models.PROTECT, related_name="+", verbose_name=_("role"))
    above = models.PositiveIntegerField(_("above points"), default=0)
    up_to = models.PositiveIntegerField(_("up to points"))

    class Meta:
        verbose_name = _("approval of compensations")
        verbose_name_plural = _("approvals of compensations")
        ordering = ["above", "pk"]
        constraints = [models.UniqueConstraint(fields=["role", "above"], name="loyalty_level_once")]

    def __str__(self) -> str:
        return f"{self.role}: {self.above}–{self.up_to}"


class Budget(models.Model):
    """Where compensations are paid from: of the author's group, else the one without a group."""

    name = models.CharField(_("name"), max_length=120)
    group = models.OneToOneField(
        Group, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("group"), help_text=_("Empty = every other group.")
    )
    account = models.OneToOneField(Account, models.PROTECT, related_name="budget", editable=False)
    decision_days = models.PositiveSmallIntegerField(_("days to decide about an approval"), default=7)

    class Meta:
        verbose_name = _("budget of compensations")
        verbose_name_plural = _("budgets of compensations")
        constraints = [models.UniqueConstraint(fields=["group"], nulls_distinct=False, name="loyalty_budget_once")]

    def __str__(self) -> str:
        return self.name


class Campaign(models.Model):
    """A mass incident's own limit for a while: each guest once, up to its points, without approval and beside the other limits."""

    name = models.CharField(_("name"), max_length=120)
    points = models.PositiveIntegerField(_("points for a guest"))
    starts_at = models.DateTimeField(_("begins"))
    ends_at = models.DateTimeField(_("ends"))

    class Meta:
        verbose_name = _("campaign of compensations")
        verbose_name_plural = _("campaigns of compensations")
        constraints = [models.CheckConstraint(condition=Q(ends_at__gt=models.F("starts_at")), name="loyalty_campaign_period")]

    def __str__(self) -> str:
        return self.name


class Compensation(models.Model):
    """Points for a guest because of a case. `id` is the caller's, and that of the transfer or reservation that pays it."""

    PERSONAL = ("comment",)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, verbose_name=_("id"))
    guest = models.ForeignKey(Guest, models.PROTECT, related_name="compensations", db_index=False, verbose_name=_("guest"))
    subject = models.CharField(_("ticket"), max_length=32, help_text=_("Kind and id, for example case:4711."))
    number = models.CharField(_("number of the ticket"), max_length=16, blank=True)
    points = models.PositiveIntegerField(_("points"))
    reason = models.ForeignKey(CompensationReason, models.PROTECT, related_name="+", db_index=False, verbose_name=_("reason"))
    comment = models.CharField(_("comment"), max_length=400, blank=True)
    campaign = models.ForeignKey(Campaign, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("campaign"))
    budget = models.ForeignKey(Budget, models.PROTECT, related_name="+", db_index=False, verbose_name=_("budget"))
    state = models.CharField(_("state"), max_length=10, choices=CompensationState)
    over = models.JSONField(_("limits passed"), default=list, blank=True)
    weighed_points = models.PositiveIntegerField(_("points weighed together"), help_text=_("With what came before in the limit's period."))
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", db_index=False, verbose_name=_("author"))
    asked_at = models.DateTimeField(_("asked"))
    expires_at = models.DateTimeField(_("to be decided by"), null=True, blank=True)
    decided_at = models.DateTimeField(_("decided"), null=True, blank=True)
    decision_text = models.CharField(_("why it was refused"), max_length=400, blank=True)
    notice = models.CharField(_("notice to the guest"), max_length=8, choices=NoticeState, default=NoticeState.NONE)
    notice_next_at = models.DateTimeField(null=True)
    notice_tries = models.PositiveSmallIntegerField(default=0)

    class Meta:
        verbose_name = _("compensation")
        verbose_name_plural = _("compensations")
        constraints = [
            models.UniqueConstraint(fields=["subject"], condition=Q(state__in=sorted(COUNTED)), name="loyalty_compensation_once_a_case"),
            models.UniqueConstraint(
                fields=["campaign", "guest"],
                condition=Q(state__in=sorted(COUNTED), campaign__isnull=False),
                name="loyalty_compensation_once_a_campaign",
            ),
            models.CheckConstraint(condition=Q(points__gt=0), name="loyalty_compensation_points"),
            models.CheckConstraint(
                condition=Q(state=CompensationState.AWAITING, decided_at__isnull=True, expires_at__isnull=False)
                | (~Q(state=CompensationState.AWAITING) & Q(decided_at__isnull=False)),
                name="loyalty_compensation_decided_paired",
            ),
        ]
        indexes = [
            models.Index(fields=["author", "-asked_at"], name="loyalty_comp_author"),
            models.Index(fields=["guest", "-asked_at"], name="loyalty_comp_guest"),
            models.Index(fields=["expires_at"], condition=Q(state=CompensationState.AWAITING), name="loyalty_comp_awaiting"),
            models.Index(fields=["notice_next_at"], condition=Q(notice=NoticeState.WAITING), name="loyalty_comp_notice"),
        ]

    def __str__(self) -> str:
        return f"{self.points} · {self.number or self.subject}"


class Signature(models.Model):
    """A signature under a compensation: one for each level, each by another person."""

    compensation = models.ForeignKey(Compensation, models.CASCADE, related_name="signatures")
    level = models.ForeignKey(ApprovalLevel, models.PROTECT, null=True, related_name="+", db_index=False)
    level_name = models.CharField(max_length=120)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", db_index=False)
    at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["compensation", "by"], condition=Q(by__isnull=False), name="loyalty_signature_by_another"),
            models.CheckConstraint(
                condition=Q(by__isnull=True, at__isnull=True) | Q(by__isnull=False, at__isnull=False), name="loyalty_signature_paired"
            ),
        ]
