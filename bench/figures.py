"""Figures as JSON lines, one a line, on stdout."""

import json
import math
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from statistics import median


@dataclass(frozen=True)
class Figure:
    """`limit` is the physical limit measured in the same run, in the same unit; `ratio` = value / limit. None = there is none."""

    name: str
    value: float
    unit: str
    limit: float | None = None
    ratio: float | None = None


class Missing(Exception):
    """The text is one sentence for the person at the terminal."""


def figure(name: str, value: float, unit: str, limit: float | None = None) -> Figure:
    """A figure with its ratio, rounded to what can be told apart."""
    ratio = _short(value / limit) if limit else None
    return Figure(name, _short(value), unit, _short(limit) if limit is not None else None, ratio)


def emit(figures: Iterable[Figure]) -> None:
    for one in figures:
        print(json.dumps(asdict(one), ensure_ascii=False), flush=True)


def read(lines: Iterable[str]) -> Iterator[Figure]:
    """Figures from their JSON lines; empty lines are skipped."""
    for line in lines:
        if line.strip():
            yield Figure(**json.loads(line))


def say(text: str) -> None:
    """Progress, for the person who waits."""
    print(text, file=sys.stderr, flush=True)


def percentile(values: Sequence[float], share: float) -> float:
    """The nearest-rank percentile: `share` 0.99 = 99 % of the values are not above it. ValueError for no values."""
    if not values:
        raise ValueError("no values")
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def middle(values: Iterable[float]) -> float:
    """The median: one disturbed round of several does not move it."""
    return median(values)


def _short(value: float) -> float:
    digits = 0 if abs(value) >= 1000 else 1 if abs(value) >= 100 else 2 if abs(value) >= 1 else 4
    return round(value, digits)
