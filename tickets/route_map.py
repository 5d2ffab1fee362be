"""The way of a ticket through people and groups: stays made of its history, and a drawing of them. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import pairwise

from tickets.states import CaseState


class Holder(StrEnum):
    """Who has the ticket."""

    START = "start"
    GROUP = "group"
    PERSON = "person"
    STORE = "store"
    GUEST = "guest"
    THIRD = "third"
    END = "end"


@dataclass(frozen=True)
class Mark:
    """A step of the history as the map sees it: names, empty = none."""

    at: datetime
    state: str
    group: str
    owner: str = ""
    reason: str = ""


@dataclass(frozen=True)
class Stay:
    """How long the ticket was with whom. `until` None = it is there now. `worked` = seconds of working time, `reason` = why it came."""

    holder: Holder
    name: str
    group: str
    since: datetime
    until: datetime | None
    seconds: float
    worked: float
    reason: str = ""


_BY_STATE = {
    CaseState.CLOSED: Holder.END,
    CaseState.WAITING_GUEST: Holder.GUEST,
    CaseState.WAITING_STORE: Holder.STORE,
    CaseState.WAITING_THIRD: Holder.THIRD,
}


def holder_of(mark: Mark, store: str) -> tuple[Holder, str]:
    """Who has the ticket after this step, and the holder's name (empty for the guest, a third party and the end)."""
    holder = _BY_STATE.get(CaseState(mark.state)) or (Holder.PERSON if mark.owner else Holder.GROUP)
    names = {Holder.PERSON: mark.owner, Holder.GROUP: mark.group, Holder.STORE: store}
    return holder, names.get(holder, "")


def list_stays(
    marks: Sequence[Mark], *, opener: str, store: str, now: datetime, working: Callable[[datetime, datetime], float]
) -> list[Stay]:
    """The way in order, steps that change nobody's hands left out; `marks` in order of time. `working` counts working seconds."""
    turns: list[tuple[Mark, Holder, str]] = []
    for mark in marks:
        holder, name = holder_of(mark, store)
        if not turns or turns[-1][1:] != (holder, name):
            turns.append((mark, holder, name))
    if not turns:
        return []
    begun = turns[0][0].at
    found = [Stay(Holder.START, opener, "", begun, begun, 0.0, 0.0)]
    for place, (mark, holder, name) in enumerate(turns):
        is_last = place == len(turns) - 1
        until = None if is_last else turns[place + 1][0].at
        end = until or (mark.at if holder is Holder.END else now)
        found.append(Stay(holder, name, mark.group, mark.at, until, (end - mark.at).total_seconds(), working(mark.at, end), mark.reason))
    return found


# Drawing: boxes in rows that turn at the end, as a route does; units of the picture.
COLUMNS = 4
BOX_WIDTH, BOX_HEIGHT = 156, 58
ACROSS, DOWN = 104, 54
MARGIN = 10


@dataclass(frozen=True)
class Point:
    x: int
    y: int


@dataclass(frozen=True)
class Leg:
    """An arrow from box to box; its words stand at `label`, `anchor` as in SVG."""

    start: Point
    end: Point
    label: Point
    anchor: str


@dataclass(frozen=True)
class Drawing:
    width: int
    height: int
    boxes: tuple[Point, ...]
    legs: tuple[Leg, ...]


def draw(number: int) -> Drawing:
    """Places of so many boxes and the arrows between them: left to right, then right to left, row by row."""
    boxes = tuple(_place(index) for index in range(number))
    legs = tuple(_leg(before, after) for before, after in pairwise(boxes))
    columns, rows = min(max(number, 1), COLUMNS), -(-max(number, 1) // COLUMNS)
    width = 2 * MARGIN + columns * BOX_WIDTH + (columns - 1) * ACROSS
    height = 2 * MARGIN + rows * BOX_HEIGHT + (rows - 1) * DOWN
    return Drawing(width, height, boxes, legs)


def _place(index: int) -> Point:
    row, column = divmod(index, COLUMNS)
    if row % 2:
        column = COLUMNS - 1 - column
    return Point(MARGIN + column * (BOX_WIDTH + ACROSS), MARGIN + row * (BOX_HEIGHT + DOWN))


def _leg(before: Point, after: Point) -> Leg:
    middle = before.y + BOX_HEIGHT // 2
    if before.y == after.y:
        start, end = (before.x + BOX_WIDTH, after.x) if after.x > before.x else (before.x, after.x + BOX_WIDTH)
        return Leg(Point(start, middle), Point(end, middle), Point((start + end) // 2, middle - 8), "middle")
    at = before.x + BOX_WIDTH // 2
    top = before.y + BOX_HEIGHT
    on_the_right = before.x > MARGIN
    label = Point(at - 8 if on_the_right else at + 8, (top + after.y) // 2 - 3)
    return Leg(Point(at, top), Point(at, after.y), label, "end" if on_the_right else "start")
