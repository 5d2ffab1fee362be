"""Lists every text of the product that has no usable Russian translation."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from core.messages import Gap, find_gaps


class Command(BaseCommand):
    help = __doc__
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        gaps = find_gaps()
        for gap in gaps:
            self.stdout.write(_line(gap))
        if gaps:
            raise CommandError(f"{len(gaps)} texts are not translated; `manage.py make_messages` puts new ones into locale/.")


def _line(gap: Gap) -> str:
    return f"{gap.domain}: {gap.text!r}: {gap.reason} ({', '.join(gap.places)})"
