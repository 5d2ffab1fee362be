"""Commands that keep one thread per channel account: new, changed and switched-off accounts are noticed within seconds."""

import hashlib
import json
import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass

import structlog
from django.db import DatabaseError, InterfaceError, connection

from omni.models import ChannelAccount
from omni.states import AccountState

log = structlog.get_logger(__name__)
WATCH_SECONDS = 3.0
STOP_SECONDS = 4.0
Listen = Callable[[int, threading.Event], None]


@dataclass
class _Running:
    """A listener's thread, and the settings it was started with."""

    settings: str
    stop: threading.Event
    thread: threading.Thread


def stop_on_signals() -> threading.Event:
    """Set by SIGTERM and Ctrl-C. For the main thread."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop


def watch(stop: threading.Event, *, kind: str, name: str, listen: Listen, every: float = WATCH_SECONDS) -> None:
    """Keep one thread in `listen` per account of the kind with its present settings, until `stop` is set; then end them all."""
    running: dict[int, _Running] = {}
    while not stop.is_set():
        try:
            _follow(running, _wanted(kind), listen, name)
        except (DatabaseError, InterfaceError) as fault:
            log.warning("the database is away; accounts are looked at again soon", fault=str(fault))
            connection.close()
        stop.wait(every)
    _end(list(running.values()))


def _wanted(kind: str) -> dict[int, str]:
    """Accounts to listen to, each with a digest of what its listener depends on."""
    accounts = ChannelAccount.objects.filter(kind=kind).exclude(state=AccountState.DISABLED)
    found = accounts.values_list("pk", "settings", "closed_secrets")
    return {pk: hashlib.sha256(json.dumps([settings, secrets], sort_keys=True).encode()).hexdigest() for pk, settings, secrets in found}


def _follow(running: dict[int, _Running], wanted: dict[int, str], listen: Listen, name: str) -> None:
    stale = [pk for pk, one in running.items() if wanted.get(pk) != one.settings or not one.thread.is_alive()]
    _end([running.pop(pk) for pk in stale])
    for pk in wanted.keys() - running.keys():
        stop = threading.Event()
        thread = threading.Thread(target=listen, args=(pk, stop), daemon=True, name=f"{name}-{pk}")
        thread.start()
        running[pk] = _Running(wanted[pk], stop, thread)


def _end(listeners: list[_Running]) -> None:
    for one in listeners:
        one.stop.set()
    for one in listeners:
        one.thread.join(STOP_SECONDS)
