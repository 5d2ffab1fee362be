"""How a run moves: pure. Steps in their order, two clocks, an acknowledgement that lapses.

Clock 1 (reaction) ends when a person takes the matter, clock 2 (deal) when it is resolved or goes up a level: taking stops only the first.
Each level has its own pair, counted from when its people were called.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from escalation.plans import Plan, PlannedStep, after, next_open
from escalation.states import PACING, EventKind, RunState, StepKind
from sla.rules import NoWorkingTime

# A ladder of repeats and climbs that never waits would go round for ever.
MOST_DEEDS = 200
MOST_REPEATS = 5


@dataclass(frozen=True)
class Place:
    """Where a run stands. Times are when something is due, None = it is not running. `turn` counts the starts of a chain."""

    level: int
    step: int = 0
    turn: int = 1
    repeats: int = 0
    taken: bool = False
    step_at: datetime | None = None
    reaction_due: datetime | None = None
    deal_due: datetime | None = None
    remind_at: datetime | None = None
    lapse_at: datetime | None = None
    update_at: datetime | None = None

    @property
    def next_at(self) -> datetime | None:
        times = (self.step_at, self.reaction_due, self.deal_due, self.remind_at, self.lapse_at, self.update_at)
        return min((at for at in times if at is not None), default=None)

    @property
    def state(self) -> RunState:
        return RunState.TAKEN if self.taken else RunState.CALLING


@dataclass(frozen=True)
class Deed:
    """Something that happened to a run. `key` is unique within the run: the same deed is never done twice."""

    kind: EventKind
    key: str
    due_at: datetime
    level: int
    turn: int
    step: PlannedStep | None = None
    number: int | None = None
    to_level: int | None = None


Reach = Callable[[PlannedStep], bool]


def begin(plan: Plan, now: datetime) -> Place:
    """A new run at its first level; its first step is due at once, or when the line's hours begin."""
    update_at = after(plan.hours, now, plan.update) if plan.update else None
    return _call(plan, Place(level=plan.first, turn=0, update_at=update_at), plan.first, now)


def _call(plan: Plan, place: Place, level: int, now: datetime) -> Place:
    """The level's chain from its beginning, with both clocks new."""
    try:
        opens = next_open(plan.hours, now)
    except NoWorkingTime:  # the dry run says so; the matter must not wait for a setting
        opens = now
    called = replace(
        place,
        level=level,
        turn=place.turn + 1,
        repeats=place.repeats if level == place.level else 0,
        taken=False,
        reaction_due=after(plan.hours, now, plan.reaction) if plan.reaction else None,
        deal_due=after(plan.hours, now, plan.deal) if plan.deal else None,
        remind_at=None,
        lapse_at=None,
    )
    return _arm(plan, called, 0, opens, gap=0)


def _arm(plan: Plan, place: Place, number: int, base: datetime, *, gap: int, skip_waits: bool = False) -> Place:
    """The place before step `number`, with the waits in front of it added to `base`; without waits, `gap` seconds."""
    steps = plan.steps(place.level)
    at, waited = base, False
    while number < len(steps) and steps[number].kind in PACING:
        if not skip_waits:
            at, waited = _paced(steps[number], at), True
        number += 1
    if number >= len(steps):
        return replace(place, step=len(steps), step_at=None)
    return replace(place, step=number, step_at=at if waited else at + timedelta(seconds=gap))


def _paced(step: PlannedStep, at: datetime) -> datetime:
    if step.kind == StepKind.WAIT:
        return at + timedelta(minutes=step.minutes)
    try:
        return next_open(step.hours, at)
    except NoWorkingTime:
        return at


def advance(plan: Plan, place: Place, now: datetime, reach: Reach) -> tuple[Place, list[Deed]]:
    """All that is due until `now`, in its order. `reach` says whether a step's call would reach anybody.

    What is late keeps its own due time, so the following steps are not put off; a level that is called late gets its full clocks.
    """
    walk = _Walk(plan, place, now, reach)
    walk.run()
    return walk.place, walk.deeds


