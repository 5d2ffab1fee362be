"""The period, moment by moment: guests come, people come and go, dialogues are finished; after each moment the rule decides."""

import heapq
import itertools
from bisect import insort
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from omni.choosing import Operator, Work, dead_end, decide
from omni.simulation.types import Arrival, Outcome, Past, Served

_READY, _WRAP_UP, _OFF = "ready", "wrap_up", "offline"


def play(past: Past) -> Outcome:
    """Play the period to its end. Nobody has anything at its beginning: the first minutes are kinder than they were."""
    return _Play(past).run()


@dataclass(order=True)
class _Place:
    """A dialogue's place in the queue: priority, then the longest wait."""

    key: tuple[int, datetime, int]
    arrival: Arrival = field(compare=False)


class _Play:
    def __init__(self, past: Past) -> None:
        self.past = past
        self.people = {one.id: replace(one, load=0, state=_OFF, alive=True, live={}, assigned_at=past.since) for one in past.operators}
        self.wrap_ends: dict[int, datetime] = {}
        self.on_line: set[int] = set()
        self.waiting: list[_Place] = []
        self.served: list[Served] = []
        self.events: list[tuple[datetime, int, Callable[[datetime], None]]] = []
        self.number = itertools.count()

    def run(self) -> Outcome:
        for shift in self.past.shifts:
            self._at(shift.since, self._come(shift.staff))
            self._at(shift.until, self._go(shift.staff))
        for arrival in self.past.arrivals:
            self._at(arrival.work.waiting_since, self._arrive(arrival))
        while self.events and self.events[0][0] <= self.past.until:
            now = self.events[0][0]
            while self.events and self.events[0][0] == now:
                heapq.heappop(self.events)[2](now)
            self._give_out(now)
        return Outcome(self.served, len(self.waiting), self._room())

    def _at(self, at: datetime, what: Callable[[datetime], None]) -> None:
        heapq.heappush(self.events, (at, next(self.number), what))

    def _come(self, staff: int) -> Callable[[datetime], None]:
        def come(_now: datetime) -> None:
            if staff in self.people:
                self.on_line.add(staff)
                self.people[staff].state = _READY

        return come

    def _go(self, staff: int) -> Callable[[datetime], None]:
        def go(_now: datetime) -> None:
            if staff in self.people:
                self.on_line.discard(staff)
                self.people[staff].state = _OFF

        return go

    def _arrive(self, arrival: Arrival) -> Callable[[datetime], None]:
        def arrive(now: datetime) -> None:
            work = arrival.work
            insort(self.waiting, _Place((-work.priority, work.waiting_since, work.id), arrival))
            # The circle grows, or the patience for one person ends: then somebody else may get it without anything else happening.
            for seconds in {ring.after for ring in work.rules.rings} | {work.rules.preferred_seconds} - {0}:
                self._at(now + timedelta(seconds=seconds), _nothing)

        return arrive

    def _give_out(self, now: datetime) -> None:
        dead_ends: set[tuple[object, ...]] = set()
        place = 0
        while place < len(self.waiting) and any(one.state == _READY and one.load < one.capacity for one in self.people.values()):
            arrival = self.waiting[place].arrival
            end = dead_end(arrival.work, now=now)
            chosen = None if end in dead_ends else self._chosen(arrival.work, now)
            if chosen is None:
                dead_ends.add(end)
                place += 1
            else:
                del self.waiting[place]
                self._give(arrival, chosen, now)

    def _chosen(self, work: Work, now: datetime) -> Operator | None:
        return decide(work, self.people.values(), limits=self.past.limits, now=now).chosen

    def _give(self, arrival: Arrival, to: Operator, now: datetime) -> None:
        work = arrival.work
        to.load += work.weight
        to.assigned_at = now
        to.live = {**to.live, work.channel: to.live.get(work.channel, 0) + 1}
        waited = (now - work.waiting_since).total_seconds()
        self.served.append(Served(work.waiting_since, waited, to.id, arrival.handling, work.weight))
        self._at(now + timedelta(seconds=arrival.handling), self._finish(arrival, to))

    def _finish(self, arrival: Arrival, one: Operator) -> Callable[[datetime], None]:
        def finish(now: datetime) -> None:
            channel = arrival.work.channel
            one.load -= arrival.work.weight
            one.live = {**one.live, channel: one.live[channel] - 1}
            rest = self.past.wrap_up.get(arrival.queue, 0)
            if rest and one.state in {_READY, _WRAP_UP}:
                one.state = _WRAP_UP
                ends = max(now + timedelta(seconds=rest), self.wrap_ends.get(one.id, now))
                self.wrap_ends[one.id] = ends
                self._at(ends, self._rested(one))

        return finish

    def _rested(self, one: Operator) -> Callable[[datetime], None]:
        def rested(now: datetime) -> None:
            if one.state == _WRAP_UP and self.wrap_ends[one.id] <= now:
                one.state = _READY

        return rested

    def _room(self) -> dict[int, float]:
        room = dict.fromkeys(self.people, 0.0)
        for shift in self.past.shifts:
            if shift.staff in room:
                since, until = max(shift.since, self.past.since), min(shift.until, self.past.until)
                room[shift.staff] += max(0.0, (until - since).total_seconds()) * self.people[shift.staff].capacity
        return room


def _nothing(_now: datetime) -> None:
    """A moment at which only the time has passed."""
