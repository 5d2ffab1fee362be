"""Writes the texts of the product into locale/ru; what is translated stays, what the product no longer says goes."""

from typing import Any

from django.core.management.base import BaseCommand

from core.messages import find_gaps, update_catalogues


class Command(BaseCommand):
    help = __doc__
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        for path in update_catalogues():
            self.stdout.write(str(path))
        self.stdout.write(f"{len(find_gaps())} texts to translate")
