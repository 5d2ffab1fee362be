"""Topics and ready answers."""

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from accounts.models import Group
from escalation.models import MapLine
from sla.models import Policy


class Topic(models.Model):
    """What a ticket is about. Empty fields are inherited from the parent."""

    code = models.SlugField(_("code"), max_length=64, unique=True)
    parent = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="children", verbose_name=_("parent"))
    name = models.CharField(_("name"), max_length=120)
    name_en = models.CharField(_("name in English"), max_length=120, blank=True)
    group = models.ForeignKey(Group, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("group"))
    policy = models.ForeignKey(Policy, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("SLA policy"))
    line = models.ForeignKey(MapLine, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("escalation line"))
    store_involved = models.BooleanField(_("the store answers"), null=True, blank=True)
    store_required = models.BooleanField(_("store must be named"), null=True, blank=True)
    needs_approval = models.BooleanField(_("needs approval"), null=True, blank=True)
    instruction = models.TextField(_("instruction"), blank=True)
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    is_active = models.BooleanField(_("active"), default=True)
    goes_on_as = models.ForeignKey(
        "self", models.SET_NULL, null=True, blank=True, related_name="+", editable=False, verbose_name=_("goes on as")
    )
    """Of a topic that was joined to another one: its tickets stay, new ones on its code are opened there (services/joined_topics.py)."""

    class Meta:
        verbose_name = _("topic")
        verbose_name_plural = _("topics")
        ordering = ["position", "name"]

    def __str__(self) -> str:
        return self.shown_name

    @property
    def shown_name(self) -> str:
        return self.name_in(get_language() or "")

    def name_in(self, language: str) -> str:
        """The English name where there is one and English is wanted, else the Russian."""
        return self.name_en if language == "en" and self.name_en else self.name

    def clean(self) -> None:
        """A topic may not be its own ancestor."""
        above, seen = self.parent, {self.pk}
        while above is not None:
            if above.pk in seen:
                raise ValidationError({"parent": _("This parent lies below the topic itself.")})
            seen.add(above.pk)
            above = above.parent


class AnswerTemplate(models.Model):
    """A ready answer; `{guest}` and `{number}` are filled in."""

    topic = models.ForeignKey(Topic, models.CASCADE, null=True, blank=True, related_name="templates", verbose_name=_("topic"))
    name = models.CharField(_("name"), max_length=120)
    text = models.TextField(_("text"))
    position = models.PositiveSmallIntegerField(_("position"), default=0)

    class Meta:
        verbose_name = _("answer template")
        verbose_name_plural = _("answer templates")
        ordering = ["position", "name"]

    def __str__(self) -> str:
        return self.name
