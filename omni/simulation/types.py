"""What is played again, what may be changed, what comes out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from omni.choosing import Operator, Work


@dataclass(frozen=True)
class Arrival:
    """A dialogue that began to wait at `work.waiting_since`, and how long it took whoever had it, in seconds."""

    work: Work
    queue: int
    handling: float


@dataclass(frozen=True)
class Shift:
    """A person could get work from `since` to `until`."""

    staff: int
    since: datetime
    until: datetime


@dataclass(frozen=True)
class Past:
    """A period as it was: who came, who was there. `wrap_up` = seconds of after-work by queue; `limits` as in choosing.decide."""

    since: datetime
    until: datetime
    arrivals: Sequence[Arrival]
    operators: Sequence[Operator]
    shifts: Sequence[Shift]
    wrap_up: Mapping[int, int] = field(default_factory=dict)
    limits: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Change:
    """What is to be different; None = as it is. `people`, `guests`, `handling` are per cent of what was."""

    strategy: str | None = None
    capacity: int | None = None
    wrap_up: int | None = None
    preferred_seconds: int | None = None
    needs_skills: bool = True
    people: int = 100
    guests: int = 100
    handling: int = 100


@dataclass(frozen=True)
class Served:
    """A dialogue that somebody got: when it came, seconds of waiting, the person, seconds of handling, its weight."""

    came_at: datetime
    waited: float
    staff: int
    handling: float
    weight: int


@dataclass(frozen=True)
class Outcome:
    """`left` = how many still waited at the end; `room` = capacity times seconds on line, per person."""

    served: Sequence[Served]
    left: int
    room: Mapping[int, float]
