"""A line of the map as it is frozen into a run: pure, and as JSON."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any

from escalation.states import StepKind
from sla.rules import NoWorkingTime, WorkingHours, deadline


@dataclass(frozen=True)
class Hours:
    """Working hours as JSON holds them: ISO dates and times."""

    zone: str
    week: Mapping[str, Sequence[Sequence[str]]]
    exceptions: Mapping[str, Sequence[Sequence[str]]]

    def working(self) -> WorkingHours:
        return WorkingHours(
            zone=self.zone,
            week={int(day): _times(spans) for day, spans in self.week.items()},
            exceptions={date.fromisoformat(day): _times(spans) for day, spans in self.exceptions.items()},
        )


def _times(spans: Sequence[Sequence[str]]) -> list[tuple[time, time]]:
    return [(time.fromisoformat(begins), time.fromisoformat(ends)) for begins, ends in spans]


def hours_from(working: WorkingHours) -> Hours:
    """The reverse of `Hours.working`."""
    return Hours(
        zone=working.zone,
        week={str(day): [[str(begins), str(ends)] for begins, ends in spans] for day, spans in working.week.items()},
        exceptions={str(day): [[str(begins), str(ends)] for begins, ends in spans] for day, spans in working.exceptions.items()},
    )


def next_open(hours: Hours | None, at: datetime) -> datetime:
    """The first instant from `at` on that lies in the hours. Raises NoWorkingTime."""
    if hours is None:
        return at
    # The shortest span that moves past a closed stretch; taking it off again gives the opening itself.
    tick = timedelta(milliseconds=1)
    return deadline(hours.working(), at, tick.total_seconds()) - tick


def after(hours: Hours | None, at: datetime, minutes: int) -> datetime:
    """The instant `minutes` of these hours later; hours that never come are left out, for a clock must not stand for ever."""
    if hours is None:
        return at + timedelta(minutes=minutes)
    try:
        return deadline(hours.working(), at, minutes * 60)
    except NoWorkingTime:
        return at + timedelta(minutes=minutes)


@dataclass(frozen=True)
class PlannedStep:
    """One step of a level. Only the fields of its kind are set; `name` is whom it calls, in words, as it was at the start."""

    kind: StepKind
    role: int | None = None
    schedule: int | None = None
    group: int | None = None
    hook: int | None = None
    minutes: int = 0
    times: int = 0
    channels: tuple[str, ...] = ()
    message: str = ""
    name: str = ""
    hours: Hours | None = None


@dataclass(frozen=True)
class PlannedLevel:
    level: int
    steps: tuple[PlannedStep, ...]


@dataclass(frozen=True)
class Plan:
    """A ladder with its clocks in minutes; 0 = no such clock. `hours` = when the line works, None = round the clock."""

    code: str
    name: str
    severity: str
    map_name: str
    levels: tuple[PlannedLevel, ...]
    reaction: int
    deal: int
    remind: int
    lapse: int
    update: int
    gap: int
    """Seconds between two steps without a wait."""
    message: str = ""
    runbook: str = ""
    may_do: str = ""
    chat: str = ""
    hours: Hours | None = None
    default_channels: tuple[str, ...] = field(default=())

    @property
    def first(self) -> int:
        return self.levels[0].level if self.levels else 1

    def steps(self, level: int) -> tuple[PlannedStep, ...]:
        return next((one.steps for one in self.levels if one.level == level), ())

    def above(self, level: int) -> int | None:
        """The next level that has steps; None at the top."""
        return min((one.level for one in self.levels if one.level > level), default=None)

    def below(self, level: int) -> int | None:
        return max((one.level for one in self.levels if one.level < level), default=None)


def to_json(plan: Plan) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(json.dumps(asdict(plan)))
    return found


def from_json(document: Mapping[str, Any]) -> Plan:
    """The reverse of `to_json`. Raises KeyError, TypeError, ValueError for a document that is none."""
    levels = tuple(PlannedLevel(one["level"], tuple(_step(step) for step in one["steps"])) for one in document["levels"])
    given = {**document, "levels": levels, "hours": _hours(document["hours"]), "default_channels": tuple(document["default_channels"])}
    return Plan(**given)


def _step(document: Mapping[str, Any]) -> PlannedStep:
    kind, hours = StepKind(document["kind"]), _hours(document["hours"])
    return PlannedStep(**{**document, "kind": kind, "channels": tuple(document["channels"]), "hours": hours})


def _hours(document: Mapping[str, Any] | None) -> Hours | None:
    return Hours(**document) if document else None


def digest(plan: Plan) -> str:
    """Equal plans have equal digests (SHA-256 of the sorted JSON)."""
    return hashlib.sha256(json.dumps(to_json(plan), sort_keys=True, ensure_ascii=False).encode()).hexdigest()
