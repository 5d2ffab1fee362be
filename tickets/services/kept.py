"""What a process keeps of settings that every ticket asks for: read anew when the stamp of the settings has grown, or after a while."""

import time
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from django.db.models import F

from core.statements import Prepared
from tickets.models import TreeStamp

T = TypeVar("T")
KEPT_SECONDS = 10
"""Other apps' rows (groups, people) change without the stamp."""
LOOK_SECONDS = 1
_STAMP = Prepared(lambda: TreeStamp.objects.filter(pk=1).values_list("number", flat=True))


_seen: list[tuple[float, int]] = []


def stamp() -> int:
    """How often topics and rules have changed, as it was at most LOOK_SECONDS ago."""
    now = time.monotonic()
    if not _seen or now - _seen[0][0] >= LOOK_SECONDS:
        _seen[:] = [(now, _STAMP.first() or 0)]
    return _seen[0][1]


def changed() -> None:
    """Topics or rules have changed: every process reads them anew within LOOK_SECONDS of the commit. Call inside the transaction."""
    TreeStamp.objects.get_or_create(pk=1)
    TreeStamp.objects.filter(pk=1).update(number=F("number") + 1)


_all: "list[Kept[Any]]" = []


def forget_all() -> None:
    """Read everything anew at its next use."""
    _seen.clear()
    for one in _all:
        one.forget()


class Kept(Generic[T]):
    """A value that is dear to read. Never older than KEPT_SECONDS; a change of the stamp is noticed within LOOK_SECONDS."""

    def __init__(self, read: Callable[[], T]) -> None:
        _all.append(self)
        self._read = read
        self._value: list[T] = []
        self._stamp, self._read_at = 0, 0.0

    def get(self) -> T:
        """The value, read now if it may be out of date."""
        # The stamp first: what changes after this look is found by the next one.
        found, now = stamp(), time.monotonic()
        if not self._value or found != self._stamp or now - self._read_at >= KEPT_SECONDS:
            self._value[:] = [self._read()]
            self._stamp, self._read_at = found, now
        return self._value[0]

    def forget(self) -> None:
        """Read it anew at the next use (after a change in this process)."""
        self._value.clear()
