"""Working time: pure arithmetic over calendars. Times are aware; results are UTC; spans are seconds of working time."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from itertools import pairwise
from zoneinfo import ZoneInfo

# A calendar that never opens within this span is refused instead of being searched for ever.
HORIZON_DAYS = 370


class NoWorkingTime(ValueError):
    """The calendar has no working time within the next year."""


@dataclass(frozen=True)
class WorkingHours:
    """Working intervals by weekday (0 = Monday), in the zone's wall-clock time; a date in `exceptions` replaces its weekday.

    An interval's end 00:00 means midnight at the end of the day. Empty = not working.
    """

    zone: str
    week: Mapping[int, Sequence[tuple[time, time]]]
    exceptions: Mapping[date, Sequence[tuple[time, time]]] = field(default_factory=dict)
    # Days that were asked for: a clock of half a year walks over the same days as the thousands beside it.
    _days: dict[date, "Day"] = field(default_factory=dict, init=False, repr=False, compare=False)

    def day(self, day: date) -> "Day":
        """The day's working intervals as UTC instants, in order; clock changes make them as long as they really are."""
        kept = self._days.get(day)
        if kept is None:
            kept = self._days[day] = Day(tuple(self._intervals(day)))
        return kept

    def _intervals(self, day: date) -> Iterator[tuple[datetime, datetime]]:
        zone = ZoneInfo(self.zone)
        for start, end in sorted(self.exceptions.get(day, self.week.get(day.weekday(), ()))):
            last = day + timedelta(days=1) if end == time(0) else day
            opens, closes = instant_of(day, start, zone), instant_of(last, end, zone)
            if closes > opens:
                yield opens, closes


@dataclass(frozen=True)
class Day:
    """Working intervals of one local date, in order, as UTC instants."""

    intervals: Sequence[tuple[datetime, datetime]]

    @cached_property
    def seconds(self) -> float:
        """Working time of the whole day."""
        return sum((closes - opens).total_seconds() for opens, closes in self.intervals)

    @cached_property
    def _ends(self) -> datetime:
        return max(closes for _opens, closes in self.intervals)

    def worked(self, start: datetime, end: datetime) -> float:
        """Seconds of its working time between two instants."""
        if not self.intervals or (start <= self.intervals[0][0] and self._ends <= end):
            return self.seconds
        return sum(max(0.0, (min(closes, end) - max(opens, start)).total_seconds()) for opens, closes in self.intervals)


def instant_of(day: date, wall: time, zone: ZoneInfo) -> datetime:
    """When the wall clock shows this time or has just passed it; of a time that is shown twice, the first. UTC.

    A time that spring leaves out (02:30 where the clock goes from 2 to 3) is the moment of the change.
    """
    late = datetime.combine(day, wall, zone).astimezone(UTC)
    if late.astimezone(zone).replace(tzinfo=None) == datetime.combine(day, wall):
        return late
    early = datetime.combine(day, wall, zone).replace(fold=1).astimezone(UTC)
    while late - early > _SECOND:
        middle = early + (late - early) // 2
        if middle.astimezone(zone).replace(tzinfo=None) >= datetime.combine(day, wall):
            late = middle
        else:
            early = middle
    return late.replace(microsecond=0)


_SECOND = timedelta(seconds=1)
ALWAYS = WorkingHours(zone="UTC", week={day: ((time(0), time(0)),) for day in range(7)})


def _days(hours: WorkingHours, since: datetime) -> Iterator[date]:
    # One day back: an interval of yesterday's local date may still run.
    first = since.astimezone(ZoneInfo(hours.zone)).date() - timedelta(days=1)
    for offset in range(HORIZON_DAYS):
        yield first + timedelta(days=offset)


def deadline(hours: WorkingHours, start: datetime, seconds: float) -> datetime:
    """The instant when `seconds` of working time have passed since `start`. Raises NoWorkingTime."""
    left = seconds
    for day in _days(hours, start):
        for opens, closes in hours.day(day).intervals:
            begin = max(opens, start)
            span = (closes - begin).total_seconds()
            if span <= 0:
                continue
            if left <= span:
                return (begin + timedelta(seconds=left)).astimezone(UTC)
            left -= span
    raise NoWorkingTime(f"Less than {seconds} s of working time within {HORIZON_DAYS} days of {start}.")


def worked(hours: WorkingHours, start: datetime, end: datetime) -> float:
    """Seconds of working time between two instants; 0 when the end is not after the start."""
    total, last = 0.0, end.astimezone(ZoneInfo(hours.zone)).date()
    for day in _days(hours, start):
        if day > last:
            break
        total += hours.day(day).worked(start, end)
    return total


def overlapping(spans: Iterable[tuple[time, time]]) -> bool:
    """Whether two intervals of one day share time; an end of 00:00 is the end of the day."""
    ordered = sorted((start, end if end != time(0) else time.max) for start, end in spans)
    return any(later[0] < earlier[1] for earlier, later in pairwise(ordered))
