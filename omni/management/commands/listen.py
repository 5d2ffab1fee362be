"""Fetches mail and listens to exchanges in one process, until stopped (SIGTERM, Ctrl-C): `fetch_mail` and `listen_asterisk` together.

For small installations: each of the two alone needs a process with the whole product in its memory.
"""

import threading
from collections.abc import Callable
from typing import Any

from django.core.management.base import BaseCommand

from omni import listeners
from omni.management.commands import fetch_mail, listen_asterisk

WATCHES = (fetch_mail.watch, listen_asterisk.watch)


class Command(BaseCommand):
    help = __doc__

    def handle(self, *args: Any, **options: Any) -> None:
        stop = listeners.stop_on_signals()
        threads = [threading.Thread(target=_run, args=(watch, stop)) for watch in WATCHES]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()


def _run(watch: Callable[[threading.Event], None], stop: threading.Event) -> None:
    """One that breaks ends the process with its fault in the log: a half-deaf listener would go unnoticed."""
    try:
        watch(stop)
    finally:
        stop.set()
