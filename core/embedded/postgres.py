"""PostgreSQL of one's own: a cluster in a folder, listening on the loopback only, with a generated password."""

import os
import shutil
import signal
import tempfile
import time
from contextlib import closing, suppress
from pathlib import Path

import psycopg2
from psycopg2 import sql

from core.embedded.account import can_enter, reachable_copy, refuge, server_account
from core.embedded.binaries import find_postgres, major_version
from core.embedded.errors import StartError
from core.embedded.leftovers import clear_out
from core.embedded.ports import LOOPBACK, kept_port
from core.embedded.private_files import kept_secret
from core.embedded.process import Child, Program, run
from core.embedded.waiting import Pause, wait_until

USER = DATABASE = "otklik"
# Recovery after a crash replays what was not yet in the tables.
START_SECONDS = 60.0
BUILTIN_LOCALE_SINCE = 17
# Without these a cluster made under LANG=C silently knows no Russian: no stems, no trigrams, no lower case.
UTF8_LOCALE = ("--encoding=UTF8", "--locale=C.UTF-8")
# After a checkpoint each page that changes goes into the log whole once more (full_page_writes), so checkpoints are rarer than by default.
SIZE = ("shared_buffers=256MB", "max_wal_size=2GB", "checkpoint_timeout=15min")
UNSAFE_BUT_FAST = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")


class Postgres:
    """The server in `home`/postgres (under /var/tmp when we are root and `home` is closed to the server's user).

    `throwaway` gives up durability for speed: for tests only.
    """

    def __init__(self, home: Path, *, throwaway: bool = False, pause: Pause = time.sleep) -> None:
        self.home, self.throwaway, self.pause = home, throwaway, pause
        self.account = server_account()
        self.folder = (self._place() / "postgres").resolve()
        self.log = home / "log" / "postgres.log"
        self.child: Child | None = None

    def start(self) -> str:
        """Start it and wait until it answers; returns the URL of the database `otklik`, made if it is missing.

        Raises StartError; what already runs then is stopped by `stop`.
        """
        programs = self._programs()
        self._check_version(programs)
        self.password = self._password()
        if self.folder.exists():
            clear_out(self.folder, signal.SIGINT, pause=self.pause)
            (self.folder / "postmaster.pid").unlink(missing_ok=True)
        else:
            self._initialise(programs)
        self.port = kept_port("postgres", self.home / "ports.json")
        self.child = Child(self._server(programs))
        self._wait_until_it_answers()
        self._make_database()
        return self.url(DATABASE)

    def stop(self) -> bool:
        """Fast shutdown: clients are cut off, data is written. False when it had to be killed."""
        return self.child.stop(self.pause) if self.child else True

    def discard(self) -> None:
        """Remove the stopped server's data."""
        shutil.rmtree(self.folder, ignore_errors=True)
        if not self.folder.is_relative_to(self.home.resolve()):
            shutil.rmtree(self.folder.parent, ignore_errors=True)

    def url(self, database: str) -> str:
        return f"postgres://{USER}:{self.password}@{LOOPBACK}:{self.port}/{database}"

    def _place(self) -> Path:
        if self.account is None:
            return self.home
        self.home.chmod(self.home.stat().st_mode | 0o111)
        return self.home if can_enter(self.home, self.account) else refuge(self.home)

    def _programs(self) -> Path:
        found = find_postgres()
        if self.account is None or can_enter(found, self.account):
            return found
        return reachable_copy(found, refuge(found))

    def _check_version(self, programs: Path) -> None:
        made_by = self.folder / "PG_VERSION"
        with suppress(FileNotFoundError, PermissionError):
            if (version := int(made_by.read_text())) != major_version(programs):
                raise StartError(
                    f"{self.folder} was made by PostgreSQL {version}, but {programs} is {major_version(programs)}: "
                    f"name the folder of a PostgreSQL {version} in PG_BIN, or move the data away."
                )

    def _password(self) -> str:
        secret = self.home / "postgres_password"
        if self.folder.exists() and not secret.exists():
            raise StartError(f"{secret} is gone, and without it nobody can enter {self.folder}: bring it back, or move the data away.")
        return kept_secret(secret)

    def _initialise(self, programs: Path) -> None:
        self._clear_interrupted()
        unfinished = Path(tempfile.mkdtemp(prefix="unfinished-", dir=self.folder.parent))
        # Its own folder: the server's user must read the password, nobody else may.
        errand = Path(tempfile.mkdtemp(prefix="errand-", dir=self.folder.parent))
        word = errand / "password"
        word.touch(mode=0o600)
        word.write_text(self.password)
        if self.account:
            for path in (unfinished, errand, word):
                self.account.own(path)
        try:
            run(self._initdb(programs, unfinished, word), self.pause)
        finally:
            word.unlink()
            errand.rmdir()
        unfinished.rename(self.folder)

    def _clear_interrupted(self) -> None:
        for pattern in ("unfinished-*", "errand-*"):
            for left in self.folder.parent.glob(pattern):
                shutil.rmtree(left)

    def _initdb(self, programs: Path, folder: Path, word: Path) -> Program:
        provider = ("--locale-provider=builtin",) if major_version(programs) >= BUILTIN_LOCALE_SINCE else ()
        swift = ("--no-sync",) if self.throwaway else ()
        return Program(
            name="initdb",
            argv=(
                programs / "initdb",
                "-D",
                folder,
                "-U",
                USER,
                "-A",
                "scram-sha-256",
                f"--pwfile={word}",
                *UTF8_LOCALE,
                *provider,
                *swift,
            ),
            log=self.log,
            environment=_environment(),
            folder=folder.parent if self.account is None else Path("/"),
            account=self.account,
        )

    def _server(self, programs: Path) -> Program:
        options = [f"listen_addresses={LOOPBACK}", f"port={self.port}", "unix_socket_directories=", "max_connections=200", "timezone=UTC"]
        options += UNSAFE_BUT_FAST if self.throwaway else SIZE
        return Program(
            name="PostgreSQL",
            argv=(programs / "postgres", "-D", self.folder, *(part for option in options for part in ("-c", option))),
            log=self.log,
            environment=_environment(),
            folder=Path("/"),
            account=self.account,
            stop_signal=signal.SIGINT,
            orphan_signal=signal.SIGINT,
            grace=30,
        )

    def _wait_until_it_answers(self) -> None:
        if not wait_until(self._answers, seconds=START_SECONDS, pause=self.pause):
            assert self.child
            raise self.child.failure(f"PostgreSQL did not answer within {START_SECONDS:.0f} s")

    def _answers(self) -> bool:
        assert self.child
        if self.child.exit_code is not None:
            raise self.child.failure("PostgreSQL did not start")
        try:
            psycopg2.connect(self.url("postgres"), connect_timeout=2).close()
        except psycopg2.OperationalError as error:
            if "authentication failed" in str(error):
                raise StartError(f"The password in {self.home / 'postgres_password'} does not open {self.folder}.") from None
            return False
        return True

    def _make_database(self) -> None:
        with closing(psycopg2.connect(self.url("postgres"))) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE])
                if cursor.fetchone() is None:
                    cursor.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_", "LANG"))}
    return kept | {"LC_ALL": "C.UTF-8"}
