"""Fetches mail for every e-mail account until stopped (SIGTERM, Ctrl-C).

New, changed and switched-off accounts are noticed within seconds. May run twice: each mailbox is read by one process at a time.
"""

import hashlib
import json
import signal
import threading
from dataclasses import dataclass
from typing import Any

import structlog
from django.core.management.base import BaseCommand
from django.db import DatabaseError, InterfaceError, connection

from omni.models import ChannelAccount
from omni.services import mailboxes
from omni.states import AccountState

log = structlog.get_logger(__name__)
WATCH_SECONDS = 3.0
STOP_SECONDS = 4.0


@dataclass
class _Running:
    """A reader's thread, and the settings it was started with."""

    settings: str
    stop: threading.Event
    thread: threading.Thread


class Command(BaseCommand):
    help = __doc__

    def handle(self, *args: Any, **options: Any) -> None:
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        watch(stop)


def watch(stop: threading.Event) -> None:
    """Keep one reader per e-mail account with its present settings, until `stop` is set; then end them all."""
    running: dict[int, _Running] = {}
    while not stop.is_set():
        try:
            _follow(running, _wanted())
        except (DatabaseError, InterfaceError) as fault:
            log.warning("the database is away; accounts are looked at again soon", fault=str(fault))
            connection.close()
        stop.wait(WATCH_SECONDS)
    _end(list(running.values()))


def _wanted() -> dict[int, str]:
    """Accounts to read, each with a digest of what its reader depends on."""
    accounts = ChannelAccount.objects.filter(kind=mailboxes.KIND).exclude(state=AccountState.DISABLED)
    found = accounts.values_list("pk", "settings", "closed_secrets")
    return {pk: hashlib.sha256(json.dumps([settings, secrets], sort_keys=True).encode()).hexdigest() for pk, settings, secrets in found}


def _follow(running: dict[int, _Running], wanted: dict[int, str]) -> None:
    stale = [pk for pk, one in running.items() if wanted.get(pk) != one.settings or not one.thread.is_alive()]
    _end([running.pop(pk) for pk in stale])
    for pk in wanted.keys() - running.keys():
        running[pk] = _start(pk, wanted[pk])


def _start(account_id: int, settings: str) -> _Running:
    stop = threading.Event()
    thread = threading.Thread(target=mailboxes.Reader(account_id, stop).run, daemon=True, name=f"mailbox-{account_id}")
    thread.start()
    return _Running(settings, stop, thread)


def _end(readers: list[_Running]) -> None:
    for one in readers:
        one.stop.set()
    for one in readers:
        one.thread.join(STOP_SECONDS)
