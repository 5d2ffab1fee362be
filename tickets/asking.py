"""Asking others about a ticket: the store, those who approve, the guest. Kinds and rules; pure."""

import re
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from django.db import models
from django.utils.translation import gettext_lazy as _

_PLACE = re.compile(r"\{(\w+)\}")
_NAME_FIRST = re.compile(r"(?m)^([ \t]*)\{guest\}[ \t]*[,!.]?[ \t]*(\w?)")
_NAME = re.compile(r",?[ \t]*\{guest\}")


class LetterKind(models.TextChoices):
    """What a letter about a ticket is for."""

    STORE_ASKED = "store_asked", _("the store is asked")
    STORE_REMINDED = "store_reminded", _("the store is reminded")
    APPROVAL_ASKED = "approval_asked", _("approval is asked for")
    APPROVAL_REMINDED = "approval_reminded", _("reminder of an approval")
    LOW_MARK = "low_mark", _("a low mark")


# What a letter's text may name, by kind; the admin page shows these.
PLACES = {
    LetterKind.STORE_ASKED: ("number", "topic", "store", "matter", "question", "until", "link"),
    LetterKind.STORE_REMINDED: ("number", "topic", "store", "matter", "question", "until", "link"),
    LetterKind.APPROVAL_ASKED: ("number", "topic", "rule", "question", "asker", "until", "link"),
    LetterKind.APPROVAL_REMINDED: ("number", "topic", "rule", "question", "asker", "until", "link"),
    LetterKind.LOW_MARK: ("number", "topic", "mark", "comment", "link"),
}


class LetterState(models.TextChoices):
    QUEUED = "queued", _("waits to be sent")
    SENDING = "sending", _("is being sent")
    SENT = "sent", _("sent")
    FAILED = "failed", _("not sent")
    CANCELLED = "cancelled", _("called off")


class StoreWord(models.TextChoices):
    """How the store used its link."""

    ANSWERED = "answered", _("answered")
    NOT_OURS = "not_ours", _("not about this store")


class Revoked(models.TextChoices):
    """Why a link was taken back."""

    LEFT = "left", _("the ticket does not wait for the store any more")
    REPLACED = "replaced", _("a newer link was sent")


def latest_promise(*, asked_at: datetime, most_hours: int) -> datetime:
    """The latest moment that a store may promise."""
    return asked_at + timedelta(hours=most_hours)


def remind_at(*, due_at: datetime | None, promised_at: datetime | None, before: timedelta) -> datetime | None:
    """When the store is reminded: so long before its own promise, else before the ticket's clock ends; None = there is no clock."""
    end = promised_at or due_at
    return end - before if end else None


def fill(text: str, values: Mapping[str, str]) -> str:
    """The text with `{name}` places filled in; what is no place stays as it is written. A guest without a name is not called by one."""
    if values.get("guest") == "":
        text = _nameless(text)
    return _PLACE.sub(lambda found: values.get(found[1], found[0]), text)


def _nameless(text: str) -> str:
    """The comma goes with the name: "Hello, {guest}!" is "Hello!", "{guest}, we see" is "We see"."""
    return _NAME.sub("", _NAME_FIRST.sub(lambda found: found[1] + found[2].upper(), text))


def unknown_places(text: str, names: Iterable[str]) -> list[str]:
    """Words in braces that are no place."""
    return [name for name in _PLACE.findall(text) if name not in set(names)]
