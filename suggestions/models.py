"""Suggested topics, what was chosen in the end, and the versions of the model."""

import uuid

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from omni.models import Message, Session
from tickets.models import Case, Topic

_SHARE = [MinValueValidator(0.0), MaxValueValidator(1.0)]


class SuggestionRules(models.Model):
    """How topics are suggested: one row, its defaults when there is none."""

    is_on = models.BooleanField(_("suggest topics"), default=True)
    most_shown = models.PositiveSmallIntegerField(_("at most so many"), default=3, validators=[MinValueValidator(1), MaxValueValidator(3)])
    least_confidence = models.FloatField(_("not below this confidence"), default=0.05, validators=_SHARE)
    likely_from = models.FloatField(_("“likely” from this confidence"), default=0.6, validators=_SHARE)
    possible_from = models.FloatField(_("“possible” from this confidence"), default=0.25, validators=_SHARE)
    for_distribution = models.BooleanField(
        _("a likely topic chooses operators by their skills"),
        default=False,
        help_text=_("A waiting dialogue is told its topic at once; the skills that are needed for topics then count."),
    )
    is_retrained = models.BooleanField(_("train every night"), default=True)
    least_cases = models.PositiveIntegerField(
        _("cases before the first training"), default=200, help_text=_("Until then topics are found by the words of the topic tree.")
    )
    most_cases = models.PositiveIntegerField(_("newest cases to train on"), default=20_000, validators=[MaxValueValidator(50_000)])
    most_of_topic = models.PositiveIntegerField(_("cases of one topic at most"), default=800)
    least_held_out = models.PositiveIntegerField(_("cases needed to compare two models"), default=20)
    tolerated_loss = models.FloatField(
        _("a new model may be worse by"),
        default=0.02,
        validators=_SHARE,
        help_text=_("Share of topics found among the first three, on cases that no model was trained on."),
    )
    kept_versions = models.PositiveSmallIntegerField(_("versions kept to return to"), default=5, validators=[MinValueValidator(1)])

    class Meta:
        verbose_name = _("rules of topic suggestions")
        verbose_name_plural = _("rules of topic suggestions")
        constraints = [models.CheckConstraint(condition=Q(pk=1), name="suggestion_rules_one_row")]

    def __str__(self) -> str:
        return str(_("Topic suggestions"))


class VersionState(models.TextChoices):
    IN_USE = "in_use", _("in use")
    KEPT = "kept", _("was in use, can be returned to")
    REJECTED = "rejected", _("not taken over")
    FAILED = "failed", _("training failed")
    REMOVED = "removed", _("removed")


class ModelVersion(models.Model):
    """A trained model; its file lies in a folder of this name. Scores are of cases that no version was trained on."""

    folder = models.UUIDField(_("folder"), default=uuid.uuid4, unique=True, editable=False)
    state = models.CharField(_("state"), max_length=8, choices=VersionState)
    reason = models.TextField(_("reason"), blank=True)
    made_at = models.DateTimeField(_("trained"))
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", db_index=False, verbose_name=_("asked for by")
    )
    """Null = the nightly training."""
    cases = models.PositiveIntegerField(_("cases trained on"), default=0)
    topics = models.PositiveIntegerField(_("topics with cases"), default=0)
    held_out = models.PositiveIntegerField(_("cases measured on"), default=0)
    first = models.PositiveIntegerField(_("found first"), default=0)
    third = models.PositiveIntegerField(_("found among three"), default=0)
    before = models.ForeignKey("self", models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("version before"))
    """Null = the words of the topic tree."""
    before_first = models.PositiveIntegerField(_("found first by the version before"), default=0)
    before_third = models.PositiveIntegerField(_("found among three by the version before"), default=0)
    seconds = models.FloatField(_("seconds of training"), default=0)

    class Meta:
        verbose_name = _("version of the topic model")
        verbose_name_plural = _("versions of the topic model")
        constraints = [models.UniqueConstraint(fields=["state"], condition=Q(state=VersionState.IN_USE), name="version_one_in_use")]

    def __str__(self) -> str:
        return f"№ {self.pk}"


class Suggestion(models.Model):
    """What was suggested for a dialogue, and the topic of the ticket that came of it. One per dialogue waits for its ticket."""

    session = models.ForeignKey(Session, models.CASCADE, related_name="+", verbose_name=_("dialogue"))
    message = models.ForeignKey(Message, models.CASCADE, null=True, related_name="+", db_index=False)
    """The guest's newest message that was read for it."""
    at = models.DateTimeField(_("suggested"))
    version = models.ForeignKey(ModelVersion, models.SET_NULL, null=True, related_name="+", db_index=False, verbose_name=_("version"))
    """Null = the words of the topic tree."""
    topics = ArrayField(models.BigIntegerField(), verbose_name=_("topics"))
    """Ids, the surest first."""
    confidences = ArrayField(models.FloatField(), verbose_name=_("confidences"))
    shown_at = models.DateTimeField(_("shown"), null=True)
    """Null = nobody saw it before choosing."""
    case = models.OneToOneField(Case, models.CASCADE, null=True, related_name="+", verbose_name=_("ticket"))
    chosen = models.ForeignKey(Topic, models.CASCADE, null=True, related_name="+", db_index=False, verbose_name=_("chosen topic"))
    chosen_at = models.DateTimeField(_("chosen"), null=True)

    class Meta:
        verbose_name = _("suggested topics")
        verbose_name_plural = _("suggested topics")
        constraints = [
            models.UniqueConstraint(fields=["session"], condition=Q(case__isnull=True), name="suggestion_one_waits"),
            models.CheckConstraint(
                condition=Q(case__isnull=True, chosen__isnull=True, chosen_at__isnull=True)
                | Q(case__isnull=False, chosen__isnull=False, chosen_at__isnull=False),
                name="suggestion_chosen_whole",
            ),
        ]
        indexes = [
            models.Index(fields=["chosen_at"], condition=Q(chosen_at__isnull=False), name="suggestion_chosen"),
            models.Index(fields=["at"], condition=Q(case__isnull=True), name="suggestion_waiting"),
        ]

    def __str__(self) -> str:
        return f"{self.pk}"
