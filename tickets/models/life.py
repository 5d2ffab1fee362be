"""What happens to a ticket in time: reasons to wait, calls to make, causes of closing, rules of reopening, who watches."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from sla.models import Calendar
from tickets.models.cases import Case
from tickets.models.closing import ClosingCause
from tickets.models.topics import Topic
from tickets.states import CaseState

WAIT_STATES = [(state.value, state.label) for state in (CaseState.WAITING_GUEST, CaseState.WAITING_STORE, CaseState.WAITING_THIRD)]


class WaitReason(models.Model):
    """Why a ticket waits, what the guest is reminded of meanwhile, and when it is closed for silence. Days are working days."""

    code = models.SlugField(_("code"), unique=True)
    name = models.CharField(_("name"), max_length=120)
    name_en = models.CharField(_("name in English"), max_length=120, blank=True)
    state = models.CharField(_("who has the next step"), max_length=16, choices=WAIT_STATES, default=CaseState.WAITING_GUEST)
    calendar = models.ForeignKey(Calendar, models.PROTECT, verbose_name=_("calendar"))
    remind_after = ArrayField(
        models.PositiveSmallIntegerField(), verbose_name=_("remind after, working days"), default=list, blank=True,
        help_text=_("Counted from the beginning of the wait, for example 2, 4."),
    )  # fmt: skip
    reminder = models.TextField(_("reminder to the guest"), blank=True)
    close_after = models.PositiveSmallIntegerField(_("close after, working days"), null=True, blank=True)
    closing = models.ForeignKey(ClosingCause, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("cause of closing"))
    farewell = models.TextField(_("last word to the guest"), blank=True)
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    is_active = models.BooleanField(_("active"), default=True)

    class Meta:
        verbose_name = _("reason to wait")
        verbose_name_plural = _("reasons to wait")
        ordering = ["position", "name"]

    def __str__(self) -> str:
        return self.shown_name

    @property
    def shown_name(self) -> str:
        return self.name_en if get_language() == "en" and self.name_en else self.name

    def clean(self) -> None:
        """Only a silent guest is reminded or closed for; days grow; a reminder needs its text."""
        days = list(self.remind_after or [])
        if days != sorted(set(days)) or 0 in days:
            raise ValidationError({"remind_after": _("Give growing numbers of days, from 1 on.")})
        if (days or self.close_after) and self.state != CaseState.WAITING_GUEST:
            raise ValidationError({"state": _("Reminders and closing are for tickets that wait for the guest.")})
        if days and not self.reminder.strip():
            raise ValidationError({"reminder": _("Write what the guest is reminded of.")})
        if self.close_after is not None and (not self.close_after or self.closing is None):
            raise ValidationError({"closing": _("Give the number of days and the cause of closing.")})
        if self.close_after and days and self.close_after <= days[-1]:
            raise ValidationError({"close_after": _("The ticket is closed after the last reminder.")})


class CaseWait(models.Model):
    """One wait of a ticket with its timer: a sweep finds it by `next_at`."""

    case = models.ForeignKey(Case, models.CASCADE, related_name="waits", verbose_name=_("ticket"))
    reason = models.ForeignKey(WaitReason, models.PROTECT, related_name="+", verbose_name=_("reason to wait"))
    since = models.DateTimeField(_("since"))
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", db_index=False, verbose_name=_("set by"))
    reminded = models.PositiveSmallIntegerField(_("reminders"), default=0)
    unsent = models.PositiveSmallIntegerField(_("of them not sent"), default=0)
    next_at = models.DateTimeField(_("next step"), null=True)
    ended_at = models.DateTimeField(_("ended"), null=True)

    class Meta:
        verbose_name = _("wait of a ticket")
        verbose_name_plural = _("waits of tickets")
        constraints = [models.UniqueConstraint(fields=["case"], condition=Q(ended_at__isnull=True), name="case_wait_one_open")]
        indexes = [models.Index(fields=["next_at"], condition=Q(ended_at__isnull=True, next_at__isnull=False), name="case_wait_next")]


class CallBack(models.Model):
    """A call to be made about a ticket. While it is due and not done, its people are told again and again."""

    PERSONAL = ("phone", "note")

    class State(models.TextChoices):
        OPEN = "open", _("to be made")
        DONE = "done", _("made")
        DROPPED = "dropped", _("not needed any more")

    case = models.ForeignKey(Case, models.CASCADE, related_name="call_backs", verbose_name=_("ticket"))
    at = models.DateTimeField(_("when"))
    phone = models.CharField(_("phone"), max_length=20, blank=True)
    note = models.TextField(_("note"), blank=True)
    state = models.CharField(_("state"), max_length=8, choices=State, default=State.OPEN)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", db_index=False, verbose_name=_("set by"))
    made_at = models.DateTimeField(_("set"))
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", db_index=False, verbose_name=_("ended by")
    )
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)
    outcome = models.TextField(_("outcome"), blank=True)
    told = models.PositiveSmallIntegerField(_("times told"), default=0)
    next_at = models.DateTimeField(_("next word"), null=True)

    class Meta:
        verbose_name = _("call to make")
        verbose_name_plural = _("calls to make")
        ordering = ["at"]
        indexes = [models.Index(fields=["next_at"], condition=Q(state="open", next_at__isnull=False), name="call_back_next")]


class ReopenRule(models.Model):
    """What a guest's word after closing means. The rule of the nearest topic holds; the one without a topic is for all others."""

    class Later(models.TextChoices):
        QUEUE = "queue", _("the dialogue waits for an operator")
        NEW_CASE = "new_case", _("a new ticket that goes on from the closed one")

    topic = models.ForeignKey(Topic, models.CASCADE, null=True, blank=True, related_name="+", verbose_name=_("topic"))
    days = models.PositiveSmallIntegerField(_("reopened within, days"), default=3, help_text=_("0 = never by itself"))
    later = models.CharField(_("later"), max_length=8, choices=Later, default=Later.QUEUE)
    until_days = models.PositiveSmallIntegerField(
        _("a new ticket within, days"), default=30, help_text=_("After that the guest's word is a new matter.")
    )

    class Meta:
        verbose_name = _("rule of reopening")
        verbose_name_plural = _("rules of reopening")
        constraints = [models.UniqueConstraint(fields=["topic"], nulls_distinct=False, name="reopen_rule_once")]

    def __str__(self) -> str:
        return f"{self.topic or '–'}: {self.days}"


class Watcher(models.Model):
    """A person who wants to hear of each step of a ticket."""

    case = models.ForeignKey(Case, models.CASCADE, related_name="watchers", verbose_name=_("ticket"))
    staff = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", verbose_name=_("member of staff"))
    since = models.DateTimeField(_("since"))

    class Meta:
        verbose_name = _("follower of a ticket")
        verbose_name_plural = _("followers of tickets")
        constraints = [models.UniqueConstraint(fields=["case", "staff"], name="watcher_once")]
