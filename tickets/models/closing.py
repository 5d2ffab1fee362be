"""Causes of closing, by the branch of the topic tree."""

from django.db import models
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from tickets.models.topics import Topic
from tickets.states import Cause


class ClosingCause(models.Model):
    """Why tickets of a branch are closed, finer than the kind that reports count."""

    code = models.SlugField(_("code"), max_length=40, unique=True)
    name = models.CharField(_("name"), max_length=120)
    name_en = models.CharField(_("name in English"), max_length=120, blank=True)
    kind = models.CharField(_("kind of cause"), max_length=12, choices=Cause)
    topic = models.ForeignKey(
        Topic,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("topic"),
        help_text=_("With all topics below it; empty = all."),
    )
    needs_note = models.BooleanField(_("needs a note"), default=False)
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    is_active = models.BooleanField(_("active"), default=True)

    class Meta:
        verbose_name = _("cause of closing")
        verbose_name_plural = _("causes of closing")
        ordering = ["position", "name"]

    def __str__(self) -> str:
        return self.shown_name

    @property
    def shown_name(self) -> str:
        return self.name_en if get_language() == "en" and self.name_en else self.name
