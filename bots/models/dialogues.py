"""Dialogues as data: a published version never changes, a draft is written beside it."""

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from bots.script import Expects, StepKind
from bots.states import VersionState

CODE = RegexValidator(r"^[a-z][a-z0-9_]*$", _("Small Latin letters, digits and underscores."))


class Dialogue(models.Model):
    """What a bot talks about, by chat and by telephone alike."""

    code = models.SlugField(_("code"), unique=True)
    name = models.CharField(_("name"), max_length=120)

    class Meta:
        verbose_name = _("bot's dialogue")
        verbose_name_plural = _("bots' dialogues")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Version(models.Model):
    """One version of a dialogue. `script` is what guests meet, frozen when it is published; a draft's is made from its steps."""

    dialogue = models.ForeignKey(Dialogue, models.CASCADE, related_name="versions", verbose_name=_("dialogue"))
    number = models.PositiveIntegerField(_("number"))
    state = models.CharField(_("state"), max_length=9, choices=VersionState, default=VersionState.DRAFT)
    start = models.CharField(_("first step"), max_length=40, default="start", validators=[CODE])
    most_misunderstood = models.PositiveSmallIntegerField(
        _("a person takes over after misunderstandings in a row"), default=2, validators=[MinValueValidator(1), MaxValueValidator(9)]
    )
    most_turns = models.PositiveSmallIntegerField(
        _("a person takes over after so many answers"),
        default=60,
        validators=[MinValueValidator(5), MaxValueValidator(1000)],
        help_text=_("Nobody talks to a machine for so long: it may be another machine."),
    )
    idle_minutes = models.PositiveIntegerField(
        _("ends after a silence of, minutes"), default=30, validators=[MinValueValidator(1), MaxValueValidator(10_080)]
    )
    operator_words = models.CharField(
        _("words that call a person"), max_length=400, blank=True, help_text=_("By commas, besides «operator» and key 0, which always do.")
    )
    operator_label = models.CharField(_("button that calls a person"), max_length=40, default="Оператор")
    operator_text = models.TextField(_("said when a person takes over"), max_length=600, blank=True)
    misunderstood_text = models.TextField(_("said when the words were not understood"), max_length=600, blank=True)
    closed_text = models.TextField(
        _("said when nobody works"),
        max_length=600,
        blank=True,
        help_text=_("{opens} is when work begins. The guest's next words are the message."),
    )
    taken_text = models.TextField(_("said when the message was taken"), max_length=600, blank=True)
    script = models.JSONField(default=dict, editable=False)
    made_at = models.DateTimeField(_("made"))
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, editable=False, related_name="+", verbose_name=_("by")
    )
    published_at = models.DateTimeField(_("published"), null=True, editable=False)

    class Meta:
        verbose_name = _("version of a dialogue")
        verbose_name_plural = _("versions of dialogues")
        ordering = ["dialogue", "-number"]
        constraints = [
            models.UniqueConstraint(fields=["dialogue", "number"], name="bot_version_once"),
            models.UniqueConstraint(fields=["dialogue"], condition=Q(state=VersionState.PUBLISHED), name="bot_one_published"),
        ]

    def __str__(self) -> str:
        return f"{self.dialogue} · {self.number}"

    @property
    def is_draft(self) -> bool:
        return self.state == VersionState.DRAFT


class Step(models.Model):
    """One step of a version."""

    version = models.ForeignKey(Version, models.CASCADE, related_name="steps", verbose_name=_("version"))
    code = models.CharField(_("code"), max_length=40, validators=[CODE])
    kind = models.CharField(_("what happens"), max_length=8, choices=StepKind)
    position = models.PositiveIntegerField(_("place"), default=0)
    text = models.TextField(
        _("words"), max_length=1500, blank=True, help_text=_("{name} is replaced by what was answered or found under this name.")
    )
    sound = models.CharField(
        _("recording"), max_length=120, blank=True, help_text=_("Name of the recording in the exchange; empty = the words are read aloud.")
    )
    skill = models.CharField(_("skill"), max_length=40, blank=True)
    expects = models.CharField(_("answered by"), max_length=8, choices=Expects, default=Expects.TEXT)
    saves_as = models.CharField(_("kept as"), max_length=40, blank=True, validators=[CODE])
    topic = models.CharField(
        _("topic"), max_length=64, blank=True, help_text=_("Code of the topic that a person who takes over from here is told.")
    )
    queue = models.CharField(
        _("queue"), max_length=64, blank=True, help_text=_("Code of the queue for a person; empty = the account's own.")
    )

    class Meta:
        verbose_name = _("step of a dialogue")
        verbose_name_plural = _("steps of dialogues")
        ordering = ["version", "position", "pk"]
        constraints = [models.UniqueConstraint(fields=["version", "code"], name="bot_step_once")]

    def __str__(self) -> str:
        return self.code


class StepWay(models.Model):
    """From a step to the next."""

    step = models.ForeignKey(Step, models.CASCADE, related_name="ways", verbose_name=_("step"))
    position = models.PositiveIntegerField(_("place"), default=0)
    label = models.CharField(_("button"), max_length=40, blank=True, help_text=_("Of a menu; the place is the key on the telephone."))
    words = models.CharField(
        _("words that mean it"), max_length=400, blank=True, help_text=_("Beginnings of words, by commas; * = any other words.")
    )
    outcome = models.CharField(_("outcome"), max_length=24, blank=True, help_text=_("Of a skill; empty = any."))
    to = models.CharField(_("next step"), max_length=40, validators=[CODE])

    class Meta:
        verbose_name = _("way on")
        verbose_name_plural = _("ways on")
        ordering = ["position", "pk"]

    def __str__(self) -> str:
        return self.label or self.outcome or self.to