@dataclass
class _Walk:
    plan: Plan
    place: Place
    now: datetime
    reach: Reach
    deeds: list[Deed] = field(default_factory=list)

    def run(self) -> None:
        while (at := self.place.next_at) is not None and at <= self.now:
            if len(self.deeds) >= MOST_DEEDS:  # goes on at the next tick
                return
            self._one(at)

    def _one(self, at: datetime) -> None:
        place = self.place
        if place.step_at == at:
            self._step(at)
        elif place.reaction_due == at:
            self._miss(EventKind.REACTION_MISSED, at)
        elif place.deal_due == at:
            self._miss(EventKind.DEAL_MISSED, at)
        elif place.remind_at == at:
            self._tell(EventKind.REMINDED, at)
            # Counted from the question itself: after an outage the person still has the time to answer it.
            lapse = self.now + timedelta(minutes=self.plan.lapse) if self.plan.lapse else None
            self.place = replace(place, remind_at=None, lapse_at=lapse)
        elif place.lapse_at == at:
            self._tell(EventKind.LAPSED, at)
            self.place = _recall(self.plan, place, self.now)
        else:
            self._tell(EventKind.UPDATE_DUE, at)
            self.place = replace(place, update_at=_later(self.plan, at, self.now))

    def _tell(self, kind: EventKind, at: datetime, *, to_level: int | None = None) -> None:
        place = self.place
        self.deeds.append(Deed(kind, f"{kind}:{at:%Y%m%d%H%M%S%f}", at, place.level, place.turn, to_level=to_level))

    def _miss(self, kind: EventKind, at: datetime) -> None:
        """A clock has run out: the level above is called; at the top the fact alone remains."""
        self._tell(kind, at)
        place = self.place
        if kind == EventKind.REACTION_MISSED and place.deal_due is not None and place.deal_due <= self.now:
            self._tell(EventKind.DEAL_MISSED, place.deal_due)  # both ran out before anybody could look
            place = replace(place, deal_due=None)
        cleared = replace(place, reaction_due=None) if kind == EventKind.REACTION_MISSED else replace(place, deal_due=None)
        self.place = cleared
        self._climb(at)

    def _climb(self, at: datetime) -> bool:
        higher = self.plan.above(self.place.level)
        if higher is None:
            return False
        self._tell(EventKind.CLIMBED, at, to_level=higher)
        self.place = _call(self.plan, self.place, higher, self.now)
        return True

    def _step(self, at: datetime) -> None:
        place, number = self.place, self.place.step
        step = self.plan.steps(place.level)[number]
        if step.kind == StepKind.REPEAT:
            self._repeat(step, at)
        elif step.kind == StepKind.STOP:
            self.place = replace(place, step_at=None)
        elif step.kind == StepKind.CLIMB:
            if not self._climb(at):
                self.place = _arm(self.plan, place, number + 1, at, gap=self.plan.gap)
        else:
            reached = self.reach(step)
            kind = EventKind.STEP if reached else EventKind.NOBODY
            self.deeds.append(Deed(kind, f"step:{place.level}:{number}", at, place.level, place.turn, step, number))
            # Who is not there is not waited for.
            self.place = _arm(self.plan, place, number + 1, at, gap=self.plan.gap if reached else 0, skip_waits=not reached)

    def _repeat(self, step: PlannedStep, at: datetime) -> None:
        place = self.place
        if place.repeats >= min(step.times, MOST_REPEATS):
            self.place = _arm(self.plan, place, place.step + 1, at, gap=self.plan.gap)
            return
        again = replace(place, turn=place.turn + 1, repeats=place.repeats + 1)
        # Every repeat takes a while, whatever the map says: no people are called in a circle without a pause.
        self.place = _arm(self.plan, again, 0, at, gap=max(self.plan.gap, 1))


def _later(plan: Plan, at: datetime, now: datetime) -> datetime | None:
    """The next time news are due; after an outage once, not once for each time that went by."""
    if not plan.update:
        return None
    following = after(plan.hours, at, plan.update)
    return following if following > now else after(plan.hours, now, plan.update)


def _recall(plan: Plan, place: Place, now: datetime) -> Place:
    """Nobody has it any more: the level is called anew. The deal clock goes on; it is nobody's fault but ours."""
    called = _call(plan, replace(place, repeats=0), place.level, now)
    return replace(called, deal_due=place.deal_due)


def take(plan: Plan, place: Place, now: datetime) -> Place:
    """A person has it: no more calls, clock 1 is met, clock 2 goes on."""
    return _held(plan, replace(place, taken=True, step_at=None, reaction_due=None), now)


def confirm(plan: Plan, place: Place, now: datetime) -> Place:
    """The person still has it."""
    return _held(plan, place, now)


def _held(plan: Plan, place: Place, now: datetime) -> Place:
    return replace(place, remind_at=now + timedelta(minutes=plan.remind) if plan.remind else None, lapse_at=None)


def release(plan: Plan, place: Place, now: datetime) -> Place:
    """The person gives it back: the level is called anew, clock 2 goes on."""
    return _recall(plan, place, now)


def climb(plan: Plan, place: Place, now: datetime) -> Place | None:
    """One level up by a person's decision: clock 2 of the level is met. None at the top."""
    higher = plan.above(place.level)
    return _call(plan, place, higher, now) if higher is not None else None


def hand_back(plan: Plan, place: Place, now: datetime) -> Place | None:
    """One level down by a person's decision: both clocks go on as they are. None at the bottom."""
    lower = plan.below(place.level)
    if lower is None:
        return None
    called = _call(plan, place, lower, now)
    return replace(called, reaction_due=place.reaction_due or called.reaction_due, deal_due=place.deal_due)


def replan(plan: Plan, place: Place, now: datetime) -> Place:
    """The place in a newer plan: the same level (or the nearest below it), called anew unless somebody has it; clocks go on."""
    level = max((one.level for one in plan.levels if one.level <= place.level), default=plan.first)
    called = _call(plan, replace(place, repeats=0), level, now)
    kept = replace(called, reaction_due=place.reaction_due, deal_due=place.deal_due, update_at=place.update_at)
    if not place.taken:
        return kept
    return replace(kept, taken=True, step_at=None, reaction_due=None, remind_at=place.remind_at, lapse_at=place.lapse_at)


def timetable(plan: Plan, level: int) -> Iterator[tuple[int, PlannedStep]]:
    """The level's steps with their minutes since its beginning, pauses for hours left out; for people who read the map."""
    minutes = 0
    for step in plan.steps(level):
        if step.kind == StepKind.WAIT:
            minutes += step.minutes
        else:
            yield minutes, step
