"""Listens to every Asterisk account until stopped (SIGTERM, Ctrl-C): its events go into the inbound journal.

New, changed and switched-off accounts are noticed within seconds. May run twice: each exchange is heard by one process at a time.
"""

from typing import Any

from django.core.management.base import BaseCommand

from omni import listeners
from omni.services import exchanges


class Command(BaseCommand):
    help = __doc__

    def handle(self, *args: Any, **options: Any) -> None:
        listeners.watch(listeners.stop_on_signals(), kind=exchanges.KIND, name="exchange", listen=exchanges.listen)
