"""Fixtures for everybody: the product as it really runs, in a thread or as processes, against the database of the test."""

import contextlib
import os
import signal
import socket
import sys
import threading
from dataclasses import dataclass
from pathlib import Path

import pytest
import uvicorn
from django.conf import settings as django_settings
from django.db import connection

from core.embedded.plan import QUEUES
from core.embedded.ports import LOOPBACK
from core.embedded.process import Child, Program
from core.embedded.waiting import wait_until


@dataclass(frozen=True)
class LiveProduct:
    """`url` as http://127.0.0.1:PORT, `ws_url` as ws://127.0.0.1:PORT, both without a slash at the end."""

    url: str
    ws_url: str


@pytest.fixture
def live_product(transactional_db, settings):
    """The real ASGI application under uvicorn on a free port of the loopback; settings.PUBLIC_URL names it."""
    from config.asgi import application

    with socket.socket() as listener:
        listener.bind((LOOPBACK, 0))
        address = f"{LOOPBACK}:{listener.getsockname()[1]}"
        settings.PUBLIC_URL = f"http://{address}"
        with _serving(application, listener):
            yield LiveProduct(f"http://{address}", f"ws://{address}")


@contextlib.contextmanager
def _serving(application, listener):
    server = uvicorn.Server(
        uvicorn.Config(application, lifespan="off", log_config=None, log_level="warning", access_log=False, timeout_graceful_shutdown=2)
    )
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        wait_until(lambda: server.started or not thread.is_alive(), seconds=20)
        assert server.started, "uvicorn did not start"
        yield
    finally:
        server.should_exit = True
        thread.join(timeout=10)
        assert not thread.is_alive(), "uvicorn did not stop"


@pytest.fixture
def product_environment(transactional_db):
    """The environment in which a process of the product works on the test's database and Valkey."""
    database = connection.settings_dict
    url = f"postgres://{database['USER']}:{database['PASSWORD']}@{database['HOST']}:{database['PORT']}/{database['NAME']}"
    return {**os.environ, "DATABASE_URL": url, "REDIS_URL": django_settings.REDIS_URL, "PYTHONUNBUFFERED": "1"}


class WorkerProcess:
    """A real Celery worker on all queues. `start` returns when it takes work; `kill` is kill -9 of it and its pool."""

    def __init__(self, environment, log):
        self.environment, self.log = environment, log
        self.child: Child | None = None
        self.starts = 0

    def start(self, concurrency=2):
        from config.celery import app

        self.starts += 1
        name = f"test-{os.getpid()}-{self.starts}@localhost"
        self.child = Child(self._program(name, concurrency))
        assert wait_until(lambda: self._ended() or self._listens(app, name), seconds=40), self.output()
        assert not self._ended(), self.output()
        return self

    def stop(self):
        if self.child:
            self.child.stop()

    def kill(self):
        self._running.kill()

    def output(self):
        return "\n".join(self._running.last_lines(60))

    @property
    def _running(self):
        assert self.child, "start() comes first"
        return self.child

    def _ended(self):
        return self._running.exit_code is not None

    def _listens(self, app, name):
        return bool(app.control.inspect(destination=[name], timeout=0.5, limit=1).ping())

    def _program(self, name, concurrency):
        size = ("--concurrency", str(concurrency), "--queues", ",".join(QUEUES))
        return Program(
            name="worker",
            argv=(
                sys.executable,
                "-m",
                "celery",
                "-A",
                "config",
                "worker",
                *size,
                "--hostname",
                name,
                "--without-mingle",
                "--without-gossip",
            ),
            log=self.log,
            environment=self.environment,
            folder=Path(django_settings.BASE_DIR),
            orphan_signal=signal.SIGQUIT,
            grace=15,
        )


@pytest.fixture
def worker_process(product_environment, tmp_path):
    """A worker, already started; `.kill()` and `.start()` play its death and return."""
    worker = WorkerProcess(product_environment, tmp_path / "worker.log")
    try:
        yield worker.start()
    finally:
        worker.stop()
