"""What duplicates are found by: the print of each ticket, the rules that weigh, and what was found."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from core.statements import Written
from core.text import searchable
from stores.models import Store
from tickets.likeness import Reason
from tickets.models.cases import Case
from tickets.models.topics import Topic

_STEM = Written("select (tsvector_to_array(to_tsvector('russian', %(text)s)))[1]", about="to_tsvector")


class CasePrint(models.Model):
    """A ticket as it is compared with others: stems of the guest's words, figures in them, place and time."""

    PERSONAL = ("words", "marks")

    case = models.OneToOneField(Case, models.CASCADE, primary_key=True, related_name="print")
    store = models.ForeignKey(Store, models.PROTECT, null=True, related_name="+", db_index=False)
    topic = models.ForeignKey(Topic, models.PROTECT, related_name="+", db_index=False)
    branch = models.ForeignKey(Topic, models.PROTECT, related_name="+", db_index=False)
    """The topic's branch: its ancestor without a parent."""
    words = models.TextField(blank=True)
    marks = ArrayField(models.CharField(max_length=24), default=list)
    """Long figures: orders, receipts, cards, telephones."""
    opened_at = models.DateTimeField()
    last_at = models.DateTimeField()
    """When the guest last said something on it."""
    due_at = models.DateTimeField(null=True)
    """It is to be compared again: the guest has said more."""

    class Meta:
        indexes = [
            models.Index(fields=["store", "-last_at"], name="print_store"),
            models.Index(fields=["-opened_at"], name="print_opened"),
            models.Index(fields=["due_at"], condition=Q(due_at__isnull=False), name="print_due"),
            GinIndex(fields=["marks"], condition=~Q(marks=[]), name="print_marks"),
        ]

    def __str__(self) -> str:
        return str(self.case_id)


class LikenessRule(models.Model):
    """How much a reason speaks for (or, below zero, against) two tickets being one matter."""

    code = models.CharField(_("what is compared"), max_length=24, primary_key=True, choices=Reason)
    points = models.SmallIntegerField(
        _("points"),
        validators=[MinValueValidator(-100), MaxValueValidator(100)],
        help_text=_("Added to the score of 0 to 100; below zero = it speaks against."),
    )

    class Meta:
        verbose_name = _("rule of duplicates")
        verbose_name_plural = _("rules of duplicates")
        ordering = ["code"]

    def __str__(self) -> str:
        return str(self.get_code_display())


class LikenessPolicy(models.Model):
    """The one row of numbers about duplicates."""

    least_score = models.PositiveSmallIntegerField(
        _("least score shown"), default=50, validators=[MaxValueValidator(100)], help_text=_("Weaker matches are not offered.")
    )
    guest_days = models.PositiveSmallIntegerField(_("same guest: days looked back"), default=30, validators=[MinValueValidator(1)])
    store_days = models.PositiveSmallIntegerField(_("same store: days looked back"), default=7, validators=[MinValueValidator(1)])
    at_once_hours = models.PositiveSmallIntegerField(_("nearly the same time: hours"), default=8, validators=[MinValueValidator(1)])
    near_hours = models.PositiveSmallIntegerField(_("close in time: hours"), default=36, validators=[MinValueValidator(1)])
    far_days = models.PositiveSmallIntegerField(_("far in time: days"), default=10, validators=[MinValueValidator(1)])
    most_shown = models.PositiveSmallIntegerField(_("most shown"), default=5, validators=[MinValueValidator(1), MaxValueValidator(20)])
    undo_days = models.PositiveSmallIntegerField(_("undo possible, days"), default=30)

    class Meta:
        verbose_name = _("numbers of duplicates")
        verbose_name_plural = _("numbers of duplicates")

    def __str__(self) -> str:
        return str(_("Numbers of duplicates"))


class CommonWord(models.Model):
    """A word that says nothing of the matter: greetings, politeness, what every complaint holds."""

    word = models.CharField(_("word"), max_length=60, unique=True)
    stem = models.CharField(max_length=60, editable=False, db_index=True)

    class Meta:
        verbose_name = _("word that says nothing")
        verbose_name_plural = _("words that say nothing")
        ordering = ["word"]

    def __str__(self) -> str:
        return self.word

    def save(self, *args: object, **kwargs: object) -> None:
        self.stem = _STEM.rows(text=searchable(self.word))[0][0] or ""
        super().save(*args, **kwargs)  # type: ignore[arg-type]


class SharedTopic(models.Model):
    """A topic whose matters many guests tell of: the store's cold hall, not one guest's receipt. Holds for the topics below it too."""

    topic = models.OneToOneField(Topic, models.CASCADE, primary_key=True, related_name="+", verbose_name=_("topic"))

    class Meta:
        verbose_name = _("topic of common matters")
        verbose_name_plural = _("topics of common matters")

    def __str__(self) -> str:
        return str(self.topic)


class Likeness(models.Model):
    """Two tickets that may be one matter: found once, weighed again when the guest says more, settled by a person."""

    class State(models.TextChoices):
        OFFERED = "offered", _("offered")
        TAKEN = "taken", _("joined or linked")
        REFUSED = "refused", _("two matters")

    case = models.ForeignKey(Case, models.CASCADE, related_name="alike")
    """The later ticket."""
    other = models.ForeignKey(Case, models.CASCADE, related_name="alike_later")
    score = models.PositiveSmallIntegerField(_("score"))
    reasons = models.JSONField(_("reasons"), default=list)
    """Pairs of reason and points, the weightiest first."""
    found_at = models.DateTimeField(_("found"))
    state = models.CharField(_("state"), max_length=8, choices=State, default=State.OFFERED)
    settled_at = models.DateTimeField(_("settled"), null=True)
    settled_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("by"))

    class Meta:
        verbose_name = _("possible duplicate")
        verbose_name_plural = _("possible duplicates")
        constraints = [models.UniqueConstraint(fields=["case", "other"], name="likeness_once")]
        indexes = [models.Index(fields=["-found_at"], name="likeness_recent")]

    def __str__(self) -> str:
        return f"{self.case_id} ≈ {self.other_id}"
