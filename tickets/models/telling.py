"""What guests are told of their tickets, and what they answer when asked for a mark."""

import uuid

from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from customers.models import Identity
from omni.models import Message, Notice
from stores.models import Chain
from tickets.asking import unknown_places
from tickets.models.cases import Case
from tickets.models.topics import Topic
from tickets.states import Cause
from tickets.telling import GuestStatus, OnLow, SurveyState, TellState, TellWay, Untold

PLACES = ("number", "topic", "guest")


def check_places(text: str, *places: str) -> None:
    """Raises ValidationError when the text names a place that is not filled in."""
    if unknown := unknown_places(text, (*PLACES, *places)):
        raise ValidationError(_("There is no such place: %(name)s.") % {"name": unknown[0]})


class GuestText(models.Model):
    """What a guest is told when a ticket gets so far; none in use = nothing.

    A text in the guest's language wins, else the Russian one; of these the nearest topic, then the chain.
    """

    status = models.CharField(_("when"), max_length=8, choices=GuestStatus)
    topic = models.ForeignKey(
        Topic, models.CASCADE, null=True, blank=True, related_name="+", verbose_name=_("topic"), help_text=_("And all below; empty = any.")
    )
    chain = models.ForeignKey(Chain, models.CASCADE, null=True, blank=True, related_name="+", verbose_name=_("chain"))
    language = models.CharField(
        _("language"),
        max_length=2,
        choices=[("ru", _("Russian")), ("en", _("English"))],
        default="ru",
        db_default="ru",
        help_text=_("Guests of another language get the Russian text."),
    )
    title = models.CharField(_("title"), max_length=120, help_text=_("Of a push."))
    text = models.TextField(_("text"), help_text=_("{number}, {topic} and {guest} are filled in; for points {points}, too."))
    falls_back = models.BooleanField(
        _("by push or SMS, too"), default=False, help_text=_("When the guest's channel does not take it; with consent, by day.")
    )
    is_active = models.BooleanField(_("active"), default=True)

    class Meta:
        verbose_name = _("notice of a ticket")
        verbose_name_plural = _("notices of tickets")
        ordering = ["status", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["status", "topic", "chain", "language"], name="guest_text_once", nulls_distinct=False)
        ]

    def __str__(self) -> str:
        return f"{self.get_status_display()} · {self.title}"

    def clean(self) -> None:
        """Only places that are filled in."""
        check_places(self.title + self.text, *(("points",) if self.status == GuestStatus.POINTS else ()))


class GuestNotice(models.Model):
    """That a guest is told of one state of one ticket: once, or not at all."""

    case = models.ForeignKey(Case, models.CASCADE, related_name="notices", verbose_name=_("ticket"))
    status = models.CharField(_("of what"), max_length=8, choices=GuestStatus)
    wording = models.ForeignKey(GuestText, models.SET_NULL, null=True, related_name="+", db_index=False, verbose_name=_("text"))
    state = models.CharField(_("state"), max_length=8, choices=TellState, default=TellState.DUE)
    way = models.CharField(_("way"), max_length=8, choices=TellWay, blank=True)
    why_not = models.CharField(_("why not"), max_length=10, choices=Untold, blank=True)
    next_at = models.DateTimeField(_("not before"), null=True)
    message = models.ForeignKey(Message, models.SET_NULL, null=True, related_name="+", db_index=False, verbose_name=_("message"))
    notice = models.ForeignKey(Notice, models.SET_NULL, null=True, related_name="+", db_index=False, verbose_name=_("notice"))
    created_at = models.DateTimeField(_("written"))
    told_at = models.DateTimeField(_("told"), null=True)

    class Meta:
        verbose_name = _("what a guest was told")
        verbose_name_plural = _("what guests were told")
        constraints = [models.UniqueConstraint(fields=["case", "status"], name="guest_told_once")]
        indexes = [models.Index(fields=["next_at"], condition=Q(state=TellState.DUE), name="guest_notice_due")]

    def __str__(self) -> str:
        return f"{self.case_id} · {self.status}"


def _unsolved() -> list[str]:
    return [Cause.DUPLICATE, Cause.NO_ANSWER]


