"""Work on many tickets at once: a job and its tickets, each a row, so that a killed worker forgets nothing and does nothing twice."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from tickets.models.cases import Case


class MassJob(models.Model):
    """One deed on many tickets. Gathered in the background, shown before it runs, stopped and resumed at any ticket."""

    PERSONAL = ("text",)

    class Kind(models.TextChoices):
        ANSWER = "answer", _("answer the guests")
        TOPIC = "topic", _("another topic")
        GROUP = "group", _("another group")
        OWNER = "owner", _("another owner")
        CLOSE = "close", _("close")
        LINK = "link", _("put under a main ticket")

    class State(models.TextChoices):
        GATHERING = "gathering", _("tickets are being gathered")
        READY = "ready", _("ready to start")
        RUNNING = "running", _("running")
        STOPPED = "stopped", _("stopped")
        DONE = "done", _("done")
        DROPPED = "dropped", _("dropped")

    kind = models.CharField(_("deed"), max_length=8, choices=Kind)
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.GATHERING)
    text = models.TextField(_("text"), blank=True)
    params = models.JSONField(default=dict)
    """Of a change: its new value. Of an answer: the approved text for each account whose reply window may be over."""
    chosen = models.JSONField(default=dict)
    """Which tickets: `incident`, or `cases` by their ids, or a `filter` of the list with its `cursor`."""
    title = models.CharField(_("title"), max_length=200)
    total = models.PositiveIntegerField(_("tickets"), default=0)
    done = models.PositiveIntegerField(_("done"), default=0)
    refused = models.PositiveIntegerField(_("refused"), default=0)
    left_out = models.PositiveIntegerField(_("left out"), default=0)
    made_at = models.DateTimeField(_("made"))
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("by"))
    started_at = models.DateTimeField(_("started"), null=True)
    ended_at = models.DateTimeField(_("ended"), null=True)

    class Meta:
        verbose_name = _("mass job")
        verbose_name_plural = _("mass jobs")
        indexes = [
            models.Index(fields=["-made_at"], name="mass_job_recent"),
            models.Index(fields=["id"], condition=Q(state__in=["gathering", "running"]), name="mass_job_due"),
        ]

    def __str__(self) -> str:
        return self.title


class MassItem(models.Model):
    """One ticket of a job. What was done and that it was done are one transaction."""

    class State(models.TextChoices):
        WAITING = "waiting", _("waits")
        DONE = "done", _("done")
        REFUSED = "refused", _("refused")
        LEFT_OUT = "left_out", _("left out")

    job = models.ForeignKey(MassJob, models.CASCADE, related_name="items")
    case = models.ForeignKey(Case, models.CASCADE, related_name="+", db_index=False)
    session_id = models.BigIntegerField(null=True)
    state = models.CharField(_("state"), max_length=8, choices=State, default=State.WAITING)
    channel = models.CharField(_("channel"), max_length=24, blank=True)
    code = models.CharField(max_length=32, blank=True)
    reason = models.CharField(_("why not"), max_length=240, blank=True)
    message_id = models.BigIntegerField(null=True)
    at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["job", "case"], name="mass_item_once"),
            # One guest in one dialogue gets one answer, however many tickets it has.
            models.UniqueConstraint(
                fields=["job", "session_id"],
                condition=Q(state__in=["waiting", "done"], session_id__isnull=False),
                name="mass_item_dialogue",
            ),
        ]
        indexes = [models.Index(fields=["job", "id"], condition=Q(state="waiting"), name="mass_item_due")]

    def __str__(self) -> str:
        return f"{self.job_id}: {self.case_id}"
