"""States of a work item, and the counters that they feed."""

from datetime import UTC, datetime

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

# Sorts behind every real deadline; keeps the sort column free of NULL, so keyset paging needs no special case.
NO_DUE = datetime(9999, 1, 1, tzinfo=UTC)


class Kind(models.TextChoices):
    SESSION = "session", _("dialogue")
    CASE = "case", _("ticket")


class ItemState(models.TextChoices):
    WAITING = "waiting", _("waiting in the queue")
    ACTIVE = "active", _("in work")
    ANSWERED = "answered", _("answered, waits for the guest")
    SNOOZED = "snoozed", _("put off")
    CLOSED = "closed", _("closed")


class Sort(models.TextChoices):
    DUE = "due", _("SLA")
    NEWEST = "newest", _("newest")
    LONGEST = "longest", _("waiting longest")
    PRIORITY = "priority", _("priority")


class Tab(models.TextChoices):
    MINE = "mine", _("Mine")
    QUEUE = "queue", _("Queue")
    GROUP = "group", _("Group")
    SNOOZED = "snoozed", pgettext_lazy("tab", "Put off")
    ALL = "all", _("All")
