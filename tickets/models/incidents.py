"""Bursts of like tickets: how many are usual, when there are too many, and the incident that they hang under."""

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Group
from stores.models import Region, Store
from tickets.models.cases import Case
from tickets.models.mass import MassJob
from tickets.models.topics import Topic


class Scope(models.TextChoices):
    STORE = "store", _("a store")
    REGION = "region", _("a region")


class TopicHour(models.Model):
    """How many tickets of a branch were opened about a store in one whole hour (UTC): what is usual is learned from them."""

    hour = models.DateTimeField()
    store = models.ForeignKey(Store, models.CASCADE, null=True, related_name="+", db_index=False)
    branch = models.ForeignKey(Topic, models.CASCADE, null=True, related_name="+", db_index=False)
    """Empty store and branch = the hour was counted, be there nothing."""
    number = models.PositiveIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["hour", "store", "branch"], nulls_distinct=False, name="topic_hour_once")]
        indexes = [models.Index(fields=["store", "branch", "hour"], name="topic_hour_place")]

    def __str__(self) -> str:
        return f"{self.hour:%Y-%m-%d %H} {self.store_id} {self.branch_id}: {self.number}"


class BurstRule(models.Model):
    """When like tickets are too many. The rule of a topic holds for its branch; the one without a topic for all others."""

    scope = models.CharField(_("counted in"), max_length=6, choices=Scope, default=Scope.STORE)
    branch = models.ForeignKey(
        Topic,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("branch of topics"),
        help_text=_("Empty = all others."),
    )
    is_on = models.BooleanField(_("on"), default=True)
    minutes = models.PositiveSmallIntegerField(_("within minutes"), default=60, validators=[MinValueValidator(5), MaxValueValidator(1440)])
    at_least = models.PositiveSmallIntegerField(_("tickets, at least"), default=5, validators=[MinValueValidator(2)])
    times = models.FloatField(
        _("times the usual, at least"), default=4, validators=[MinValueValidator(1)], help_text=_("The usual of this hour of the week.")
    )
    weeks = models.PositiveSmallIntegerField(_("weeks looked back"), default=6, validators=[MinValueValidator(1), MaxValueValidator(26)])
    priority = models.SmallIntegerField(
        _("priority of the incident's ticket"), default=2, db_default=2, help_text=_("Rules of promises may go by it.")
    )

    class Meta:
        verbose_name = _("rule of bursts")
        verbose_name_plural = _("rules of bursts")
        constraints = [models.UniqueConstraint(fields=["scope", "branch"], nulls_distinct=False, name="burst_rule_once")]

    def __str__(self) -> str:
        return f"{self.get_scope_display()} · {self.branch or _('all topics')}"


class Incident(models.Model):
    """One trouble that many guests tell of. A draft until a person confirms it; tickets hang under it and are answered together."""

    class State(models.TextChoices):
        DRAFT = "draft", _("draft")
        OPEN = "open", _("confirmed")
        REJECTED = "rejected", _("no incident")
        CLOSED = "closed", _("closed")

    number = models.CharField(_("number"), max_length=16, unique=True)
    state = models.CharField(_("state"), max_length=8, choices=State, default=State.DRAFT)
    scope = models.CharField(_("counted in"), max_length=6, choices=Scope)
    store = models.ForeignKey(Store, models.PROTECT, null=True, blank=True, related_name="+", db_index=False, verbose_name=_("store"))
    region = models.ForeignKey(Region, models.PROTECT, null=True, blank=True, related_name="+", db_index=False, verbose_name=_("region"))
    branch = models.ForeignKey(Topic, models.PROTECT, related_name="+", db_index=False, verbose_name=_("branch of topics"))
    group = models.ForeignKey(Group, models.PROTECT, related_name="+", db_index=False, verbose_name=_("group"))
    main = models.ForeignKey(
        Case, models.SET_NULL, null=True, blank=True, related_name="+", db_index=False, verbose_name=_("leading ticket")
    )
    """Of a confirmed one: the ticket that is routed, clocked and escalated for all; the others are parts of it.

    Its own, without a guest; the first guest's where nobody is responsible for the incident's topic.
    """
    priority = models.SmallIntegerField(_("priority"), default=0, db_default=0)
    """Of its own ticket."""
    seen = models.PositiveIntegerField(_("came"))
    usual = models.FloatField(_("usual"))
    since = models.DateTimeField(_("since"))
    made_at = models.DateTimeField(_("found"))
    confirmed_at = models.DateTimeField(_("confirmed"), null=True, blank=True)
    confirmed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", db_index=False, verbose_name=_("by")
    )
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", db_index=False, verbose_name=_("ended by")
    )
    closing_job = models.ForeignKey(
        MassJob, models.SET_NULL, null=True, blank=True, related_name="+", db_index=False, verbose_name=_("closing of its tickets")
    )

    class Meta:
        verbose_name = _("incident of tickets")
        verbose_name_plural = _("incidents of tickets")
        constraints = [
            models.UniqueConstraint(
                fields=["scope", "store", "region", "branch"],
                condition=Q(state__in=["draft", "open"]),
                nulls_distinct=False,
                name="incident_one_open",
            )
        ]
        indexes = [models.Index(fields=["-made_at"], name="incident_recent")]

    def __str__(self) -> str:
        return f"№ {self.number}"


class IncidentCase(models.Model):
    """A ticket under an incident."""

    incident = models.ForeignKey(Incident, models.CASCADE, related_name="members")
    case = models.ForeignKey(Case, models.CASCADE, related_name="incidents")
    at = models.DateTimeField()
    removed_at = models.DateTimeField(null=True)
    removed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", db_index=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["incident", "case"], name="incident_case_once")]

    def __str__(self) -> str:
        return f"{self.incident_id}: {self.case_id}"
