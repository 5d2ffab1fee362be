"""A period with other rules: what changes, and nothing else. More or fewer people and guests are taken evenly from those who were there."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import TypeVar

from omni.choosing import Operator
from omni.simulation.types import Arrival, Change, Past, Shift

T = TypeVar("T")
# Those who were not there get numbers that nobody has.
_EXTRA = 10**9


def changed(past: Past, change: Change) -> Past:
    """The period under the changed rules."""
    arrivals = [_arrival(one, change, number, copy) for number, (one, copy) in enumerate(_share(past.arrivals, change.guests))]
    people = list(_share(past.operators, change.people))
    shifts = _shifts(past.shifts, people)
    operators = [_operator(one, change, copy) for one, copy in people]
    wrap_up = past.wrap_up if change.wrap_up is None else dict.fromkeys({one.queue for one in past.arrivals}, change.wrap_up)
    return replace(past, arrivals=arrivals, operators=operators, shifts=shifts, wrap_up=wrap_up)


def _share(all_of: Sequence[T], per_cent: int) -> Iterator[tuple[T, int]]:
    """Each with the number of its copy (0 = itself), so that as many come out as the per cent say, spread evenly."""
    for place, one in enumerate(all_of):
        wanted = (place + 1) * per_cent // 100 - place * per_cent // 100
        for copy in range(wanted):
            yield one, copy


def _arrival(one: Arrival, change: Change, number: int, copy: int) -> Arrival:
    rules = one.work.rules
    if change.strategy is not None:
        rules = replace(rules, strategy=change.strategy)
    if change.preferred_seconds is not None:
        rules = replace(rules, preferred_seconds=change.preferred_seconds)
    # A second guest like the first one comes a little later, not in the same instant.
    since = one.work.waiting_since + timedelta(seconds=30 * copy)
    work = replace(one.work, id=number, rules=rules, waiting_since=since)
    if not change.needs_skills:
        work = replace(work, needs={})
    return replace(one, work=work, handling=one.handling * change.handling / 100)


def _operator(one: Operator, change: Change, copy: int) -> Operator:
    capacity = one.capacity if change.capacity is None else change.capacity
    return replace(one, id=one.id + _EXTRA * copy, capacity=capacity)


def _shifts(shifts: Sequence[Shift], people: Sequence[tuple[Operator, int]]) -> list[Shift]:
    copies: dict[int, list[int]] = {}
    for one, copy in people:
        copies.setdefault(one.id, []).append(copy)
    return [replace(shift, staff=shift.staff + _EXTRA * copy) for shift in shifts for copy in copies.get(shift.staff, ())]
