"""What escalation is about: kinds of subject, each looked after by an app above (registered in AppConfig.ready)."""

from datetime import datetime
from typing import Protocol

from accounts.models import Staff


class Subjects(Protocol):
    """One kind of subject: `case`, `incident`."""

    kind: str

    def start_due(self, *, now: datetime) -> int:
        """Start the ladders of subjects that need one and have none; safe to call at any time. Returns how many."""

    def take(self, subject_id: int, *, by: Staff, now: datetime) -> None:
        """The person takes the subject, which also takes its run. Raises Refusal."""


_kinds: dict[str, Subjects] = {}


def register(subjects: Subjects) -> None:
    _kinds[subjects.kind] = subjects


def kinds() -> tuple[Subjects, ...]:
    return tuple(_kinds.values())


def of(subject: str) -> tuple[Subjects, int] | None:
    """Who looks after `case:7`, and the 7; None when nobody does."""
    kind, _colon, number = subject.partition(":")
    found = _kinds.get(kind)
    return (found, int(number)) if found and number.isdecimal() else None
