"""Reckons SLA clocks anew from their stories and prints every row that says something else, one JSON line each."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from sla.models import Clock
from sla.services import stories


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--policy", default="", help="only clocks of the policy with this code")
        parser.add_argument("--running", action="store_true", help="only clocks that have not ended")

    def handle(self, *args: Any, **options: Any) -> None:
        clocks = Clock.objects.all()
        if options["policy"]:
            clocks = clocks.filter(policy__code=options["policy"])
        if options["running"]:
            clocks = clocks.filter(ended_at__isnull=True)
        found = 0
        for one in stories.differences(clocks, now=timezone.now()):
            found += 1
            line = {
                "subject": one.clock.subject,
                "metric": one.clock.metric,
                "field": one.field,
                "kept": str(one.kept),
                "told": str(one.told),
            }
            self.stdout.write(json.dumps(line, ensure_ascii=False))
        if found:
            raise CommandError(f"{found} clocks differ from their stories.")
