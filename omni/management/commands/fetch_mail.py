"""Fetches mail for every e-mail account until stopped (SIGTERM, Ctrl-C).

New, changed and switched-off accounts are noticed within seconds. May run twice: each mailbox is read by one process at a time.
"""

import threading
from typing import Any

from django.core.management.base import BaseCommand

from omni import listeners
from omni.services import mailboxes

WATCH_SECONDS = 3.0


class Command(BaseCommand):
    help = __doc__

    def handle(self, *args: Any, **options: Any) -> None:
        watch(listeners.stop_on_signals())


def watch(stop: threading.Event) -> None:
    """Keep one reader per e-mail account with its present settings, until `stop` is set; then end them all."""
    listeners.watch(stop, kind=mailboxes.KIND, name="mailbox", listen=_read, every=WATCH_SECONDS)


def _read(account_id: int, stop: threading.Event) -> None:
    mailboxes.Reader(account_id, stop).run()
