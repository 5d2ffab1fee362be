"""Adds the settings that come with the product: roles, groups, calendars, promises, queues, topics, ready answers.

Safe to run at any time: each is added once in the life of a base, and nothing that exists is changed.
"""

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from tickets.services import defaults


class Command(BaseCommand):
    help = __doc__

    def handle(self, *args: Any, **options: Any) -> None:
        added = defaults.load(now=timezone.now())
        told = ", ".join(f"{kind} {number}" for kind, number in added.items())
        self.stdout.write(f"Added: {told}." if told else "Everything was there already.")
