"""Tickets that belong together: joined as one matter, under a parent, related, split from one another."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from omni.models import Message
from tickets.models.cases import Case


class CaseLink(models.Model):
    """`case` belongs to `main`: as a duplicate, a child, related, or split from it. Undone links stay as rows."""

    class Kind(models.TextChoices):
        DUPLICATE = "duplicate", _("duplicate of")
        CHILD = "child", _("part of")
        RELATED = "related", _("related to")
        SPLIT = "split", _("split from")

    kind = models.CharField(_("kind"), max_length=10, choices=Kind)
    case = models.ForeignKey(Case, models.CASCADE, related_name="links", verbose_name=_("ticket"))
    main = models.ForeignKey(Case, models.CASCADE, related_name="links_here", verbose_name=_("main ticket"))
    at = models.DateTimeField(_("at"))
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", db_index=False, verbose_name=_("by"))
    before = models.JSONField(default=dict)
    """What the undo needs: state, cause and dialogue of the ticket as it was."""
    undone_at = models.DateTimeField(_("undone"), null=True)
    undone_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", db_index=False, verbose_name=_("undone by")
    )

    class Meta:
        verbose_name = _("link of tickets")
        verbose_name_plural = _("links of tickets")
        constraints = [
            models.CheckConstraint(condition=~Q(case=F("main")), name="link_not_to_itself"),
            # A ticket is a duplicate of one, and part of one, at a time.
            models.UniqueConstraint(
                fields=["case", "kind"], condition=Q(undone_at=None, kind__in=["duplicate", "child"]), name="link_one_main"
            ),
            models.UniqueConstraint(fields=["case", "main", "kind"], condition=Q(undone_at=None), name="link_once"),
        ]
        indexes = [models.Index(fields=["main", "kind"], condition=Q(undone_at=None), name="link_of_main")]

    def __str__(self) -> str:
        return f"{self.case_id} {self.kind} {self.main_id}"


class JoinedWord(models.Model):
    """What the guest of a joined ticket said later: it is told in the main ticket's feed, in a transaction of its own."""

    message = models.OneToOneField(Message, models.CASCADE, primary_key=True, related_name="+")
    case = models.ForeignKey(Case, models.CASCADE, related_name="+", db_index=False)
    """The joined ticket."""
    at = models.DateTimeField()
    told_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["at"], condition=Q(told_at=None), name="joined_word_due")]

    def __str__(self) -> str:
        return str(self.message_id)