class SurveyRule(models.Model):
    """How guests are asked for a mark after a ticket is closed; none in use = nobody is asked. The nearest topic wins."""

    name = models.CharField(_("name"), max_length=80)
    topic = models.OneToOneField(
        Topic, models.CASCADE, null=True, blank=True, related_name="+", verbose_name=_("topic"), help_text=_("And all below; empty = any.")
    )
    delay_minutes = models.PositiveIntegerField(_("after the close, minutes"), default=60)
    keeps_hours = models.PositiveSmallIntegerField(_("an answer is waited for, hours"), default=72, validators=[MinValueValidator(1)])
    rest_days = models.PositiveSmallIntegerField(_("one guest at most once in, days"), default=7, help_text=_("0 = after each ticket."))
    skipped_causes = ArrayField(
        models.CharField(max_length=12, choices=Cause), verbose_name=_("not after these causes"), default=_unsolved, blank=True
    )
    question = models.TextField(_("question"), help_text=_("{number}, {topic} and {guest} are filled in."))
    link_question = models.TextField(_("question with a link"), help_text=_("For mail, push and SMS; {link} is filled in, too."))
    comment_question = models.TextField(_("question for a comment"), blank=True, help_text=_("Empty = no comment is asked for."))
    thanks = models.TextField(_("thanks"), blank=True)
    low_mark = models.PositiveSmallIntegerField(
        _("a low mark, at most"), default=2, validators=[MinValueValidator(1), MaxValueValidator(4)]
    )
    on_low = models.CharField(_("a low mark does"), max_length=8, choices=OnLow, default=OnLow.NOTHING)
    alert_address = models.EmailField(_("letter to"), blank=True)
    falls_back = models.BooleanField(
        _("by push or SMS, too"), default=False, help_text=_("When the guest's channel does not take it; with consent, by day.")
    )
    is_active = models.BooleanField(_("active"), default=True)

    class Meta:
        verbose_name = _("question of satisfaction")
        verbose_name_plural = _("questions of satisfaction")

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Only places that are filled in; the link and the letter's address where they are needed."""
        check_places(self.question + self.comment_question + self.thanks)
        check_places(self.link_question, "link")
        if "{link}" not in self.link_question:
            raise ValidationError({"link_question": _("The text must hold {link}.")})
        if self.on_low == OnLow.ALERT and not self.alert_address:
            raise ValidationError({"alert_address": _("Name the mailbox that the letter goes to.")})


class Survey(models.Model):
    """The one question of satisfaction about a ticket, and its answer. Of the link's token only the SHA-256 is kept."""

    PERSONAL = ("comment",)

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    digest = models.CharField(max_length=64, editable=False)
    case = models.OneToOneField(Case, models.CASCADE, related_name="survey", verbose_name=_("ticket"))
    rule = models.ForeignKey(SurveyRule, models.SET_NULL, null=True, related_name="+", db_index=False, verbose_name=_("rule"))
    state = models.CharField(_("state"), max_length=8, choices=SurveyState, default=SurveyState.DUE)
    why_not = models.CharField(_("why not"), max_length=10, choices=Untold, blank=True)
    next_at = models.DateTimeField(_("not before"), null=True)
    expires_at = models.DateTimeField(_("waited for until"))
    way = models.CharField(_("way"), max_length=8, choices=TellWay, blank=True)
    identity = models.ForeignKey(
        Identity, models.SET_NULL, null=True, related_name="+", db_index=False, verbose_name=_("asked by the channel account")
    )
    asked = models.ForeignKey(Message, models.SET_NULL, null=True, related_name="+", db_index=False, verbose_name=_("question"))
    follow_up = models.ForeignKey(Message, models.SET_NULL, null=True, related_name="+", db_index=False, verbose_name=_("after the mark"))
    asked_at = models.DateTimeField(_("asked"), null=True)
    mark = models.PositiveSmallIntegerField(_("mark"), null=True, validators=[MinValueValidator(1), MaxValueValidator(5)])
    marked_at = models.DateTimeField(_("marked"), null=True)
    comment = models.TextField(_("comment"), blank=True)

    class Meta:
        verbose_name = _("mark of a guest")
        verbose_name_plural = _("marks of guests")
        constraints = [models.CheckConstraint(condition=Q(mark__isnull=True) | Q(mark__gte=1, mark__lte=5), name="survey_mark_1_to_5")]
        indexes = [
            models.Index(fields=["next_at"], condition=Q(state=SurveyState.DUE), name="survey_due"),
            models.Index(
                fields=["identity", "-asked_at"],
                condition=Q(state__in=[SurveyState.ASKED, SurveyState.MARKED, SurveyState.DONE]),
                name="survey_of_identity",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.case_id}: {self.mark or '–'}"
