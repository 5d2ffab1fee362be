"""What a bulk load stands on: who works where, by ids. Plain values, so that rows can be made without the base."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sla.rules import WorkingHours


@dataclass(frozen=True)
class Channel:
    """A channel account: `scope` is its public id as text."""

    account_id: int
    kind: str
    scope: str
    queue_id: int
    group_id: int
    operators: Sequence[int]


@dataclass(frozen=True)
class Promise:
    """An SLA policy. Seconds of working time, 0 = not promised."""

    policy_id: int
    first_response: int
    resolution: int
    hours: WorkingHours


@dataclass(frozen=True)
class Matter:
    """A leaf topic with everything it inherits, and how often it comes."""

    topic_id: int
    name: str
    path: tuple[str, ...]
    group_id: int
    promise: Promise
    store_involved: bool
    store_required: bool
    experts: Sequence[int]
    weight: int


@dataclass(frozen=True)
class World:
    channels: Sequence[Channel]
    matters: Sequence[Matter]
    stores: Sequence[int]
    now: datetime


@dataclass(frozen=True)
class Bases:
    """The first free id of each table; `number` is the first free ticket number."""

    guest: int = 1
    identity: int = 1
    session: int = 1
    message: int = 1
    case: int = 1
    step: int = 1
    clock: int = 1
    pause: int = 1
    item: int = 1
    number: int = 100001
