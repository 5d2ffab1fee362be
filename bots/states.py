"""States of a dialogue's versions, of runs and of their turns."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class VersionState(models.TextChoices):
    DRAFT = "draft", _("draft")
    PUBLISHED = "published", _("published")
    RETIRED = "retired", _("retired")


class RunState(models.TextChoices):
    OPEN = "open", _("goes on")
    DONE = "done", _("finished")
    HANDED = "handed", _("handed to a person")
    TAKEN = "taken", _("taken by a person")
    SILENT = "silent", _("the guest fell silent")


class TurnState(models.TextChoices):
    DUE = "due", _("to be answered")
    DONE = "done", _("answered")
    SKIPPED = "skipped", _("a person was there first")
