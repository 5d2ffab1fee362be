"""Plays a guest over the real wire against the running product, and waits for the operator's answer.

manage.py guest --channel telegram --text "Здравствуйте, где мой заказ?"
"""

import json
import sys
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from core.embedded.private_files import write_private
from demo.channels import ALL
from demo.guests import Guest, Outside, Unreachable, guest_of
from demo.services import addresses
from omni.channels.registry import ADAPTERS

_WRITABLE = {adapter.kind for adapter in ADAPTERS if not adapter.capabilities.notices_only}
CHANNELS = sorted(_WRITABLE | {name for name, channel in ALL.items() if channel.kind in _WRITABLE})


class Command(BaseCommand):
    help = __doc__
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--channel", choices=CHANNELS, default="telegram")
        parser.add_argument("--text", required=True, help="what the guest writes; of a call: answered or missed")
        parser.add_argument("--name", default="Анна", help="the guest's name")
        parser.add_argument("--wait", type=float, default=120, metavar="SECONDS", help="how long to wait for an answer; 0 = not at all")
        parser.add_argument("--again", action="store_true", help="go on as the guest of the last call in this channel")
        parser.add_argument("--url", default="", help="the product's address, if it is not the one of the last start")

    def handle(self, *args: Any, **options: Any) -> None:
        # A file for each channel: guests of several channels may be played at once.
        state = Path(settings.VAR_DIR) / f"guest-{options['channel']}.json"
        known = addresses.read(state) if options["again"] else None
        guest: Guest = guest_of(options["channel"], _outside(options["url"]), known or {})
        try:
            guest.say(options["text"], name=options["name"])
            self.stdout.write(f"{options['name']}: {options['text']}")
            if options["wait"] and not guest.hears:
                self.stdout.write("This channel brings no answers back.")
                return
            answered = self._wait(guest, options["wait"])
        except Unreachable as fault:
            raise CommandError(str(fault)) from None
        finally:
            write_private(state, json.dumps(guest.kept))
        if options["wait"] and not answered:
            self.stdout.write(f"No answer within {options['wait']:g} s. Go on with --again.")
            sys.exit(2)

    def _wait(self, guest: Guest, seconds: float) -> bool:
        """Print the first answer. Whether there was one."""
        if not seconds:
            return False
        for text in guest.answers(seconds):
            self.stdout.write(f"Operator: {text}")
            return True
        return False


def _outside(url: str) -> Outside:
    facts = addresses.read(Path(settings.VAR_DIR) / addresses.FILE)
    if facts is None:
        raise CommandError(
            f"There is no {addresses.FILE} in {settings.VAR_DIR}: start the product with its demo day first (`manage.py up`)."
        )
    return Outside(product=(url or str(facts["product"])).rstrip("/"), providers=str(facts["providers"]), facts=facts)
