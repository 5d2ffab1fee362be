"""What the apps above can measure of guests, for rules of segments: they register it in AppConfig.ready."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, Protocol


class Measure(Protocol):
    """One figure of a guest over a span of time. `code` stands in the rules, `name` on screens."""

    code: str
    name: Any

    def reaching(self, *, since: datetime, least: int, guest_ids: Collection[int] | None = None) -> Collection[int]:
        """Guests whose figure since then is at least `least`; only these guests when they are named."""


_measures: dict[str, Measure] = {}


def register(measure: Measure) -> None:
    _measures[measure.code] = measure


def measure_of(code: str) -> Measure | None:
    """None = no app of this product measures it (any more): its rules fit nobody."""
    return _measures.get(code)


def choices() -> Sequence[tuple[str, Any]]:
    """Code and name of each, for a form."""
    return [(measure.code, measure.name) for measure in _measures.values()]
