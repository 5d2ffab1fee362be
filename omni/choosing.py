"""Who gets a waiting dialogue: the rule itself, used by the distribution as it happens and by the simulation of a past period.

Times are UTC-aware; nothing here asks a database or a clock.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from omni.states import Strategy


class Why(StrEnum):
    """Why somebody cannot get a dialogue."""

    GROUP = "group"
    STATE = "state"
    SILENT = "silent"
    REFUSED = "refused"
    ROOM = "room"
    CHANNEL = "channel"
    SKILL = "skill"


@dataclass(frozen=True)
class Ring:
    """From `after` seconds of waiting on, needs are lowered or dropped and other groups join in."""

    after: int
    lower_by: int = 0
    drops: frozenset[int] = frozenset()
    drops_all: bool = False
    groups: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Need:
    """Dialogues that fit all conditions need the skill at a level; an empty condition fits everything."""

    skill: int
    level: int
    queue: int | None = None
    channel: str = ""
    language: str = ""
    topic: str = ""

    def fits(self, *, queue: int, channel: str, language: str, topics: Sequence[str]) -> bool:
        return (
            self.queue in (None, queue)
            and self.channel in ("", channel)
            and self.language in ("", language)
            and (not self.topic or self.topic in topics)
        )


@dataclass(frozen=True)
class Rules:
    """What a queue says of its dialogues."""

    strategy: str = Strategy.ROOM
    rings: Sequence[Ring] = ()
    preferred_seconds: int = 0


@dataclass(frozen=True)
class Work:
    """A waiting dialogue. `needs` = skill -> level; `preferred` = the guest's last operator; `refused` = who must not get it now."""

    id: int
    group: int
    channel: str
    weight: int
    waiting_since: datetime
    rules: Rules = field(default_factory=Rules)
    priority: int = 0
    needs: Mapping[int, int] = field(default_factory=dict)
    preferred: int | None = None
    refused: frozenset[int] = frozenset()


@dataclass
class Operator:
    """A person on line. `state` as in PresenceState; `live` = dialogues at a time by channel; `alive` = the screen gives signs of life."""

    id: int
    groups: frozenset[int]
    capacity: int
    load: int
    assigned_at: datetime
    state: str = "ready"
    alive: bool = True
    skills: Mapping[int, int] = field(default_factory=dict)
    live: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Circle:
    """Who may get a dialogue after so long a wait."""

    number: int
    needs: Mapping[int, int]
    groups: frozenset[int]


@dataclass(frozen=True)
class Verdict:
    """`ranked` = everybody who could get it, the best first; `left_out` = the others by reason.

    `waits_for` = it is kept a moment for this person, who is at work but has no room yet: then nobody gets it now.
    """

    circle: Circle
    ranked: Sequence[Operator]
    left_out: Mapping[Why, Sequence[int]]
    preferred: bool = False
    waits_for: int | None = None

    @property
    def chosen(self) -> Operator | None:
        return self.ranked[0] if self.ranked and self.waits_for is None else None


def needs_of(needs: Iterable[Need], *, queue: int, channel: str, language: str, topics: Sequence[str]) -> Mapping[int, int]:
    """The skills that a dialogue needs; of several levels of one skill the highest."""
    found: dict[int, int] = {}
    for need in needs:
        if need.fits(queue=queue, channel=channel, language=language, topics=topics):
            found[need.skill] = max(need.level, found.get(need.skill, 0))
    return found


def circle_of(work: Work, *, now: datetime) -> Circle:
    """The circle that the waiting time has opened: every ring that is reached adds to those before it."""
    waited = (now - work.waiting_since).total_seconds()
    reached = [ring for ring in work.rules.rings if ring.after <= waited]
    lower = max((ring.lower_by for ring in reached), default=0)
    dropped = {skill for ring in reached for skill in ring.drops}
    none_needed = any(ring.drops_all for ring in reached)
    needs = {} if none_needed else {skill: max(1, level - lower) for skill, level in work.needs.items() if skill not in dropped}
    groups = frozenset({work.group}).union(*(ring.groups for ring in reached))
    return Circle(number=len(reached) + 1, needs=needs, groups=groups)


def why_not(work: Work, circle: Circle, one: Operator, limits: Mapping[str, int]) -> Why | None:
    """Why this person cannot get the dialogue now; None = can."""
    if not one.groups & circle.groups:
        return Why.GROUP
    if one.state != "ready":
        return Why.STATE
    if not one.alive:
        return Why.SILENT
    if one.id in work.refused:
        return Why.REFUSED
    if one.load + work.weight > one.capacity or not one.capacity:
        return Why.ROOM
    if work.channel in limits and one.live.get(work.channel, 0) >= limits[work.channel]:
        return Why.CHANNEL
    if any(one.skills.get(skill, 0) < level for skill, level in circle.needs.items()):
        return Why.SKILL
    return None


Key = Callable[[Operator], tuple[object, ...]]


def _order(strategy: str, circle: Circle) -> Key:
    """The sort key of a strategy: the smallest gets it."""
    if strategy == Strategy.LEAST_BUSY:
        return lambda one: (one.load, one.assigned_at, one.id)
    if strategy == Strategy.LONGEST_IDLE:
        return lambda one: (one.assigned_at, one.load / one.capacity, one.id)
    if strategy == Strategy.BEST_SKILLED:
        return lambda one: (-sum(one.skills.get(skill, 0) for skill in circle.needs), one.load / one.capacity, one.assigned_at, one.id)
    return lambda one: (one.load / one.capacity, one.assigned_at, one.id)


def decide(work: Work, operators: Iterable[Operator], *, limits: Mapping[str, int], now: datetime) -> Verdict:
    """Who gets the dialogue now, who else could have, and why the others could not. `limits` = most dialogues of a channel per person."""
    circle = circle_of(work, now=now)
    able: list[Operator] = []
    left_out: dict[Why, list[int]] = {}
    wanted: Operator | None = None
    for one in operators:
        reason = why_not(work, circle, one, limits)
        if reason is None:
            able.append(one)
        else:
            left_out.setdefault(reason, []).append(one.id)
        if one.id == work.preferred:
            wanted = one
    able.sort(key=_order(work.rules.strategy, circle))
    if wanted is None or not _still_preferred(work, now=now):
        return Verdict(circle, able, left_out)
    if wanted in able:
        able.remove(wanted)
        return Verdict(circle, [wanted, *able], left_out, preferred=True)
    return Verdict(circle, able, left_out, waits_for=wanted.id if _may_come(work, circle, wanted) else None)


def _still_preferred(work: Work, *, now: datetime) -> bool:
    return (now - work.waiting_since).total_seconds() < work.rules.preferred_seconds


def _may_come(work: Work, circle: Circle, one: Operator) -> bool:
    """Whether the preferred person is at work and only short of room for the moment."""
    here = one.alive and one.state in {"ready", "wrap_up"} and bool(one.groups & circle.groups)
    return here and one.id not in work.refused and one.capacity >= work.weight


def dead_end(work: Work, *, now: datetime) -> tuple[object, ...]:
    """What decides whether anybody could get it: of two dialogues with the same nobody has to look at the second."""
    circle = circle_of(work, now=now)
    preferred = work.preferred if work.preferred and _still_preferred(work, now=now) else None
    return (work.channel, work.weight, tuple(sorted(circle.needs.items())), circle.groups, preferred, work.refused)
