"""A clock's whole story from what happened to it: pure, so that any reading can be explained and checked.

The rules (docs/architecture.md, "Clocks"): only working time under the terms in force counts; a pause freezes what is left, whatever
calendar lies inside it; new terms keep the time used and change the rest; a promise is broken when its clock runs past its due instant,
never while it stands; a clock that goes on with nothing left is due when work next begins.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from sla.rules import WorkingHours, deadline, worked


class Deed(StrEnum):
    """What may happen to a clock."""

    START = "start"
    PAUSE = "pause"
    RESUME = "resume"
    TERMS = "terms"
    END = "end"


@dataclass(frozen=True)
class Terms:
    """What is promised: `seconds` of working time by these hours. `name` is for the reader of the story."""

    hours: WorkingHours
    seconds: float
    name: str = ""


@dataclass(frozen=True)
class Entry:
    """One thing that happened. `terms` belong to START and TERMS, `reason` to PAUSE."""

    at: datetime
    deed: Deed
    terms: Terms | None = None
    reason: str = ""


@dataclass(frozen=True)
class Span:
    """An interval in which nothing changed. `worked` = seconds of working time that counted in it (0 while paused)."""

    since: datetime
    until: datetime
    is_running: bool
    terms: Terms
    worked: float
    reason: str = ""


@dataclass
class Reading:
    """How a clock stands at an instant: `spent` seconds used, `due_at` None while it stands or has ended."""

    spans: list[Span] = field(default_factory=list)
    spent: float = 0.0
    due_at: datetime | None = None
    breached_at: datetime | None = None
    ended_at: datetime | None = None

    @property
    def met(self) -> bool | None:
        """Whether the promise was kept; None while it is open."""
        return self.breached_at is None if self.ended_at else None


class BadStory(ValueError):
    """The entries cannot be the story of one clock: out of order, no beginning, a pause in a pause."""


def read(entries: Iterable[Entry], *, now: datetime) -> Reading:
    """The story of one clock up to `now`. Raises BadStory, sla.rules.NoWorkingTime."""
    teller = _Teller()
    for entry in entries:
        teller.hear(entry)
    return teller.close(now)


class _Teller:
    """Walks through a story; between two entries nothing changes."""

    def __init__(self) -> None:
        self.reading = Reading()
        self.terms: Terms | None = None
        self.is_running = False
        self.mark: datetime | None = None
        self.reason = ""

    def hear(self, entry: Entry) -> None:
        self._check(entry)
        self._walk_to(entry.at)
        if entry.deed is Deed.PAUSE:
            self.is_running, self.reason, self.reading.due_at = False, entry.reason, None
        elif entry.deed is Deed.END:
            self.is_running, self.reading.due_at, self.reading.ended_at = False, None, entry.at
        else:
            self.terms = entry.terms or self.terms
            self.is_running = self.is_running or entry.deed in {Deed.START, Deed.RESUME}
            if self.is_running:
                self._run_from(entry.at)

    def _check(self, entry: Entry) -> None:
        begun, ended = self.mark is not None, self.reading.ended_at is not None
        wrong = {
            Deed.START: begun or entry.terms is None,
            Deed.PAUSE: not self.is_running,
            Deed.RESUME: not begun or self.is_running,
            Deed.TERMS: not begun or entry.terms is None,
            Deed.END: not begun,
        }[entry.deed]
        if wrong or ended or (self.mark is not None and entry.at < self.mark):
            raise BadStory(f"{entry.deed} at {entry.at} does not fit")

    def _run_from(self, at: datetime) -> None:
        assert self.terms is not None
        left = max(0.0, self.terms.seconds - self.reading.spent)
        self.reading.due_at = deadline(self.terms.hours, at, left)

    def _walk_to(self, at: datetime) -> None:
        """Count the interval that ends here."""
        if self.mark is not None and self.terms is not None and self.reading.ended_at is None and at > self.mark:
            counted = worked(self.terms.hours, self.mark, at) if self.is_running else 0.0
            reason = "" if self.is_running else self.reason
            self.reading.spans.append(Span(self.mark, at, self.is_running, self.terms, counted, reason))
            self.reading.spent += counted
            if self.is_running and self.reading.due_at and at > self.reading.due_at and self.reading.breached_at is None:
                self.reading.breached_at = self.reading.due_at
        self.mark = at

    def close(self, now: datetime) -> Reading:
        if self.mark is None:
            raise BadStory("a story without a beginning")
        if self.reading.ended_at is None:
            self._walk_to(max(now, self.mark))
        return self.reading


def overlaps(spans: Sequence[Span], instants: Iterable[datetime]) -> list[tuple[Span, datetime]]:
    """The pauses in which one of the instants lies (a guest's message ends a wait for the guest, so such a pause was not lawful)."""
    paused = [span for span in spans if not span.is_running]
    return [(span, at) for at in instants for span in paused if span.since < at < span.until]
