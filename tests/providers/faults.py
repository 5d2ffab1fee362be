"""Faults on demand: each queued fault spoils one request."""

import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


class FaultKind(StrEnum):
    """The first group answers without accepting, the second accepts and then misbehaves."""

    THROTTLED = "throttled"
    SERVER_ERROR = "server_error"
    GARBAGE = "garbage"
    BLOCKED = "blocked"
    TOKEN_REVOKED = "token_revoked"

    LATE = "late"
    TIMEOUT_AFTER_ACCEPTING = "timeout_after_accepting"
    DROPPED_AFTER_ACCEPTING = "dropped_after_accepting"
    GARBAGE_AFTER_ACCEPTING = "garbage_after_accepting"


ACCEPTING = frozenset(
    {FaultKind.LATE, FaultKind.TIMEOUT_AFTER_ACCEPTING, FaultKind.DROPPED_AFTER_ACCEPTING, FaultKind.GARBAGE_AFTER_ACCEPTING}
)
GARBAGE_BODY = b"<html><body>\xff\xfe gateway says hello"


@dataclass(frozen=True)
class Fault:
    """One fault. `seconds`: retry_after of THROTTLED, the wait of LATE and TIMEOUT; `status`: of SERVER_ERROR
    (0 = 500) and GARBAGE (0 = 200).

    `method` restricts it to calls of that name; empty = the next call of any name.
    """

    kind: FaultKind
    seconds: float = 1.0
    status: int = 0
    method: str = ""


class FaultQueue:
    """Faults waiting for their request, first in first out among those that fit. Thread-safe."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._lock = threading.Lock()

    def add(self, fault: Fault, *, times: int = 1) -> None:
        with self._lock:
            self._faults.extend([fault] * times)

    def add_json(self, value: Mapping[str, Any]) -> None:
        """{"kind", "seconds"?, "status"?, "method"?, "times"?}. Raises ValueError, TypeError."""
        fields = {key: value[key] for key in value if key != "times"}
        self.add(Fault(**{**fields, "kind": FaultKind(fields.get("kind", ""))}), times=int(value.get("times", 1)))

    def take(self, method: str) -> Fault | None:
        with self._lock:
            for position, fault in enumerate(self._faults):
                if fault.method in ("", method):
                    return self._faults.pop(position)
        return None

    def waiting(self) -> list[dict[str, Any]]:
        with self._lock:
            return [asdict(fault) for fault in self._faults]

    def clear(self) -> None:
        with self._lock:
            self._faults.clear()
