"""Details that topics ask for when a ticket is opened."""

from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from tickets.details import DetailKind
from tickets.models.topics import Topic
from tickets.routing import Need


class Kind(models.TextChoices):
    """What a value looks like."""

    TEXT = DetailKind.TEXT, _("text")
    NUMBER = DetailKind.NUMBER, _("number")
    MONEY = DetailKind.MONEY, _("sum of money")
    DATE = DetailKind.DATE, _("day in the past")
    TIME = DetailKind.TIME, _("time of day")
    REFERENCE = DetailKind.REFERENCE, _("number of a document")
    CHOICE = DetailKind.CHOICE, _("one of a list")
    YES_NO = DetailKind.YES_NO, _("yes or no")


class Needs(models.TextChoices):
    """What a topic says about a detail."""

    REQUIRED = Need.REQUIRED, _("must be filled in")
    OFFERED = Need.OFFERED, _("may be filled in")
    DROPPED = Need.DROPPED, _("not asked for, although the topic above does")


class Detail(models.Model):
    """Something a ticket may have to tell: the product, the day of purchase, the number of the receipt."""

    code = models.SlugField(_("code"), max_length=40, unique=True)
    name = models.CharField(_("name"), max_length=80)
    name_en = models.CharField(_("name in English"), max_length=80, blank=True)
    kind = models.CharField(_("kind of value"), max_length=12, choices=Kind, default=Kind.TEXT)
    hint = models.CharField(_("hint"), max_length=160, blank=True)
    options = ArrayField(models.CharField(max_length=80), verbose_name=_("values of the list"), default=list, blank=True)
    position = models.PositiveSmallIntegerField(_("position"), default=0)

    class Meta:
        verbose_name = _("detail of a ticket")
        verbose_name_plural = _("details of tickets")
        ordering = ["position", "name"]

    def __str__(self) -> str:
        return self.shown_name

    @property
    def shown_name(self) -> str:
        return self.name_en if get_language() == "en" and self.name_en else self.name

    def clean(self) -> None:
        """A list needs values to choose from."""
        if self.kind == Kind.CHOICE and not self.options:
            raise ValidationError({"options": _("Give the values to choose from.")})


class TopicDetail(models.Model):
    """What a published topic says about a detail; topics below inherit it."""

    topic = models.ForeignKey(Topic, models.CASCADE, related_name="details", verbose_name=_("topic"))
    detail = models.ForeignKey(Detail, models.CASCADE, related_name="+", verbose_name=_("detail"))
    need = models.CharField(_("need"), max_length=8, choices=Needs, default=Needs.REQUIRED)

    class Meta:
        verbose_name = _("detail of a topic")
        verbose_name_plural = _("details of topics")
        ordering = ["detail__position", "pk"]
        constraints = [models.UniqueConstraint(fields=["topic", "detail"], name="topic_detail_once")]

    def __str__(self) -> str:
        return f"{self.detail}: {self.get_need_display()}"
