"""What the workstation itself keeps: texts that are not sent yet, closings that can still be taken back."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from worklist.states import Kind


class Draft(models.Model):
    """A person's unsent text for one item; an answer and a note are kept apart. An empty text = no draft.

    `revision` is the writer's clock in milliseconds: a late save never overwrites a newer one, nor brings a sent text back.
    """

    PERSONAL = ("text",)

    class Mode(models.TextChoices):
        ANSWER = "answer", _("answer")
        NOTE = "note", _("note")

    staff = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", db_index=False)
    kind = models.CharField(max_length=8, choices=Kind)
    subject_id = models.BigIntegerField()
    mode = models.CharField(max_length=6, choices=Mode)
    text = models.TextField(blank=True)
    revision = models.BigIntegerField(default=0)
    updated_at = models.DateTimeField()

    class Meta:
        verbose_name = _("draft")
        verbose_name_plural = _("drafts")
        constraints = [models.UniqueConstraint(fields=["staff", "kind", "subject_id", "mode"], name="draft_once")]
        indexes = [models.Index(fields=["staff", "-updated_at"], condition=~Q(text=""), name="draft_of_staff")]

    def __str__(self) -> str:
        return f"{self.kind} {self.subject_id} {self.mode}"


class HeldClosing(models.Model):
    """A closing that a person asked for and may still take back: it is carried out at `due_at`, by this row and not by a screen.

    `owner_id` and `seen_id` (the guest's newest message) are as they were then: if either changes meanwhile, nothing is closed.
    """

    PERSONAL = ("note",)

    kind = models.CharField(max_length=8, choices=Kind)
    subject_id = models.BigIntegerField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", db_index=False)
    cause = models.CharField(max_length=40, blank=True)
    note = models.TextField(blank=True)
    owner_id = models.BigIntegerField(null=True)
    seen_id = models.BigIntegerField()
    due_at = models.DateTimeField()
    tries = models.PositiveSmallIntegerField(default=0, db_default=0)
    """Of carrying it out, ended by a fault of the system."""

    class Meta:
        verbose_name = _("closing that can be taken back")
        verbose_name_plural = _("closings that can be taken back")
        constraints = [models.UniqueConstraint(fields=["kind", "subject_id"], name="held_closing_once")]
        indexes = [models.Index(fields=["due_at"], name="held_closing_due")]

    def __str__(self) -> str:
        return f"{self.kind} {self.subject_id}"
