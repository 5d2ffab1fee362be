"""What clocks run for: kinds of subject, each looked after by an app above (registered in AppConfig.ready)."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Protocol


class Subjects(Protocol):
    """One kind of subject: `case`, `session`."""

    kind: str

    def carry_out(self, subject_id: int, deed: Callable[[str], int], *, policy: str, now: datetime) -> int:
        """Lock the subject, then call `deed` with its store's time zone (empty = none); show what came of it if it changed clocks.

        `policy` is the changed policy's name, for the subject's history. Returns what `deed` returned; 0 when the subject is gone.
        """

    def names(self, ids: Sequence[int]) -> Mapping[int, str]:
        """What people call these subjects."""

    def find(self, words: str) -> Sequence[int]:
        """The newest subjects that a person means by a number, by an index; at most FOUND."""


FOUND = 200
_kinds: dict[str, Subjects] = {}


def register(subjects: Subjects) -> None:
    _kinds[subjects.kind] = subjects


def of(subject: str) -> tuple[Subjects, int] | None:
    """Who looks after `case:7`, and the 7; None when nobody does."""
    kind, _colon, number = subject.partition(":")
    found = _kinds.get(kind)
    return (found, int(number)) if found and number.isdecimal() else None


def find(words: str) -> Sequence[str]:
    """The subjects that a person means: `case:7` itself, else by the numbers that people use (a ticket's, its store's, a dialogue's)."""
    said = words.strip()
    if ":" in said:
        return [said]
    number = said.lstrip("#№ ")
    return [f"{kind}:{pk}" for kind, subjects in _kinds.items() for pk in subjects.find(number)] if number else []


def names_of(subjects: Sequence[str]) -> Mapping[str, str]:
    """The subjects as people call them; those that nobody looks after by themselves."""
    wanted: dict[str, list[int]] = {}
    for subject in subjects:
        if found := of(subject):
            wanted.setdefault(found[0].kind, []).append(found[1])
    told = {f"{kind}:{pk}": name for kind, ids in wanted.items() for pk, name in _kinds[kind].names(ids).items()}
    return {subject: told.get(subject, subject) for subject in subjects}
