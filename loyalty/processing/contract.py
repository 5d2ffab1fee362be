"""What any processing of points can be asked. Every call carries the operation's own id, so that a repeat is harmless."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Protocol
from uuid import UUID


class AnswerState(StrEnum):
    CONFIRMED = "confirmed"
    REFUSED = "refused"
    PENDING = "pending"


@dataclass(frozen=True)
class Sent:
    """An operation as it is told: points above zero go to the card, below zero are taken from it."""

    id: UUID
    card: str
    points: int
    made_at: datetime


@dataclass(frozen=True)
class Answer:
    """What the processing says of an operation. `points` as it booked them, `reference` its own number."""

    state: AnswerState
    points: int = 0
    reference: str = ""
    text: str = ""


@dataclass(frozen=True)
class DayTotals:
    """A day of the processing in one sum."""

    operations: int
    points: int


class NoAnswer(Exception):
    """No answer that can be relied upon. `certain` = the operation cannot have reached the processing."""

    def __init__(self, text: str, *, certain: bool) -> None:
        super().__init__(text)
        self.certain = certain


class Processor(Protocol):
    """A processing of points. Every method raises NoAnswer."""

    def book(self, sent: Sent) -> Answer:
        """Book the operation; an id that is known gets its first answer."""

    def find(self, id: UUID) -> Answer | None:
        """What became of the operation; None when the processing does not know it."""

    def balance(self, card: str) -> int | None:
        """The card's points there; None for a card that it does not know."""

    def totals(self, day: date) -> DayTotals:
        """The day's confirmed operations, by the processing's own calendar (UTC)."""
