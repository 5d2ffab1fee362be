"""Versions of the topic tree: a draft is edited beside the published tree, tried, published, rolled back."""

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from accounts.models import Group
from escalation.models import MapLine
from sla.models import Policy
from tickets.models.details import Detail, Needs


class VersionState(models.TextChoices):
    DRAFT = "draft", _("draft")
    PUBLISHED = "published", _("published")
    EARLIER = "earlier", _("earlier")


class TopicVersion(models.Model):
    """The whole tree at a time. What running code reads are the topics themselves: publishing writes them from a version."""

    number = models.PositiveIntegerField(_("number"), unique=True)
    state = models.CharField(_("state"), max_length=10, choices=VersionState, default=VersionState.DRAFT)
    note = models.CharField(_("what changes"), max_length=240, blank=True)
    base = models.ForeignKey("self", models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("made from"))
    made_at = models.DateTimeField(_("made"))
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", db_index=False, verbose_name=_("made by")
    )
    published_at = models.DateTimeField(_("published"), null=True, blank=True)
    published_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", db_index=False, verbose_name=_("published by")
    )
    trial = models.JSONField(_("trial"), null=True, blank=True)
    """What the last trial on past tickets found; null = none since the last change."""

    class Meta:
        verbose_name = _("version of the topics")
        verbose_name_plural = _("versions of the topics")
        ordering = ["-number"]
        constraints = [
            models.UniqueConstraint(fields=["state"], condition=Q(state=VersionState.PUBLISHED), name="topic_version_one_published")
        ]

    def __str__(self) -> str:
        return f"{self.number} · {self.get_state_display()}"


class TopicEntry(models.Model):
    """A topic in a version. Empty fields are inherited from the parent."""

    version = models.ForeignKey(TopicVersion, models.CASCADE, related_name="entries", verbose_name=_("version"))
    code = models.SlugField(_("code"), max_length=64)
    parent = models.ForeignKey("self", models.CASCADE, null=True, blank=True, related_name="children", verbose_name=_("parent"))
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

    class Meta:
        verbose_name = _("topic in a version")
        verbose_name_plural = _("topics in versions")
        ordering = ["version_id", "position", "name"]
        constraints = [models.UniqueConstraint(fields=["version", "code"], name="topic_entry_once")]

    def __str__(self) -> str:
        return self.shown_name

    @property
    def shown_name(self) -> str:
        return self.name_en if get_language() == "en" and self.name_en else self.name

    def clean(self) -> None:
        """Only drafts change; the parent is of the same version and not below the topic itself."""
        if self.version_id and self.version.state != VersionState.DRAFT:
            raise ValidationError(_("Only a draft can be changed. Make a new one from this version."))
        above, seen = self.parent, {self.pk}
        while above is not None:
            if above.version_id != self.version_id:
                raise ValidationError({"parent": _("The parent belongs to another version.")})
            if above.pk in seen:
                raise ValidationError({"parent": _("This parent lies below the topic itself.")})
            seen.add(above.pk)
            above = above.parent


class EntryDetail(models.Model):
    """What a topic in a version says about a detail."""

    entry = models.ForeignKey(TopicEntry, models.CASCADE, related_name="details", verbose_name=_("topic"))
    detail = models.ForeignKey(Detail, models.CASCADE, related_name="+", verbose_name=_("detail"))
    need = models.CharField(_("need"), max_length=8, choices=Needs, default=Needs.REQUIRED)

    class Meta:
        verbose_name = _("detail of a topic")
        verbose_name_plural = _("details of topics")
        ordering = ["detail__position", "pk"]
        constraints = [models.UniqueConstraint(fields=["entry", "detail"], name="entry_detail_once")]

    def __str__(self) -> str:
        return f"{self.detail}: {self.get_need_display()}"
