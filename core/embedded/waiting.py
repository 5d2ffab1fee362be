"""Waiting with a deadline, and the one request to stop."""

import os
import select
import signal
import time
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any

from core.embedded.errors import StopRequested

Pause = Callable[[float], None]
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def wait_until(ready: Callable[[], bool], *, seconds: float, pause: Pause = time.sleep, step: float = 0.05) -> bool:
    """True as soon as `ready()` is, False after `seconds`; what `ready` or `pause` raises passes through."""
    deadline = time.monotonic() + seconds
    while not ready():
        if time.monotonic() >= deadline:
            return False
        pause(step)
    return True


class StopRequest:
    """While entered, stop signals are remembered instead of killing the process; a child's end wakes a pause early.

    For the main thread only.
    """

    def __init__(self) -> None:
        self.came = False
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> "StopRequest":
        self._read_end, write_end = os.pipe()
        os.set_blocking(self._read_end, False)
        os.set_blocking(write_end, False)
        self._wakeup_before = signal.set_wakeup_fd(write_end, warn_on_full_buffer=False)
        self._write_end = write_end
        for number in STOP_SIGNALS:
            self._before[number] = signal.signal(number, self._remember)
        self._before[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, self._wake)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(self._wakeup_before)
        os.close(self._read_end)
        os.close(self._write_end)

    def pause(self, seconds: float) -> None:
        """Sleep at most `seconds`, less when a signal or a child's end comes; StopRequested when a stop was asked for."""
        self.rest(seconds)
        if self.came:
            raise StopRequested

    def rest(self, seconds: float) -> None:
        """Like pause, but never raises: for the way down."""
        # Not select(): that one takes no descriptor above 1023.
        waiting = select.poll()
        waiting.register(self._read_end, select.POLLIN)
        if waiting.poll(seconds * 1000):
            os.read(self._read_end, 4096)

    def _remember(self, _number: int, _frame: FrameType | None) -> None:
        self.came = True

    def _wake(self, _number: int, _frame: FrameType | None) -> None:
        """A handler must exist, or the signal does not reach the wake-up pipe."""
