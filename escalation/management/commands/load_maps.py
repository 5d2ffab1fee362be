"""`manage.py load_maps`: the shipped escalation maps; what is there stays as it is."""

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from escalation.services import defaults


class Command(BaseCommand):
    help = "Adds the shipped duty roles, escalation maps and lines that were never added before."

    def handle(self, *_args: Any, **_options: Any) -> None:
        added = defaults.load(now=timezone.now())
        self.stdout.write(", ".join(f"{kind}: {number}" for kind, number in added.items()))
