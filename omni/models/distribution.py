"""By which rules dialogues find their operators, and the offers made to them."""

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from accounts.models import Group
from omni.models.accounts import Queue
from omni.models.conversations import Session
from omni.states import OfferState

LEVELS = (MinValueValidator(1), MaxValueValidator(5))


class _Named(models.Model):
    """A row with a code and a name in both languages."""

    code = models.SlugField(_("code"), max_length=40, unique=True)
    name = models.CharField(_("name"), max_length=80)
    name_en = models.CharField(_("name in English"), max_length=80, blank=True)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.shown_name

    @property
    def shown_name(self) -> str:
        return self.name_en if get_language() == "en" and self.name_en else self.name


class Skill(_Named):
    """What an operator can do well: a language, a channel, a subject."""

    class Meta:
        verbose_name = _("skill")
        verbose_name_plural = _("skills")
        ordering = ["name"]


class StaffSkill(models.Model):
    """How well a person can do it, from 1 to 5."""

    staff = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="skills", verbose_name=_("member of staff"))
    skill = models.ForeignKey(Skill, models.CASCADE, related_name="people", verbose_name=_("skill"))
    level = models.PositiveSmallIntegerField(_("level"), default=3, validators=LEVELS)

    class Meta:
        verbose_name = _("skill of a person")
        verbose_name_plural = _("skills of people")
        constraints = [models.UniqueConstraint(fields=["staff", "skill"], name="staff_skill_once")]

    def __str__(self) -> str:
        return f"{self.staff} · {self.skill} {self.level}"


class SkillNeed(models.Model):
    """A dialogue that fits all of the named conditions needs the skill; an empty condition fits every dialogue."""

    skill = models.ForeignKey(Skill, models.CASCADE, related_name="needs", verbose_name=_("skill"))
    level = models.PositiveSmallIntegerField(_("at least level"), default=1, validators=LEVELS)
    queue = models.ForeignKey(Queue, models.CASCADE, null=True, blank=True, related_name="needs", verbose_name=_("queue"))
    channel = models.CharField(_("channel"), max_length=24, blank=True)
    language = models.CharField(_("language"), max_length=2, blank=True, help_text=_("Two letters: ru, en, kk ..."))
    topic = models.SlugField(_("code of the topic"), max_length=64, blank=True, help_text=_("Topics below it are meant, too."))

    class Meta:
        verbose_name = _("skill that dialogues need")
        verbose_name_plural = _("skills that dialogues need")
        ordering = ["skill", "pk"]

    def __str__(self) -> str:
        where = " · ".join(str(part) for part in (self.queue, self.channel, self.language, self.topic) if part)
        return f"{where or '*'}: {self.skill} {self.level}"


class Ring(models.Model):
    """After so many seconds of waiting the circle of those who may get a dialogue grows. Before the first ring all needs hold."""

    queue = models.ForeignKey(Queue, models.CASCADE, related_name="rings", verbose_name=_("queue"))
    after_seconds = models.PositiveIntegerField(_("after waiting, seconds"))
    lower_by = models.PositiveSmallIntegerField(
        _("levels less"), default=0, validators=[MaxValueValidator(4)], help_text=_("Each skill is still needed, at level 1 at least.")
    )
    drops = models.ManyToManyField(Skill, related_name="+", blank=True, verbose_name=_("skills no longer needed"))
    drops_all = models.BooleanField(_("no skill is needed any more"), default=False)
    groups = models.ManyToManyField(Group, related_name="+", blank=True, verbose_name=_("groups that join in"))

    class Meta:
        verbose_name = _("ring")
        verbose_name_plural = _("rings")
        ordering = ["queue", "after_seconds"]
        constraints = [models.UniqueConstraint(fields=["queue", "after_seconds"], name="ring_once")]

    def __str__(self) -> str:
        return f"{self.queue} · {self.after_seconds}"


class ChannelLimit(models.Model):
    """No operator has more dialogues of a channel at a time than this, however much room there is."""

    channel = models.CharField(_("channel"), max_length=24, unique=True)
    most = models.PositiveSmallIntegerField(_("at most, per operator"), validators=[MinValueValidator(1)])

    class Meta:
        verbose_name = _("limit of a channel")
        verbose_name_plural = _("limits of channels")
        ordering = ["channel"]

    def __str__(self) -> str:
        return f"{self.channel}: {self.most}"


class DeclineReason(_Named):
    """Why an offer is declined, to be chosen from."""

    position = models.PositiveSmallIntegerField(_("position"), default=0)
    is_active = models.BooleanField(_("active"), default=True)

    class Meta:
        verbose_name = _("reason to decline")
        verbose_name_plural = _("reasons to decline")
        ordering = ["position", "name"]


class Offer(models.Model):
    """A dialogue is offered to a person, whose room is kept for it until the offer ends."""

    session = models.ForeignKey(Session, models.CASCADE, related_name="offers", db_index=False)
    staff = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", db_index=False)
    state = models.CharField(_("state"), max_length=9, choices=OfferState, default=OfferState.OPEN)
    weight = models.PositiveSmallIntegerField()
    offered_at = models.DateTimeField(_("offered"))
    expires_at = models.DateTimeField(_("open until"))
    ended_at = models.DateTimeField(_("ended"), null=True)
    reason = models.CharField(_("reason"), max_length=40, blank=True)

    class Meta:
        verbose_name = _("offer")
        verbose_name_plural = _("offers")
        constraints = [models.UniqueConstraint(fields=["session"], condition=Q(state=OfferState.OPEN), name="offer_one_open")]
        indexes = [
            models.Index(fields=["session", "-ended_at"], name="offer_session"),
            models.Index(fields=["expires_at"], condition=Q(state=OfferState.OPEN), name="offer_due"),
            models.Index(fields=["staff"], condition=Q(state=OfferState.OPEN), name="offer_of_staff"),
        ]

    def __str__(self) -> str:
        return f"{self.session_id} → {self.staff_id}"
