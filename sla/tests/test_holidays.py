"""Holidays from a file: all of it or nothing, twice is the same as once."""

from datetime import date, time
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from sla.models import Calendar, Holiday
from sla.services import holidays

SHIPPED = Path(__file__).resolve().parents[1] / "data" / "holidays-ru-2026.csv"
HEAD = "date,name,starts,ends\n"


def test_the_shipped_file_is_read():
    days = holidays.read(SHIPPED.read_text("utf-8"))
    assert len(days) == 18
    assert all(day.date.year == 2026 and day.name and day.starts is None for day in days)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("day,name\n2026-01-01,x", "date, name, starts, ends"),
        (HEAD + "2026-13-01,x,,", "2:"),
        (HEAD + "2026-01-01,x,10:00,", "2:"),
        (HEAD + "2026-01-01,x,18:00,10:00", "2:"),
        (HEAD + "2026-01-01,x,,\n2026-01-01,y,,", "3:"),
        (HEAD + "2026-01-01,x,,\nwas,,,", "3:"),
    ],
)
def test_a_wrong_file_is_told_line_by_line(text, told):
    with pytest.raises(holidays.BadFile, match=told):
        holidays.read(text)


def test_short_days_have_hours():
    [day] = holidays.read("\ufeff" + HEAD + "2026-12-30,Короткий день,09:00,00:00\n")
    assert (day.date, day.starts, day.ends) == (date(2026, 12, 30), time(9), time(0))


@pytest.mark.django_db
def test_the_command_changes_nothing_twice(tmp_path):
    calendar = Calendar.objects.create(code="ru", name="ru")
    Holiday.objects.create(calendar=calendar, date=date(2026, 1, 1), name="Старое имя")
    out = StringIO()
    call_command("load_holidays", "ru", str(SHIPPED), stdout=out)
    call_command("load_holidays", "ru", str(SHIPPED), stdout=out)
    assert out.getvalue().splitlines() == ["18 of 18 days were new or changed.", "0 of 18 days were new or changed."]
    wrong = tmp_path / "wrong.csv"
    wrong.write_text(HEAD + "2027-01-01,x,,\nnonsense,,,", "utf-8")
    with pytest.raises(CommandError):
        call_command("load_holidays", "ru", str(wrong))
    assert calendar.holidays.count() == 18
    with pytest.raises(CommandError):
        call_command("load_holidays", "nowhere", str(SHIPPED))
