"""Servers of an earlier start that still work in a data folder, for a moment or for good."""

import os
import signal
import time
from contextlib import suppress
from pathlib import Path

from core.embedded.errors import StartError
from core.embedded.waiting import Pause, wait_until

SERVER_NAMES = {"postgres", "valkey-server", "redis-server"}


def servers_in(folder: Path) -> dict[int, int]:
    """Server processes whose working folder is `folder`, each with its parent; empty where the system has no /proc (macOS)."""
    wanted = str(folder.resolve())
    found = {}
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if os.readlink(entry / "cwd") == wanted and (entry / "comm").read_text().strip() in SERVER_NAMES:
                found[int(entry.name)] = _parent(entry)
    return found


def clear_out(folder: Path, stop_signal: signal.Signals, *, seconds: float = 20, pause: Pause = time.sleep) -> None:
    """Stop every server that still works in `folder`, the hard way after `seconds`.

    Two servers on one data folder destroy it. Raises StartError when one stays.
    """
    living = servers_in(folder)
    _signal({pid for pid, parent in living.items() if parent not in living}, stop_signal)
    if wait_until(lambda: not servers_in(folder), seconds=seconds, pause=pause):
        return
    _signal(set(servers_in(folder)), signal.SIGKILL)
    if not wait_until(lambda: not servers_in(folder), seconds=5, pause=pause):
        raise StartError(f"A server of an earlier start still works in {folder}: stop process {min(servers_in(folder))} and start again.")


def _parent(entry: Path) -> int:
    # proc(5): the name stands in parentheses and may hold spaces; then state, then the parent.
    return int((entry / "stat").read_text().rpartition(")")[2].split()[1])


def _signal(pids: set[int], number: signal.Signals) -> None:
    for pid in pids:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)
