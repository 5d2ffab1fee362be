"""Mails of the demo's mail world, by address, in memory."""

import itertools
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime


@dataclass
class StoredMail:
    """A delivered mail: exact bytes, when it came, its IMAP flags."""

    uid: int
    raw: bytes
    at: datetime
    flags: set[str] = field(default_factory=set)


class Store:
    """Thread-safe: the SMTP server writes, IMAP connections and pages read."""

    def __init__(self) -> None:
        self.uidvalidity = int(time.time())
        self._lock = threading.RLock()
        self._mails: dict[str, list[StoredMail]] = {}
        self._uids = itertools.count(1)
        self._watchers: dict[str, list[Callable[[], None]]] = {}

    def deliver(self, address: str, raw: bytes) -> None:
        with self._lock:
            self._mails.setdefault(owner(address), []).append(StoredMail(next(self._uids), raw, datetime.now(UTC)))
            watchers = list(self._watchers.get(owner(address), ()))
        for tell in watchers:
            tell()

    def watch(self, address: str, tell: Callable[[], None]) -> None:
        """Have `tell` called for each new mail of the address."""
        with self._lock:
            self._watchers.setdefault(owner(address), []).append(tell)

    def unwatch(self, address: str, tell: Callable[[], None]) -> None:
        with self._lock:
            self._watchers.get(owner(address), []).remove(tell)

    def mails(self, address: str) -> list[StoredMail]:
        """The mails of an address, oldest first."""
        with self._lock:
            return list(self._mails.get(owner(address), ()))

    def expunge(self, address: str) -> list[int]:
        """Remove the mails marked as deleted; returns the places they had, from 1."""
        with self._lock:
            mails = self.mails(address)
            self._mails[owner(address)] = [mail for mail in mails if "\\Deleted" not in mail.flags]
            return [place for place, mail in enumerate(mails, 1) if "\\Deleted" in mail.flags]

    def clear(self) -> None:
        with self._lock:
            self._mails.clear()


def owner(address: str) -> str:
    """Whose mailbox an address names: what stands behind a plus sign does not matter."""
    local, _, domain = address.lower().rpartition("@")
    return f"{local.partition('+')[0]}@{domain}"
