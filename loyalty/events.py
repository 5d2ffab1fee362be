"""What loyalty tells, after commit."""

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True)
class AlarmRaised:
    """A proof of the ledger failed."""

    alarm_id: int


@dataclass(frozen=True)
class CompensationAsked:
    """A compensation waits for signatures."""

    compensation_id: UUID


@dataclass(frozen=True)
class CompensationDecided:
    """A compensation was granted, refused, withdrawn, or ran out of time."""

    compensation_id: UUID
    state: str
