"""Rules of routing, their tests, and who stands in for a group."""

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Group
from sla.models import Policy
from stores.models import Chain, Cluster, Region, Store
from tickets.models.topics import Topic


class RouteRule(models.Model):
    """Rules are asked in order, the first that fits says where a ticket goes; without one its topic says it."""

    position = models.PositiveSmallIntegerField(_("order"), default=0)
    name = models.CharField(_("name"), max_length=120)
    topic = models.ForeignKey(
        Topic, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("topic"), help_text=_("With all topics below it.")
    )
    region = models.ForeignKey(Region, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("region"))
    cluster = models.ForeignKey(Cluster, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("cluster"))
    chain = models.ForeignKey(Chain, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("chain"))
    store = models.ForeignKey(Store, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("store"))
    channel = models.CharField(_("channel"), max_length=24, blank=True)
    priority_from = models.SmallIntegerField(_("priority from"), null=True, blank=True)
    since = models.TimeField(_("from"), null=True, blank=True, help_text=_("By the store's wall clock, without a store by Moscow's."))
    until = models.TimeField(_("to"), null=True, blank=True)
    groups = models.ManyToManyField(
        Group, blank=True, related_name="+", verbose_name=_("groups"), help_text=_("Several are equals: the least loaded gets the ticket.")
    )
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", db_index=False, verbose_name=_("person")
    )
    to_store = models.BooleanField(_("the store answers"), null=True, blank=True, help_text=_("Unknown = as the topic says."))
    shares = models.BooleanField(
        _("straight to a person"), default=False, help_text=_("Whoever of the group is on line and has the least work gets the ticket.")
    )
    is_active = models.BooleanField(_("active"), default=True)

    class Meta:
        verbose_name = _("routing rule")
        verbose_name_plural = _("routing rules")
        ordering = ["position", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(since__isnull=True, until__isnull=True) | (Q(since__isnull=False, until__isnull=False) & ~Q(since=F("until"))),
                name="route_rule_hours_paired",
                violation_error_message=_("Give both hours, different ones, or none."),
            )
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """A cluster of another region, or a store of another cluster, would never fit."""
        if self.cluster and self.region and self.cluster.region_id != self.region_id:
            raise ValidationError({"cluster": _("This cluster lies in another region.")})
        if self.store and self.region and self.store.region_id != self.region_id:
            raise ValidationError({"store": _("This store lies in another region.")})


class RouteTest(models.Model):
    """An example kept with a rule: given this ticket, it has to go there. Red examples refuse the saving and the publication."""

    rule = models.ForeignKey(RouteRule, models.CASCADE, null=True, blank=True, related_name="tests", verbose_name=_("rule"))
    name = models.CharField(_("name"), max_length=120)
    topic_code = models.SlugField(_("topic (code)"), max_length=64)
    store = models.ForeignKey(Store, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("store"))
    channel = models.CharField(_("channel"), max_length=24, blank=True)
    priority = models.SmallIntegerField(_("priority"), default=0)
    at = models.TimeField(_("at"), null=True, blank=True, help_text=_("By the store's wall clock; empty = noon."))
    group = models.ForeignKey(Group, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("expected group"))
    policy = models.ForeignKey(
        Policy, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("expected policy of the topic")
    )
    to_store = models.BooleanField(_("the store is expected to answer"), null=True, blank=True)

    class Meta:
        verbose_name = _("routing example")
        verbose_name_plural = _("routing examples")
        ordering = ["name", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(group__isnull=False) | Q(policy__isnull=False) | Q(to_store__isnull=False),
                name="route_test_expects_something",
                violation_error_message=_("Say what is expected."),
            )
        ]

    def __str__(self) -> str:
        return self.name


class GroupFallback(models.Model):
    """Who gets a group's tickets while it is switched off or nobody is in it."""

    group = models.ForeignKey(
        Group, models.CASCADE, null=True, blank=True, related_name="+", verbose_name=_("group"), help_text=_("Empty = tickets without one.")
    )
    to = models.ForeignKey(Group, models.CASCADE, related_name="+", verbose_name=_("stands in"))

    class Meta:
        verbose_name = _("stand-in of a group")
        verbose_name_plural = _("stand-ins of groups")
        constraints = [
            models.CheckConstraint(
                condition=Q(group__isnull=True) | ~Q(group=F("to")),
                name="group_fallback_is_another",
                violation_error_message=_("A group cannot stand in for itself."),
            ),
            models.UniqueConstraint(fields=["group"], nulls_distinct=False, name="group_fallback_once"),
        ]

    def __str__(self) -> str:
        return f"{self.group or '–'} → {self.to}"

    def clean(self) -> None:
        """Stand-ins may not go round in a circle."""
        links = {row.group_id: row.to_id for row in GroupFallback.objects.exclude(pk=self.pk)}
        here: int | None = self.to_id
        while here is not None:
            if here == self.group_id:
                raise ValidationError({"to": _("These groups would stand in for each other in a circle.")})
            here = links.get(here)


class TreeStamp(models.Model):
    """One row whose number grows with each change of topics and rules: processes keep what they have read until it does."""

    number = models.BigIntegerField(default=0)
