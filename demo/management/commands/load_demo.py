"""Fills a base for trying the product: a believable demo day, or with --cases a base of any size for measuring.

Without --cases the base must be empty. The addresses, sign-ins and secrets of the demo are written to demo.json in VAR_DIR.
"""

import time
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from accounts.models import Staff
from core.embedded.ports import is_free
from demo.services import addresses, bulk, day, people


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--if-empty", action="store_true", help="leave a base with people in it as it is")
        parser.add_argument("--cases", type=int, default=0, help="fill the base with so many tickets instead")
        parser.add_argument("--seed", type=int, default=1, help="the same seed makes the same rows")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["cases"]:
            self._load_bulk(options["cases"], options["seed"])
            return
        if Staff.objects.exists():
            if not options["if_empty"]:
                raise CommandError("The base is not empty: a demo day is loaded into an empty one only.")
            self._renew()
            return
        where = addresses.present()
        self.stdout.write("Loading the demo day ...")
        day.load(addresses=where, now=timezone.now(), seed=options["seed"])
        addresses.tell(where, people.sign_ins())

    def _load_bulk(self, cases: int, seed: int) -> None:
        empty = not Staff.objects.exists()
        where = addresses.present()
        began = time.monotonic()
        bulk.load(cases=cases, seed=seed, addresses=where, now=timezone.now(), say=self._say)
        self._say(f"Done in {time.monotonic() - began:.0f} s.")
        if empty:
            addresses.tell(where, people.sign_ins())

    def _say(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()

    def _renew(self) -> None:
        """The port may be another one at this start: the demo's accounts and file follow it."""
        known = addresses.read(Path(settings.VAR_DIR) / addresses.FILE)
        if not settings.DEMO or not addresses.demo_accounts():
            return
        if known and not is_free(int(str(known["providers"]).rpartition(":")[2])):
            return  # the product runs, at the addresses it has
        where = addresses.present()
        addresses.renew(where)
        people.make_accounts(where)  # of channels that came with a newer version
        addresses.tell(where, people.sign_ins())
