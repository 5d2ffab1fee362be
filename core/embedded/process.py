"""A child process: started in a session of its own, gone when its parent is, stopped within a grace."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from core.embedded.account import Account
from core.embedded.errors import StartError
from core.embedded.waiting import Pause, wait_until

ROTATE_AT = 5 * 1024 * 1024
KEPT_LOGS = 3
PR_SET_PDEATHSIG = 1  # prctl(2)


@dataclass(frozen=True)
class Program:
    """What to run. `orphan_signal` is sent by Linux when the parent dies; `grace` is in seconds, SIGKILL follows."""

    name: str
    argv: Sequence[str | Path]
    log: Path
    environment: Mapping[str, str]
    folder: Path | None = None
    account: Account | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    orphan_signal: signal.Signals = signal.SIGKILL
    grace: float = 5.0
    stop_stage: int = 0


class Child:
    """A running Program. Construct it in the main thread: Linux ties the orphan signal to the thread that starts it."""

    def __init__(self, program: Program) -> None:
        self.program = program
        program.log.parent.mkdir(parents=True, exist_ok=True)
        rotate(program.log)
        account = program.account
        with program.log.open("ab") as log:
            self._log_start = log.tell()
            self.process = subprocess.Popen(  # noqa: S603 - our own plan
                program.argv,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=dict(program.environment),
                cwd=program.folder,
                start_new_session=True,
                preexec_fn=_tied_to_parent(program.orphan_signal),
                user=account.uid if account else None,
                group=account.gid if account else None,
                extra_groups=[] if account else None,
            )

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs; negative: the signal that ended it. What it left behind in its session is killed with it."""
        if self.process.returncode is None and self._ended():
            self._kill_session()
        return self.process.poll()

    def ask_to_stop(self) -> None:
        """Send its stop signal; it need not be running any more."""
        if self.exit_code is None:
            self.process.send_signal(self.program.stop_signal)

    def stop(self, pause: Pause = time.sleep) -> bool:
        """Stop it; False when it had to be killed after its grace."""
        self.ask_to_stop()
        in_time = wait_until(lambda: self.exit_code is not None, seconds=self.program.grace, pause=pause)
        if not in_time:
            self.kill()
        return in_time

    def kill(self) -> None:
        """SIGKILL to it and to what it started in its session, then wait for its end."""
        self._kill_session()
        self.process.wait(timeout=10)

    def last_lines(self, count: int = 5) -> list[str]:
        """The last lines it wrote since this start."""
        with self.program.log.open("rb") as log:
            log.seek(0, os.SEEK_END)
            log.seek(max(self._log_start, log.tell() - 16_384))
            lines = log.read().decode(errors="replace").splitlines()
        return [line for line in lines if line.strip()][-count:]

    def failure(self, what: str) -> StartError:
        """`what` as a StartError with its last lines."""
        lines = "\n  ".join(self.last_lines())
        return StartError(f"{what}; the last lines of {self.program.log}:\n  {lines}" if lines else f"{what}; {self.program.log} is empty.")

    def _ended(self) -> bool:
        return os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None

    def _kill_session(self) -> None:
        # Its number still belongs to it here: an ended child is reaped only afterwards.
        if self.process.returncode is None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, signal.SIGKILL)


def run(program: Program, pause: Pause = time.sleep) -> None:
    """Run it to its end. Raises StartError when it fails; what `pause` raises stops it."""
    child = Child(program)
    try:
        finish(child, pause)
    finally:
        child.stop()


def finish(child: Child, pause: Pause = time.sleep) -> None:
    """Wait for its own end. Raises StartError when it failed."""
    wait_until(lambda: child.exit_code is not None, seconds=float("inf"), pause=pause, step=0.2)
    if child.exit_code:
        raise child.failure(f"{child.program.name} failed ({how_it_ended(child.exit_code)})")


def how_it_ended(exit_code: int) -> str:
    """`exit code 3` or `killed by SIGKILL`."""
    return f"killed by {signal.Signals(-exit_code).name}" if exit_code < 0 else f"exit code {exit_code}"


def rotate(log: Path) -> None:
    """Move a log of 5 MB and more aside; three old ones are kept."""
    if not log.exists() or log.stat().st_size < ROTATE_AT:
        return
    for number in range(KEPT_LOGS - 1, 0, -1):
        older = log.with_name(f"{log.name}.{number}")
        if older.exists():
            older.replace(log.with_name(f"{log.name}.{number + 1}"))
    log.replace(log.with_name(f"{log.name}.1"))


def _tied_to_parent(orphan_signal: signal.Signals) -> Callable[[], None] | None:
    if not sys.platform.startswith("linux"):
        return None
    libc, parent = ctypes.CDLL(None), os.getpid()

    def tie() -> None:
        libc.prctl(PR_SET_PDEATHSIG, int(orphan_signal), 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)  # the parent died before the tie was made

    return tie
