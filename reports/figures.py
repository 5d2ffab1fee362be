"""What the reports say, each figure defined once: pure arithmetic over sums, so that parts always add up to the whole."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from functools import reduce
from typing import Self

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True)
class Sums:
    """What is added up over tickets. Averages and shares are made from these, never from other averages."""

    closed: int = 0
    answered: int = 0
    first_answer_seconds: int = 0
    resolution_seconds: int = 0
    answer_promised: int = 0
    answer_kept: int = 0
    resolution_promised: int = 0
    resolution_kept: int = 0
    messages_in: int = 0
    messages_out: int = 0
    reopened: int = 0
    asked: int = 0
    marked: int = 0
    marks: int = 0
    good_marks: int = 0

    def __add__(self, other: Self) -> "Sums":
        return Sums(**{part.name: getattr(self, part.name) + getattr(other, part.name) for part in fields(self)})

    def __sub__(self, other: Self) -> "Sums":
        return Sums(**{part.name: getattr(self, part.name) - getattr(other, part.name) for part in fields(self)})


def total(parts: Iterable[Sums]) -> Sums:
    return reduce(Sums.__add__, parts, Sums())


@dataclass(frozen=True)
class Figure:
    """One figure of a report. `value` is None where there is nothing to count; `unit` is count, share (0..1), seconds or mark (1..5)."""

    code: str
    name: Promise
    definition: Promise
    unit: str
    value: Callable[[Sums], float | None]


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


FIGURES: tuple[Figure, ...] = (
    Figure("closed", _("Closed"), _("Tickets whose last close lies in the period."), "count", lambda sums: sums.closed),
    Figure(
        "first_answer",
        _("First answer"),
        _("Mean time by the clock on the wall from opening to the first answer of a person; tickets closed without one do not count."),
        "seconds",
        lambda sums: _share(sums.first_answer_seconds, sums.answered),
    ),
    Figure(
        "answer_in_time",
        _("Answered in time"),
        _("Share of tickets with a promised first answer whose every promised answer came in time."),
        "share",
        lambda sums: _share(sums.answer_kept, sums.answer_promised),
    ),
    Figure(
        "resolution",
        _("Solved within"),
        _("Mean working time from opening to the close by the calendar of the ticket's SLA policy, without waiting for others."),
        "seconds",
        lambda sums: _share(sums.resolution_seconds, sums.closed),
    ),
    Figure(
        "resolution_in_time",
        _("Solved in time"),
        _("Share of tickets with a promised solution that were closed before it was due."),
        "share",
        lambda sums: _share(sums.resolution_kept, sums.resolution_promised),
    ),
    Figure(
        "reopened",
        _("Reopened"),
        _("How often tickets of the period were opened again before their last close."),
        "count",
        lambda s: s.reopened,
    ),
    Figure(
        "messages",
        _("Messages"),
        _("Messages between the guest and us in the ticket's dialogue up to the close."),
        "count",
        lambda sums: sums.messages_in + sums.messages_out,
    ),
    Figure(
        "mark",
        _("Mark"),
        _("Mean of the marks from 1 to 5 that guests gave for closed tickets; tickets without a mark do not count."),
        "mark",
        lambda sums: _share(sums.marks, sums.marked),
    ),
    Figure(
        "satisfied",
        _("Satisfied"),
        _("Share of the marks that are 4 or 5."),
        "share",
        lambda sums: _share(sums.good_marks, sums.marked),
    ),
    Figure(
        "marked",
        _("Gave a mark"),
        _("Share of the guests asked for a mark who gave one."),
        "share",
        lambda sums: _share(sums.marked, sums.asked),
    ),
)
