"""Whether a compensation passes a limit, and who then has to sign: pure."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Allowed:
    """What the author may give without approval: points at once, a day, in 7 days."""

    per_operation: int = 0
    per_day: int = 0
    per_week: int = 0


@dataclass(frozen=True)
class Window:
    """What the guest may get within `days`, and got already, from everybody."""

    days: int
    points: int
    given: int


@dataclass(frozen=True)
class Given:
    """What the author gave today and in the last 7 days."""

    today: int = 0
    week: int = 0


@dataclass(frozen=True)
class Over:
    """A limit that would be passed: what it allows, and what it would come to. `days` 0 = at once."""

    limit: str
    days: int
    allowed: int
    comes_to: int

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Level:
    """Whose signature is needed for what is above `above` points, up to `up_to`."""

    id: int
    above: int
    up_to: int


def passed(points: int, *, allowed: Allowed, given: Given, windows: Sequence[Window]) -> list[Over]:
    """The limits that these points would pass."""
    asked = [
        Over("operation", 0, allowed.per_operation, points),
        Over("author", 1, allowed.per_day, given.today + points),
        Over("author", 7, allowed.per_week, given.week + points),
        *(Over("guest", window.days, window.points, window.given + points) for window in windows),
    ]
    return [over for over in asked if over.comes_to > over.allowed]


def weighed(points: int, over: Sequence[Over]) -> int:
    """The points by which the signatures are chosen: with what the guest got before, so that splitting a sum gains nothing."""
    return max([points, *(one.comes_to for one in over if one.limit == "guest")])


def signatures(points: int, levels: Sequence[Level]) -> list[Level]:
    """The levels that have to sign, none when nobody may approve so much."""
    return [level for level in levels if level.above < points <= level.up_to]
