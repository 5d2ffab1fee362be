"""Proves the ledger of points now, as every night; ends with 1 when something is wrong."""

import sys
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from loyalty.services import proof


class Command(BaseCommand):
    help = __doc__

    def handle(self, *args: Any, **options: Any) -> None:
        now = timezone.now()
        proof.prove(now=now)
        faults = proof.find_faults(now=now)
        for fault in faults:
            self.stdout.write(f"{fault.check.label}: {fault.subject} {fault.expected} != {fault.found}")
        if faults:
            sys.exit(1)
        self.stdout.write("The ledger is right.")
