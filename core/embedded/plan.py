"""Which processes make up the product, how each is started, and in what order they stop."""

import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from core.embedded.process import Program

# What somebody waits for, and what may take minutes (a night's training, an import): that must never keep a message waiting.
QUEUES = ("chat", "outgoing", "sla", "default")
BACKGROUND_QUEUES = ("digest", "bulk")
WORKER_PROCESSES, BACKGROUND_PROCESSES = 2, 1
# The order of the way down: nothing comes in any more, then nothing new is started, then what was started ends.
FIRST, THEN, LAST = range(3)


@dataclass(frozen=True)
class Plan:
    """Where and as what the product runs. `environment` is what every process gets."""

    checkout: Path
    var: Path
    environment: Mapping[str, str]
    host: str = "127.0.0.1"
    port: int = 8000

    @property
    def providers_port(self) -> int:
        return self.port + 1

    @property
    def url(self) -> str:
        shown = "127.0.0.1" if self.host in {"0.0.0.0", "::", ""} else self.host  # noqa: S104
        return f"http://[{shown}]:{self.port}" if ":" in shown else f"http://{shown}:{self.port}"

    def command(self, *arguments: str) -> Program:
        """`manage.py` with these arguments."""
        return self._python(arguments[0], str(self.checkout / "manage.py"), *arguments)

    def web(self) -> Program:
        where = ("--host", self.host, "--port", str(self.port))
        quiet = ("--no-access-log", "--log-level", "warning", "--lifespan", "off", "--timeout-graceful-shutdown", "3")
        return self._python("web", "-m", "uvicorn", "config.asgi:application", *where, *quiet, grace=8)

    def worker(self) -> Program:
        return self._worker("worker", WORKER_PROCESSES, QUEUES)

    def background(self) -> Program:
        """The worker for what nobody waits for."""
        return self._worker("background", BACKGROUND_PROCESSES, BACKGROUND_QUEUES)

    def _worker(self, name: str, processes: int, queues: Sequence[str]) -> Program:
        size = ("--concurrency", str(processes), "--queues", ",".join(queues))
        alone = ("--without-mingle", "--without-gossip", "--hostname", f"{name}-{self.port}@%h")
        # SIGQUIT: the worker ends its pool itself when the supervisor is gone.
        return self._celery(name, "worker", *size, *alone, grace=10, stop_stage=LAST, orphan_signal=signal.SIGQUIT)

    def beat(self) -> Program:
        return self._celery("beat", "beat", "--pidfile", "", stop_stage=THEN)

    def listener(self) -> Program:
        """What fetches mail and hears the exchanges."""
        return self._python("listener", str(self.checkout / "manage.py"), "listen", stop_stage=THEN)

    def providers(self) -> Program:
        """The provider servers of the demo."""
        where = ("--port", str(self.providers_port), "--product", self.url, "--demo", str(self.var / "demo.json"))
        return self._python("providers", "-m", "tests.providers", *where, stop_stage=THEN)

    def _celery(
        self, name: str, *arguments: str, stop_stage: int, grace: float = 5, orphan_signal: signal.Signals = signal.SIGKILL
    ) -> Program:
        called = ("-m", "celery", "-A", "config", *arguments)
        return self._python(name, *called, grace=grace, stop_stage=stop_stage, orphan_signal=orphan_signal)

    def _python(
        self, name: str, *arguments: str, grace: float = 5, stop_stage: int = FIRST, orphan_signal: signal.Signals = signal.SIGKILL
    ) -> Program:
        return Program(
            name=name,
            argv=(sys.executable, *arguments),
            log=self.var / "log" / f"{name}.log",
            environment=self.environment,
            folder=self.checkout,
            orphan_signal=orphan_signal,
            grace=grace,
            stop_stage=stop_stage,
        )
