"""Which tickets get which SLA policy: rows in order, the first that fits holds."""

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import Group
from sla.models import Policy
from stores.models import Chain, Region, Store
from tickets.models.topics import Topic


class PolicyRule(models.Model):
    """A row of the order in which policies are looked for; an empty field fits everything. If none fits, the topic's policy holds."""

    position = models.PositiveIntegerField(
        _("place in the order"), default=100, help_text=_("The smallest comes first; the first rule that fits holds.")
    )
    name = models.CharField(_("name"), max_length=120)
    topic = models.ForeignKey(
        Topic, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("topic or branch"), help_text=_("With all below it.")
    )
    channel = models.CharField(_("channel"), max_length=24, blank=True)
    least_priority = models.SmallIntegerField(_("priority from"), null=True, blank=True)
    chain = models.ForeignKey(Chain, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("chain"))
    region = models.ForeignKey(Region, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("region"))
    store = models.ForeignKey(Store, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("store"))
    group = models.ForeignKey(Group, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("group"))
    segment = models.SlugField(_("segment of the guest"), max_length=32, blank=True)
    policy = models.ForeignKey(Policy, models.PROTECT, related_name="+", verbose_name=_("SLA policy"))
    is_active = models.BooleanField(_("active"), default=True)

    class Meta:
        verbose_name = _("rule of promises")
        verbose_name_plural = _("rules of promises")
        ordering = ["position", "id"]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """A store lies in one region and belongs to one chain: a rule that names others can never fit."""
        if self.store and (
            (self.region_id and self.region_id != self.store.region_id) or (self.chain_id and self.chain_id != self.store.chain_id)
        ):
            raise ValidationError({"store": _("This store lies in another region, or belongs to another chain: the rule would never fit.")})
