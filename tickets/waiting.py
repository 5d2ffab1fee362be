"""When a waiting ticket reminds its guest and when it is closed for silence: pure. Days are working days of a calendar."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from sla.rules import HORIZON_DAYS, NoWorkingTime, WorkingHours


class Deed(StrEnum):
    REMIND = "remind"
    CLOSE = "close"


@dataclass(frozen=True)
class Plan:
    """Working days after the beginning of the wait: growing `reminders`, then `close` (None = never)."""

    reminders: tuple[int, ...] = ()
    close: int | None = None


@dataclass(frozen=True)
class Due:
    deed: Deed
    at: datetime


def days_later(hours: WorkingHours, since: datetime, days: int) -> datetime:
    """The same time of day, `days` working days after `since`; before the day opens it is the opening, after it closes the closing.

    Raises NoWorkingTime.
    """
    zone = ZoneInfo(hours.zone)
    local = since.astimezone(zone)
    day, left = local.date(), days
    for _step in range(HORIZON_DAYS):
        day += timedelta(days=1)
        open_hours = hours.day(day).intervals
        left -= bool(open_hours)
        if not left:
            wanted = datetime.combine(day, local.timetz().replace(tzinfo=None), zone).astimezone(UTC)
            return min(max(wanted, open_hours[0][0]), open_hours[-1][1])
    raise NoWorkingTime(f"Less than {days} working days within {HORIZON_DAYS} days of {since}.")


def next_due(plan: Plan, *, done: int, since: datetime, last_at: datetime, hours: WorkingHours) -> Due | None:
    """What comes next after `done` reminders, the last of them (or the beginning) at `last_at`.

    A deed that was late puts off those after it: between two deeds lie as many working days as planned. Raises NoWorkingTime.
    """
    days: Sequence[int] = [*plan.reminders, *([plan.close] if plan.close is not None else [])]
    if done >= len(days):
        return None
    deed = Deed.REMIND if done < len(plan.reminders) else Deed.CLOSE
    planned = days_later(hours, since, days[done])
    if done == 0:
        return Due(deed, planned)
    return Due(deed, max(planned, days_later(hours, last_at, days[done] - days[done - 1])))
