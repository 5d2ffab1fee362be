"""Tickets as they may have gone, at random but believable: pure, the same seed gives the same ones."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import accumulate

from demo.bulk.grammar import Pools
from demo.bulk.world import Channel, Matter, World
from omni.states import Direction
from tickets.states import CaseState, Cause

DAYS = 180
OPEN_SHARE = 0.06
# When people write, by Moscow hour: few at night, most in the evening.
HOURS = (1, 1, 0.5, 0.5, 0.5, 1, 2, 4, 7, 9, 10, 11, 12, 12, 11, 11, 12, 13, 14, 14, 12, 9, 5, 2)
OPEN_STATES = (
    (CaseState.ROUTED, 42),
    (CaseState.IN_WORK, 26),
    (CaseState.WAITING_STORE, 14),
    (CaseState.WAITING_GUEST, 9),
    (CaseState.ANSWERED, 9),
)
CAUSES = ((Cause.SOLVED, 62), (Cause.EXPLAINED, 24), (Cause.NO_ANSWER, 7), (Cause.DUPLICATE, 4), (Cause.NOT_OURS, 3))


@dataclass(frozen=True)
class Said:
    """A message: who wrote it (None = the guest) and when."""

    direction: Direction
    text: str
    at: datetime
    author_id: int | None = None


@dataclass(frozen=True)
class CaseFacts:
    """Everything about one ticket and its dialogue. `guest` is the guest's place among the guests of the load."""

    guest: int
    channel: Channel
    matter: Matter
    store_id: int | None
    operator_id: int
    expert_id: int | None
    state: CaseState
    cause: str
    opened_at: datetime
    taken_at: datetime | None
    answered_at: datetime | None
    closed_at: datetime | None
    messages: Sequence[Said]

    @property
    def is_open(self) -> bool:
        return self.closed_at is None


@dataclass(frozen=True)
class Frame:
    """Who writes through what about what."""

    guest: int
    name: str
    channel: Channel
    matter: Matter
    store_id: int | None


class Chooser:
    """Weighted choice among fixed things, quickly."""

    def __init__(self, weighted: Sequence[tuple[object, float]]) -> None:
        self._things = [thing for thing, _ in weighted]
        self._sums = list(accumulate(weight for _, weight in weighted))

    def choose(self, chance: random.Random) -> object:
        return chance.choices(self._things, cum_weights=self._sums)[0]


