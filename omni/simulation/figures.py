"""What came out, in figures that can be laid side by side."""

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import fmean

from omni.simulation.types import Outcome

# The share of these is shown under its own name: `within_a_minute`.
SOON = 60.0


@dataclass(frozen=True)
class Hour:
    """`at` = its beginning; waits in seconds."""

    at: datetime
    came: int
    mean_wait: float
    longest_wait: float


@dataclass(frozen=True)
class Figures:
    """Waits in seconds; shares from 0 to 1. `load` = of the room that the people on line had, how much was in use."""

    served: int
    left: int
    mean_wait: float
    median_wait: float
    p90_wait: float
    longest_wait: float
    within_a_minute: float
    people: int
    load: float
    busiest: float
    most_dialogues: int
    fewest_dialogues: int
    hours: Sequence[Hour]


def figures(outcome: Outcome) -> Figures:
    """The figures of an outcome."""
    waits = sorted(one.waited for one in outcome.served)
    loads = _loads(outcome)
    numbers = Counter(one.staff for one in outcome.served)
    at_work = [numbers[staff] for staff, room in outcome.room.items() if room]
    room, used = sum(outcome.room.values()), sum(one.handling * one.weight for one in outcome.served if outcome.room.get(one.staff))
    return Figures(
        served=len(waits),
        left=outcome.left,
        mean_wait=fmean(waits) if waits else 0.0,
        median_wait=_rank(waits, 0.5),
        p90_wait=_rank(waits, 0.9),
        longest_wait=waits[-1] if waits else 0.0,
        within_a_minute=sum(wait <= SOON for wait in waits) / len(waits) if waits else 1.0,
        people=len(at_work),
        load=used / room if room else 0.0,
        busiest=max(loads.values(), default=0.0),
        most_dialogues=max(at_work, default=0),
        fewest_dialogues=min(at_work, default=0),
        hours=_hours(outcome),
    )


def _loads(outcome: Outcome) -> Mapping[int, float]:
    """Per person, how much of the room was in use; what was finished after the shift counts, too, so it may be above 1."""
    used: dict[int, float] = defaultdict(float)
    for one in outcome.served:
        used[one.staff] += one.handling * one.weight
    return {staff: used[staff] / room for staff, room in outcome.room.items() if room}


def _rank(ordered: Sequence[float], share: float) -> float:
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else 0.0


def _hours(outcome: Outcome) -> list[Hour]:
    waits: dict[datetime, list[float]] = defaultdict(list)
    for one in outcome.served:
        waits[one.came_at.replace(minute=0, second=0, microsecond=0)].append(one.waited)
    return [Hour(at, len(found), fmean(found), max(found)) for at, found in sorted(waits.items())]
