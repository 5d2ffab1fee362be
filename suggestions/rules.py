"""What is suggested, what counts as a hit, and when a new model takes over: pure."""

import math
import zlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

# One in this many cases is never trained on, in no version: so all versions can be compared on them.
HELD_OUT_OF = 10
MOST_LETTERS = 1500
# What parts of a topic's own words count beside its name.
BRANCH, INSTRUCTION, ANSWERS = 0.3, 0.6, 0.2
Document = Sequence[tuple[str, float]]


@dataclass(frozen=True)
class Guess:
    """A topic and how sure the model is, 0 to 1."""

    topic_id: int
    confidence: float


@dataclass(frozen=True)
class Hits:
    """How many of `of` texts had their topic as the first guess, and among the first three."""

    of: int
    first: int
    third: int

    @property
    def at_one(self) -> float | None:
        return self.first / self.of if self.of else None

    @property
    def at_three(self) -> float | None:
        return self.third / self.of if self.of else None


class Sureness(StrEnum):
    """A confidence in a word."""

    LIKELY = "likely"
    POSSIBLE = "possible"
    UNSURE = "unsure"


def guesses(confidences: Mapping[int, float], *, allowed: Collection[int], most: int, least: float) -> Sequence[Guess]:
    """At most `most` allowed topics that are at least `least` sure, the surest first; a tie goes to the lower id."""
    found = [Guess(topic, value) for topic, value in confidences.items() if topic in allowed and value >= least and math.isfinite(value)]
    return sorted(found, key=lambda guess: (-guess.confidence, guess.topic_id))[: max(0, most)]


def sureness(confidence: float, *, likely_from: float, possible_from: float) -> Sureness:
    if confidence >= likely_from:
        return Sureness.LIKELY
    return Sureness.POSSIBLE if confidence >= possible_from else Sureness.UNSURE


def percent(confidence: float) -> int:
    """Whole percent; never 0 and never 100, for a guess is neither."""
    return min(99, max(1, round(confidence * 100)))


def what_was_said(subject: str, newest_first: Sequence[str]) -> str:
    """A dialogue as one text: its subject, then the guest's messages in their order; the newest ones when it is too long."""
    said, left = [], MOST_LETTERS
    for text in newest_first:
        said.append(text[:left])
        left -= len(said[-1])
    return "\n".join(part for part in [subject, *reversed(said)] if part.strip())


def document(*, name: str, branch: str = "", instruction: str = "", answers: str = "") -> Document:
    """A topic's own words with what they count: all that is known of it before its first case."""
    parts = ((name, 1.0), (branch, BRANCH), (instruction, INSTRUCTION), (answers, ANSWERS))
    return [(text, share) for text, share in parts if text]


def is_held_out(case_id: int) -> bool:
    """Whether this case only measures models."""
    return zlib.crc32(str(case_id).encode()) % HELD_OUT_OF == 0


def is_worse(new: Hits, before: Hits, *, tolerated: float, least: int) -> bool:
    """Whether the new model must not take over: on the same texts it finds fewer topics among its first three than the one before,
    by more than `tolerated` (a share). Fewer than `least` texts tell nothing.
    """
    if new.of < least or new.at_three is None or before.at_three is None:
        return False
    return new.at_three < before.at_three - tolerated