class CaseMaker:
    """Makes tickets. Guests before `open_guests` have an open ticket each and nothing else: one open dialogue per identity."""

    def __init__(self, world: World, pools: Pools, *, guests: int, open_guests: int) -> None:
        self.world, self.pools, self.guests, self.open_guests = world, pools, guests, open_guests
        self._matters = Chooser([(matter, matter.weight) for matter in world.matters])
        self._hours = Chooser(list(enumerate(HOURS)))
        self._states, self._causes = Chooser(OPEN_STATES), Chooser(CAUSES)

    def make(self, chance: random.Random, *, names: Sequence[str], open_guest: int | None, guest: int) -> CaseFacts:
        """One ticket: open for the guest `open_guest`, else a closed one of `guest`. `names` are all guests' first names."""
        matter = self._matters.choose(chance)
        assert isinstance(matter, Matter)
        who = guest if open_guest is None else open_guest
        channel = self.world.channels[who % len(self.world.channels)]
        needs_store = matter.store_required or chance.random() < 0.2
        store_id = self._store(chance) if needs_store else None
        started = self._started(chance, is_open=open_guest is not None)
        state = CaseState.CLOSED if open_guest is None else self._state(chance, matter, store_id)
        frame = Frame(who, names[who % len(names)], channel, matter, store_id)
        return self._told(chance, frame, started, state)

    def _store(self, chance: random.Random) -> int:
        """Some stores have many more tickets than others."""
        return self.world.stores[int(len(self.world.stores) * chance.random() ** 1.6)]

    def _started(self, chance: random.Random, *, is_open: bool) -> datetime:
        days = min(chance.expovariate(1 / 2.5), 25.0) if is_open else 1 + chance.random() ** 1.15 * (DAYS - 1)
        day = self.world.now - timedelta(days=int(days))
        hour = self._hours.choose(chance)
        assert isinstance(hour, int)
        started = day.replace(hour=(hour - 3) % 24, minute=chance.randint(0, 59), second=chance.randint(0, 59), microsecond=0)
        return started if started < self.world.now - timedelta(minutes=45) else started - timedelta(days=1)

    def _state(self, chance: random.Random, matter: Matter, store_id: int | None) -> CaseState:
        state = self._states.choose(chance)
        assert isinstance(state, CaseState)
        can_wait = matter.store_involved and store_id is not None
        return CaseState.ROUTED if state == CaseState.WAITING_STORE and not can_wait else state

    def _told(self, chance: random.Random, frame: Frame, started: datetime, state: CaseState) -> CaseFacts:
        operator, expert = chance.choice(frame.channel.operators), None
        messages = self._conversation(chance, frame, started, operator)
        opened = self._after(chance, messages[-1].at)
        taken = answered = closed = None
        if state not in {CaseState.ROUTED, CaseState.WAITING_STORE}:
            expert = chance.choice(frame.matter.experts)
            taken = self._within(chance, opened, 4)
            if state in {CaseState.ANSWERED, CaseState.CLOSED}:
                answered = self._within(chance, taken, 9)
                messages.append(Said(Direction.OUT, self._named(chance, self.pools.answers, frame.name), answered, expert))
        if state == CaseState.CLOSED:
            closed = self._end(chance, messages)
        cause = str(self._causes.choose(chance)) if closed else ""
        ids = (frame.guest, frame.channel, frame.matter, frame.store_id, operator, expert)
        return CaseFacts(*ids, state, cause, opened, taken, answered, closed, tuple(messages))

    def _conversation(self, chance: random.Random, frame: Frame, started: datetime, operator: int) -> list[Said]:
        """What was said before the ticket was opened."""
        messages = [Said(Direction.IN, self._opening(chance), started)]
        if chance.random() < 0.7:
            asked = self._named(chance, self.pools.questions, frame.name)
            messages.append(Said(Direction.OUT, asked, started + timedelta(seconds=chance.randint(60, 900)), operator))
            if chance.random() < 0.55:
                messages.append(Said(Direction.IN, chance.choice(self.pools.replies), self._after(chance, messages[-1].at)))
        return messages

    def _end(self, chance: random.Random, messages: list[Said]) -> datetime:
        if chance.random() < 0.3:
            messages.append(Said(Direction.IN, chance.choice(self.pools.thanks), self._within(chance, messages[-1].at, 2)))
        return self._within(chance, messages[-1].at, 3)

    def _after(self, chance: random.Random, at: datetime) -> datetime:
        return at + timedelta(seconds=chance.randint(30, 300))

    def _within(self, chance: random.Random, after: datetime, hours: float) -> datetime:
        """Some time later: usually within `hours`, never in the future."""
        later = after + timedelta(seconds=round(chance.lognormvariate(0, 0.7) * hours * 1800) + 20)
        return min(later, after + (self.world.now - after) / 2).replace(microsecond=0)

    def _opening(self, chance: random.Random) -> str:
        return f"{chance.choice(self.pools.openings)}. {chance.choice(self.pools.tails)}".rstrip(" .") + "."

    def _named(self, chance: random.Random, pool: Sequence[str], name: str) -> str:
        return chance.choice(pool).replace("{name}", name)


def make_all(maker: CaseMaker, *, cases: int, seed: int, names: Sequence[str], chunk: int) -> Iterator[list[CaseFacts]]:
    """The tickets in chunks. The open ones are spread evenly."""
    for start in range(0, cases, chunk):
        chance = random.Random(f"{seed}:{start}")
        yield [_one(maker, chance, number, cases, names) for number in range(start, min(start + chunk, cases))]


def _one(maker: CaseMaker, chance: random.Random, number: int, cases: int, names: Sequence[str]) -> CaseFacts:
    before, after = number * maker.open_guests // cases, (number + 1) * maker.open_guests // cases
    guest = chance.randrange(maker.open_guests, maker.guests)
    return maker.make(chance, names=names, open_guest=before if after > before else None, guest=guest)
