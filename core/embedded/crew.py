"""The product's own processes while it runs: one that dies is started again, one that keeps dying ends the run."""

import time
from collections import deque
from collections.abc import Callable, Iterable

from core.embedded.process import Child, Program, how_it_ended

# Five deaths of one process within a minute are no accident.
DEATHS, WITHIN_SECONDS = 5, 60.0


class Crew:
    """Children by the order of their start. A worker may die with its broker: that must not take the pages down."""

    def __init__(self, say: Callable[[str], None], clock: Callable[[], float] = time.monotonic) -> None:
        self.children: list[Child] = []
        self._say, self._clock = say, clock
        self._deaths: dict[str, deque[float]] = {}

    def start(self, programs: Iterable[Program]) -> None:
        for program in programs:
            self.children.append(Child(program))

    def tend(self) -> None:
        """Start again what has ended by itself. Raises StartError with its last log lines when it keeps ending."""
        for position, child in enumerate(self.children):
            if child.exit_code is not None:
                self.children[position] = self._again(child)

    def _again(self, child: Child) -> Child:
        name, how = child.program.name, how_it_ended(child.exit_code or 0)
        deaths = self._deaths.setdefault(name, deque(maxlen=DEATHS))
        deaths.append(self._clock())
        if len(deaths) == DEATHS and deaths[-1] - deaths[0] < WITHIN_SECONDS:
            raise child.failure(f"{name} ended by itself {DEATHS} times within a minute ({how}), so everything is stopped")
        self._say(f"{name} ended by itself ({how}) and is started again; see {child.program.log}")
        return Child(child.program)
