"""Who is on duty: pure. Override beats the higher layer, which beats the lower one; an accepted swap puts one person in another's place."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from escalation.states import DutySource, Rotation

ALL_WEEK = frozenset(range(7))


@dataclass(frozen=True)
class LayerFacts:
    """One rotation. `turns` are the people of each turn; all of one turn are on duty together.

    `length` counts days, weeks, or hours (a divisor of 24) by `rotation`; `handoff` is wall-clock time in the schedule's zone.
    With `only_from` and `only_to` the layer covers those hours only (over midnight when `only_to` is not later); `weekdays` are
    those on which such a day begins (0 = Monday).
    """

    priority: int
    rotation: Rotation
    length: int
    handoff: time
    starts_on: date
    turns: Sequence[frozenset[int]]
    ends_on: date | None = None
    only_from: time | None = None
    only_to: time | None = None
    weekdays: frozenset[int] = ALL_WEEK


@dataclass(frozen=True)
class OverrideFacts:
    staff_id: int
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True)
class SwapFacts:
    """An accepted swap: while it lasts, `to_id` stands wherever `from_id` would. They act in the order of their acceptance."""

    from_id: int
    to_id: int
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True)
class ScheduleFacts:
    zone: str
    layers: Sequence[LayerFacts] = ()
    overrides: Sequence[OverrideFacts] = ()
    swaps: Sequence[SwapFacts] = ()


@dataclass(frozen=True)
class Shift:
    """From `starts_at` until before `ends_at` these people are on duty, each with what put them there."""

    starts_at: datetime
    ends_at: datetime
    people: frozenset[tuple[int, DutySource]]

    @property
    def staff_ids(self) -> frozenset[int]:
        return frozenset(staff_id for staff_id, _source in self.people)


def _instant(day: date, at: time, zone: ZoneInfo) -> datetime:
    """A wall-clock time as an instant; one that a clock change skips is taken after the change, a repeated one the first time."""
    return datetime.combine(day, at, zone).astimezone(UTC)


def _turn_starts(layer: LayerFacts, day: date, zone: ZoneInfo) -> Iterator[tuple[datetime, int]]:
    """When turns begin on this date, each with its number since the layer began."""
    days = (day - layer.starts_on).days
    if layer.rotation == Rotation.HOURS:
        slots = 24 // layer.length
        for slot in range(slots):
            wall = datetime.combine(day, layer.handoff) + timedelta(hours=slot * layer.length)
            yield _instant(wall.date(), wall.time(), zone), days * slots + slot
        return
    period = layer.length * (7 if layer.rotation == Rotation.WEEKLY else 1)
    if days % period == 0:
        yield _instant(day, layer.handoff, zone), days // period


def _turn_at(layer: LayerFacts, at: datetime, zone: ZoneInfo) -> int | None:
    """The number of the turn that runs at this instant; None before the layer begins."""
    today = at.astimezone(zone).date()
    period = layer.length * (7 if layer.rotation == Rotation.WEEKLY else 1) if layer.rotation != Rotation.HOURS else 1
    since = max(0, (today - layer.starts_on).days)
    first = layer.starts_on + timedelta(days=max(0, since // period - 1) * period)
    days = {first, first + timedelta(days=period), first + timedelta(days=2 * period)}
    begun = [found for day in sorted(days) for found in _turn_starts(layer, day, zone) if found[0] <= at]
    # Of several that begin together (hours that a clock change skips) the last one counts.
    return max(begun)[1] if begun else None


def _windows(layer: LayerFacts, day: date, zone: ZoneInfo) -> tuple[datetime, datetime] | None:
    """The hours that the layer covers and that begin on this date."""
    if day.weekday() not in layer.weekdays:
        return None
    begins, ends = layer.only_from or time(0), layer.only_to or time(0)
    last = day if ends > begins else day + timedelta(days=1)
    return _instant(day, begins, zone), _instant(last, ends, zone)


def _covers(layer: LayerFacts, at: datetime, zone: ZoneInfo) -> bool:
    today = at.astimezone(zone).date()
    windows = (_windows(layer, day, zone) for day in (today - timedelta(days=1), today))
    return any(window and window[0] <= at < window[1] for window in windows)


def _ends(layer: LayerFacts, zone: ZoneInfo) -> datetime | None:
    """A layer's last day ends with the hand-off of the day after."""
    return _instant(layer.ends_on + timedelta(days=1), layer.handoff, zone) if layer.ends_on else None


def _on_layer(layer: LayerFacts, at: datetime, zone: ZoneInfo) -> frozenset[int]:
    ends = _ends(layer, zone)
    if not layer.turns or (ends and at >= ends) or not _covers(layer, at, zone):
        return frozenset()
    turn = _turn_at(layer, at, zone)
    return layer.turns[turn % len(layer.turns)] if turn is not None else frozenset()


def on_duty(schedule: ScheduleFacts, at: datetime) -> frozenset[tuple[int, DutySource]]:
    """Who is on duty at this instant, and through what. Empty = a hole."""
    standing = {(one.staff_id, DutySource.OVERRIDE) for one in schedule.overrides if one.starts_at <= at < one.ends_at}
    if not standing:
        zone = ZoneInfo(schedule.zone)
        for layer in sorted(schedule.layers, key=lambda one: -one.priority):
            if people := _on_layer(layer, at, zone):
                standing = {(staff_id, DutySource.LAYER) for staff_id in people}
                break
    return frozenset(_swapped(schedule, at, *one) for one in standing)


def _swapped(schedule: ScheduleFacts, at: datetime, staff_id: int, source: DutySource) -> tuple[int, DutySource]:
    """Swaps act in their order: a place that was taken over can be given on."""
    for swap in schedule.swaps:
        if swap.from_id == staff_id and swap.starts_at <= at < swap.ends_at:
            staff_id, source = swap.to_id, DutySource.SWAP
    return staff_id, source


def _days(since: datetime, until: datetime, zone: ZoneInfo) -> Iterator[date]:
    day, last = since.astimezone(zone).date() - timedelta(days=1), until.astimezone(zone).date()
    while day <= last:
        yield day
        day += timedelta(days=1)


def _edges(schedule: ScheduleFacts, since: datetime, until: datetime) -> Iterator[datetime]:
    """Every instant at which somebody may change."""
    zone = ZoneInfo(schedule.zone)
    lasting: Iterable[OverrideFacts | SwapFacts] = (*schedule.overrides, *schedule.swaps)
    for one in lasting:
        yield from (one.starts_at, one.ends_at)
    for layer in schedule.layers:
        if ends := _ends(layer, zone):
            yield ends
        for day in _days(since, until, zone):
            if day >= layer.starts_on:
                yield from (at for at, _number in _turn_starts(layer, day, zone))
            if window := _windows(layer, day, zone):
                yield from window


def shifts(schedule: ScheduleFacts, since: datetime, until: datetime) -> list[Shift]:
    """The whole time between two instants as shifts without gaps; one of nobody is a hole. Equal neighbours are joined."""
    edges = sorted({since, *(edge for edge in _edges(schedule, since, until) if since < edge < until)})
    found: list[Shift] = []
    for start, end in zip(edges, [*edges[1:], until], strict=True):
        people = on_duty(schedule, start)
        if found and found[-1].people == people:
            found[-1] = Shift(found[-1].starts_at, end, people)
        else:
            found.append(Shift(start, end, people))
    return found


def at_shift(listed: Sequence[Shift], at: datetime) -> Shift:
    """The shift of an instant out of `shifts`."""
    return listed[bisect_right([shift.starts_at for shift in listed], at) - 1]
