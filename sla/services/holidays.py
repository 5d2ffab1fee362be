"""Holidays of a calendar from a file."""

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time
from io import StringIO

from django.utils.translation import gettext as _

from accounts.models import Staff
from core import audit
from sla.models import Calendar, Holiday
from sla.services import changes, clocks

COLUMNS = ("date", "name", "starts", "ends")


@dataclass(frozen=True)
class Day:
    """A date that differs from its weekday; without hours it is closed."""

    date: date
    name: str
    starts: time | None = None
    ends: time | None = None


class BadFile(ValueError):
    """What is wrong with the file, a sentence for each line; nothing of it was taken."""

    def __init__(self, faults: Iterable[str]) -> None:
        self.faults = list(faults)
        super().__init__("\n".join(self.faults))


def read(text: str) -> list[Day]:
    """The days of a CSV with the columns date (YYYY-MM-DD), name, starts, ends (HH:MM, both or none). Raises BadFile."""
    rows = csv.DictReader(StringIO(text.lstrip("\ufeff")))
    if tuple(rows.fieldnames or ()) != COLUMNS:
        raise BadFile([_("The columns must be: %(columns)s") % {"columns": ", ".join(COLUMNS)}])
    days: dict[date, Day] = {}
    faults = []
    for number, row in enumerate(rows, 2):
        try:
            day = _day(row)
        except ValueError as fault:
            faults.append(_("Line %(number)d: %(fault)s") % {"number": number, "fault": fault})
            continue
        if day.date in days:
            faults.append(_("Line %(number)d: %(date)s stands twice") % {"number": number, "date": day.date})
        days[day.date] = day
    if faults:
        raise BadFile(faults)
    return list(days.values())


def _day(row: dict[str, str]) -> Day:
    starts, ends = (time.fromisoformat(row[name].strip()) if (row[name] or "").strip() else None for name in ("starts", "ends"))
    if (starts is None) != (ends is None):
        raise ValueError(_("give both hours or none"))
    if starts and ends and ends != time(0) and ends <= starts:
        raise ValueError(_("the hours run backwards"))
    return Day(date.fromisoformat((row["date"] or "").strip()), (row["name"] or "").strip()[:80], starts, ends)


def load(*, calendar: Calendar, days: Iterable[Day], by: Staff | None, now: datetime) -> int:
    """Take the days over: a date that is there is changed, the others stay; clocks that run follow in the background.

    Returns how many were new or changed.
    """
    with changes.changing(calendar, to_running=True, by=by, now=now):
        kept = {holiday.date: holiday for holiday in calendar.holidays.select_for_update()}
        changed = list(_changed(calendar, days, kept))
        new = [holiday for holiday in changed if holiday.pk is None]
        Holiday.objects.bulk_create(new)
        Holiday.objects.bulk_update([holiday for holiday in changed if holiday not in new], ["name", "starts", "ends"])
        audit.record(action="calendar.holidays_loaded", by=by, subject=calendar, now=now, details={"days": len(changed)})
    clocks.forget_hours()
    return len(changed)


def _changed(calendar: Calendar, days: Iterable[Day], kept: dict[date, Holiday]) -> Iterator[Holiday]:
    for day in days:
        holiday = kept.get(day.date) or Holiday(calendar=calendar, date=day.date)
        if holiday.pk and (holiday.name, holiday.starts, holiday.ends) == (day.name, day.starts, day.ends):
            continue
        holiday.name, holiday.starts, holiday.ends = day.name, day.starts, day.ends
        yield holiday
