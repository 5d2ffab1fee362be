"""Takes a calendar's holidays over from a CSV file (date,name,starts,ends); a file with one wrong line changes nothing.

manage.py load_holidays CALENDAR sla/data/holidays-ru-2026.csv
"""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from sla.models import Calendar
from sla.services import holidays


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("calendar", help="code of the calendar")
        parser.add_argument("file", type=Path)

    def handle(self, *args: Any, **options: Any) -> None:
        calendar = Calendar.objects.filter(code=options["calendar"]).first()
        if calendar is None:
            raise CommandError(f"There is no calendar {options['calendar']!r}.")
        try:
            days = holidays.read(options["file"].read_text("utf-8"))
        except OSError as fault:
            raise CommandError(f"{options['file']} cannot be read: {fault.strerror}") from fault
        except UnicodeDecodeError as fault:
            raise CommandError(f"{options['file']} is not UTF-8.") from fault
        except holidays.BadFile as fault:
            raise CommandError(str(fault)) from fault
        changed = holidays.load(calendar=calendar, days=days, by=None, now=timezone.now())
        self.stdout.write(f"{changed} of {len(days)} days were new or changed.")
