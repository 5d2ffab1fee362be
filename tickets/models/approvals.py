"""Approvals of what is done to tickets: rules, who is away, and what was asked and decided."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Group, Role
from tickets.approving import ApprovalState, Decision, Deed
from tickets.models.cases import Case
from tickets.models.topics import Topic
from tickets.states import Cause

_AT_LEAST_ONE = [MinValueValidator(1)]


def _without_approval() -> list[str]:
    return [Cause.DUPLICATE, Cause.NO_ANSWER]


class ApprovalRule(models.Model):
    """What may not be done to tickets of a topic before others agree. Who asked, who opened and who owns the ticket never decide."""

    code = models.SlugField(_("code"), max_length=64, unique=True)
    name = models.CharField(_("name"), max_length=120)
    deed = models.CharField(_("what needs approval"), max_length=8, choices=Deed)
    topic = models.ForeignKey(
        Topic,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("topic"),
        help_text=_("And all below; empty = topics that are marked as needing approval."),
    )
    role = models.ForeignKey(Role, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("people with the role"))
    group = models.ForeignKey(Group, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("people of the group"))
    people = models.ManyToManyField(settings.AUTH_USER_MODEL, blank=True, related_name="+", verbose_name=_("persons"))
    quorum = models.PositiveSmallIntegerField(_("so many must agree"), default=1, validators=_AT_LEAST_ONE)
    refusals = models.PositiveSmallIntegerField(_("so many refusals decline"), default=1, validators=_AT_LEAST_ONE)
    hours = models.PositiveSmallIntegerField(_("time to decide, hours"), default=24, validators=_AT_LEAST_ONE)
    remind_hours = models.PositiveSmallIntegerField(_("remind every, hours"), default=4, help_text=_("0 = never."))
    then_role = models.ForeignKey(
        Role, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("after that people with the role")
    )
    then_group = models.ForeignKey(
        Group, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("after that people of the group")
    )
    skipped_causes = ArrayField(
        models.CharField(max_length=12, choices=Cause),
        verbose_name=_("closing for these causes needs none"),
        default=_without_approval,
        blank=True,
    )
    is_active = models.BooleanField(_("active"), default=True)

    class Meta:
        verbose_name = _("rule of approval")
        verbose_name_plural = _("rules of approval")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Absence(models.Model):
    """Somebody is away; another person decides about approvals meanwhile."""

    staff = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", verbose_name=_("who is away"))
    substitute = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", verbose_name=_("substitute"))
    since = models.DateField(_("from"))
    until = models.DateField(_("until"))

    class Meta:
        verbose_name = _("absence")
        verbose_name_plural = _("absences")
        constraints = [
            models.CheckConstraint(condition=Q(until__gte=F("since")), name="absence_ends_after_it_begins"),
            models.CheckConstraint(condition=~Q(staff=F("substitute")), name="absence_of_two_people"),
        ]
        indexes = [models.Index(fields=["until"], name="absence_until")]

    def __str__(self) -> str:
        return f"{self.staff} → {self.substitute}"

    def clean(self) -> None:
        """Two people, and an end after the beginning."""
        if self.staff_id and self.staff_id == self.substitute_id:
            raise ValidationError({"substitute": _("Somebody else must stand in.")})
        if self.since and self.until and self.until < self.since:
            raise ValidationError({"until": _("The last day lies before the first.")})


class Approval(models.Model):
    """One question to those who approve, about one ticket; a second one goes on when the first has been decided."""

    PERSONAL = ("question",)

    case = models.ForeignKey(Case, models.CASCADE, related_name="approvals", verbose_name=_("ticket"))
    rule = models.ForeignKey(ApprovalRule, models.PROTECT, related_name="approvals", verbose_name=_("rule"))
    question = models.TextField(_("what is to be approved"))
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", db_index=False, verbose_name=_("asked by"))
    asked_at = models.DateTimeField(_("asked"))
    state = models.CharField(_("state"), max_length=10, choices=ApprovalState, default=ApprovalState.WAITING)
    round = models.PositiveSmallIntegerField(_("round"), default=1)
    deadline_at = models.DateTimeField(_("to be decided until"))
    next_at = models.DateTimeField(_("next reminder or end"), null=True, blank=True)
    reminders = models.PositiveSmallIntegerField(_("reminders"), default=0)
    decided_at = models.DateTimeField(_("decided"), null=True, blank=True)

    class Meta:
        verbose_name = _("approval")
        verbose_name_plural = _("approvals")
        constraints = [
            models.UniqueConstraint(fields=["case", "rule"], condition=Q(state=ApprovalState.WAITING), name="approval_one_waiting")
        ]
        indexes = [models.Index(fields=["next_at"], condition=Q(state=ApprovalState.WAITING), name="approval_due")]

    def __str__(self) -> str:
        return f"{self.case_id} · {self.rule_id}"


class ApprovalSeat(models.Model):
    """One person's part in an approval; decided by the person or by the substitute of who is away, once."""

    approval = models.ForeignKey(Approval, models.CASCADE, related_name="seats", verbose_name=_("approval"))
    staff = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("asked"))
    round = models.PositiveSmallIntegerField(_("round"), default=1)
    decision = models.CharField(_("decision"), max_length=3, choices=Decision, blank=True)
    reason = models.TextField(_("reason"), blank=True)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", db_index=False, verbose_name=_("decided by")
    )
    at = models.DateTimeField(_("decided"), null=True, blank=True)

    class Meta:
        verbose_name = _("part in an approval")
        verbose_name_plural = _("parts in approvals")
        constraints = [
            models.UniqueConstraint(fields=["approval", "staff"], name="approval_seat_once"),
            # Nobody counts twice, also not as somebody's substitute.
            models.UniqueConstraint(fields=["approval", "by"], condition=Q(by__isnull=False), name="approval_decided_once"),
            models.CheckConstraint(
                condition=Q(decision="", by=None, at=None) | ~Q(decision="") & Q(by__isnull=False), name="approval_by_someone"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.approval_id} · {self.staff_id}"
