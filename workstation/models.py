"""What the workstation itself keeps: texts that are not sent yet."""

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
