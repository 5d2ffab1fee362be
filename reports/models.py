"""The fact table: one row per closed ticket, written once it is closed; every report counts these rows and nothing else."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import Group
from stores.models import Region, Store
from tickets.models import Case, Topic
from tickets.states import Cause


class CaseFact(models.Model):
    """A closed ticket in figures. Seconds are whole; null = there was none."""

    case = models.OneToOneField(Case, models.CASCADE, primary_key=True, related_name="fact", verbose_name=_("ticket"))
    number = models.CharField(_("number"), max_length=16)
    opened_at = models.DateTimeField(_("opened"))
    closed_at = models.DateTimeField(_("closed"))
    group = models.ForeignKey(Group, models.PROTECT, related_name="+", db_index=False, verbose_name=_("group"))
    topic = models.ForeignKey(Topic, models.PROTECT, related_name="+", db_index=False, verbose_name=_("topic"))
    store = models.ForeignKey(Store, models.PROTECT, null=True, related_name="+", db_index=False, verbose_name=_("store"))
    region = models.ForeignKey(Region, models.PROTECT, null=True, related_name="+", db_index=False, verbose_name=_("region"))
    channel = models.CharField(_("channel"), max_length=24)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", db_index=False, verbose_name=_("owner")
    )
    cause = models.CharField(_("cause"), max_length=12, choices=Cause)
    first_answer_seconds = models.PositiveIntegerField(_("to the first answer, seconds"), null=True)
    resolution_seconds = models.PositiveIntegerField(_("working time to the close, seconds"))
    answered_in_time = models.BooleanField(_("answered in time"), null=True)
    """Null = no promise of an answer ran, or it fell away before it was due."""
    resolved_in_time = models.BooleanField(_("closed in time"), null=True)
    messages_in = models.PositiveIntegerField(_("messages of the guest"))
    messages_out = models.PositiveIntegerField(_("messages to the guest"))
    reopened = models.PositiveIntegerField(_("times reopened"), default=0)
    mark = models.PositiveSmallIntegerField(_("mark of the guest"), null=True)
    """From 1 to 5; null = the guest gave none."""
    was_asked = models.BooleanField(_("the guest was asked for a mark"), default=False)

    class Meta:
        verbose_name = _("counted ticket")
        verbose_name_plural = _("counted tickets")
        indexes = [models.Index(fields=["closed_at"], name="fact_closed")]

    def __str__(self) -> str:
        return self.number
