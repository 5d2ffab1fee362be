"""Valkey of one's own: a folder with its append-only file, the loopback only, with a generated password."""

import os
import signal
import time
from pathlib import Path

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from core.embedded.binaries import find_valkey
from core.embedded.leftovers import clear_out
from core.embedded.ports import LOOPBACK, kept_port
from core.embedded.private_files import kept_secret, write_private
from core.embedded.process import Child, Program
from core.embedded.waiting import Pause, wait_until

START_SECONDS = 30.0


class Valkey:
    """The server in `home`/valkey. `throwaway` writes nothing to disk: for tests only."""

    def __init__(self, home: Path, *, throwaway: bool = False, pause: Pause = time.sleep) -> None:
        self.home, self.throwaway, self.pause = home, throwaway, pause
        self.folder = (home / "valkey").resolve()
        self.child: Child | None = None

    def start(self) -> str:
        """Start it and wait until it answers; returns the URL of its database 0. Raises StartError."""
        program = find_valkey()
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        clear_out(self.folder, signal.SIGTERM, pause=self.pause)
        self.port = kept_port("valkey", self.home / "ports.json")
        self.url = f"redis://:{kept_secret(self.home / 'valkey_password')}@{LOOPBACK}:{self.port}/0"
        self.child = Child(self._server(program))
        self._wait_until_it_answers()
        return self.url

    def stop(self) -> bool:
        """Stop it; what it holds is on disk then. False when it had to be killed."""
        return self.child.stop(self.pause) if self.child else True

    def _server(self, program: Path) -> Program:
        # In a file, because every user of the machine sees a command line.
        configuration = self.folder / "valkey.conf"
        write_private(configuration, self._configuration())
        return Program(
            name="Valkey",
            argv=(program, configuration),
            log=self.home / "log" / "valkey.log",
            environment=os.environ,
            folder=self.folder,
            orphan_signal=signal.SIGTERM,
            grace=15,
        )

    def _configuration(self) -> str:
        folder = str(self.folder).replace("\\", "\\\\").replace('"', '\\"')
        lines = (
            f"port {self.port}",
            f"bind {LOOPBACK}",
            f'dir "{folder}"',
            f"requirepass {kept_secret(self.home / 'valkey_password')}",
            f"appendonly {'no' if self.throwaway else 'yes'}",
            'save ""',
        )
        return "\n".join(lines) + "\n"

    def _wait_until_it_answers(self) -> None:
        once = Retry(NoBackoff(), 0)
        with redis.Redis.from_url(self.url, socket_connect_timeout=2, socket_timeout=2, retry=once) as client:
            if not wait_until(lambda: self._answers(client), seconds=START_SECONDS, pause=self.pause):
                assert self.child
                raise self.child.failure(f"Valkey did not answer within {START_SECONDS:.0f} s")

    def _answers(self, client: redis.Redis) -> bool:
        assert self.child
        if self.child.exit_code is not None:
            raise self.child.failure("Valkey did not start")
        try:
            return bool(client.ping())
        except redis.RedisError:
            return False
