"""Listens to every Asterisk account until stopped (SIGTERM, Ctrl-C): its events go into the inbound journal.

New, changed and switched-off accounts are noticed within seconds. May run twice: each exchange is heard by one process at a time.
"""

import threading
from typing import Any

from django.core.management.base import BaseCommand

from omni import listeners
from omni.services import exchanges


class Command(BaseCommand):
    help = __doc__

    def handle(self, *args: Any, **options: Any) -> None:
        watch(listeners.stop_on_signals())


def watch(stop: threading.Event) -> None:
    """Keep one listener per Asterisk account with its present settings, until `stop` is set; then end them all."""
    listeners.watch(stop, kind=exchanges.KIND, name="exchange", listen=exchanges.listen)
