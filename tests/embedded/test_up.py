"""`manage.py up` as a person meets it: one command, one Ctrl-C, and every way of dying in between."""

import json
import os
import signal
import socket
import subprocess
import sys
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path

import psycopg2
import pytest

from core.embedded.choices import choices
from core.embedded.ports import is_free
from core.embedded.process import Child, Program
from core.embedded.supervisor import Supervisor
from core.embedded.waiting import wait_until

pytestmark = [pytest.mark.faults, pytest.mark.timeout(180)]
ROOT = Path(__file__).resolve().parents[2]


class Up:
    """`manage.py up` with its data in `home`. DEBUG spares the gathering of static files."""

    def __init__(self, home, port, **environment):
        kept = {name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", "REDIS_URL", "BROKER_URL", "DEMO"}}
        self.home, self.port, self.output = home, port, home / "output"
        with self.output.open("w") as output:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "up"],
                cwd=ROOT,
                env=kept | {"VAR_DIR": str(home), "PORT": str(port), "DEBUG": "1"} | environment,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def wait_until_it_runs(self):
        assert wait_until(lambda: "Otklik runs at" in self.text() or self.process.poll() is not None, seconds=90), self.text()
        assert self.process.poll() is None, self.text()
        return self

    def end(self, number=None):
        if number:
            self.process.send_signal(number)
        self.process.wait(timeout=60)
        return self.process.returncode

    def text(self):
        return self.output.read_text()

    def page_status(self):
        with closing(HTTPConnection("127.0.0.1", self.port, timeout=10)) as connection:
            connection.request("GET", "/healthz")
            return connection.getresponse().status

    def servers(self):
        return json.loads((self.home / "servers.json").read_text())


@pytest.fixture
def port():
    """A free port whose neighbour is free too."""
    for _attempt in range(50):
        with socket.create_server(("127.0.0.1", 0)) as found:
            number = found.getsockname()[1]
        if number < 65_000 and is_free(number) and is_free(number + 1):
            return number
    raise AssertionError("no two free ports side by side")


@pytest.fixture
def up(home, port):
    started = []

    def start(**environment):
        started.append(Up(home, port, **environment))
        return started[-1]

    yield start
    for one in started:
        if one.process.poll() is None:
            one.end(signal.SIGTERM)


def descendants(pid):
    parents = {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
    found = {pid}
    while grown := {child for child, parent in parents.items() if parent in found} - found:
        found |= grown
    return found - {pid}


def living(pids):
    return {pid for pid in pids if _command(pid)}


def _command(pid):
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()  # empty for a zombie
    except OSError:
        return b""


def ask(url, query):
    with closing(psycopg2.connect(url)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(query)
            return cursor.fetchone() if cursor.description else None


def test_one_life_kill_9_and_the_next(up):
    first = up().wait_until_it_runs()
    assert first.page_status() < 500
    url = first.servers()["DATABASE_URL"]
    ask(url, "CREATE TABLE kept AS SELECT 7 AS seven")
    processes = descendants(first.process.pid)
    assert len(processes) >= 8  # both servers, PostgreSQL's own, web, beat, worker and its pool

    first.end(signal.SIGKILL)
    assert wait_until(lambda: not living(processes), seconds=20), [_command(pid) for pid in living(processes)]

    second = up().wait_until_it_runs()
    assert second.page_status() < 500
    assert ask(second.servers()["DATABASE_URL"], "SELECT seven FROM kept") == (7,)
    processes = descendants(second.process.pid)
    assert second.end(signal.SIGINT) == 0
    assert not living(processes)
    assert not (second.home / "servers.json").exists()
    assert "killed" not in second.text()


def test_a_dead_database_brings_everything_down_with_its_name_and_the_next_start_recovers(up):
    first = up().wait_until_it_runs()
    processes = descendants(first.process.pid)
    os.kill(_postmaster(processes), signal.SIGKILL)
    assert first.end() == 1
    assert "PostgreSQL ended by itself (killed by SIGKILL)" in first.text()
    assert "Traceback" not in first.text()
    assert not living(processes)

    second = up().wait_until_it_runs()
    refused = Up(second.home, second.port)
    try:
        assert refused.end() == 1
        assert f"already runs from this checkout (process {second.process.pid})" in refused.text()
        assert "Traceback" not in refused.text()
    finally:
        assert second.end(signal.SIGTERM) == 0


def _postmaster(pids):
    (found,) = [pid for pid in pids if b"listen_addresses" in _command(pid)]
    return found


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        ({"PORT": "http"}, "PORT must be a"),
        ({"REDIS_URL": "redis://127.0.0.1:1/0"}, "REDIS_URL is set but DATABASE_URL is not"),
        ({"PG_BIN": "/nowhere"}, "PG_BIN=/nowhere holds no programs"),
        ({"VALKEY_BIN": "/nowhere"}, "VALKEY_BIN=/nowhere is neither"),
        ({"DATABASE_URL": "mysql://a"}, "DATABASE_URL"),
        ({"DEBUG": "perhaps"}, "DEBUG must be yes or no"),
    ],
)
def test_a_wrong_setting_is_one_sentence(up, environment, sentence):
    start = up(**({"REDIS_URL": "redis://127.0.0.1:1/0"} if "DATABASE_URL" in environment else {}), **environment)
    assert start.end() == 1
    assert sentence in start.text()
    assert "Traceback" not in start.text()


def test_a_port_in_use_is_one_sentence(up, port):
    with socket.create_server(("127.0.0.1", port)):
        start = up()
        assert start.end() == 1
    assert f"Port {port} is in use" in start.text()
    assert "Traceback" not in start.text()


def test_the_way_down_goes_in_order(tmp_path, home):
    """Stages one after the other: a later one still runs while an earlier one takes its time."""
    ended = tmp_path / "ended"
    code = (
        "import signal, sys, time\n"
        "def stop(*_):\n"
        "    time.sleep(float(sys.argv[2]))\n"
        f"    open({str(ended)!r}, 'a').write(sys.argv[1] + ' ')\n"
        "    sys.exit(0)\n"
        "signal.signal(signal.SIGTERM, stop)\n"
        "print('ready', flush=True)\n"
        "time.sleep(60)\n"
    )
    supervisor = Supervisor(
        checkout=ROOT, var=home, choices=choices({}), parts=set(), prepare=lambda: None, announce=lambda url: None, say=lambda text: None
    )
    for name, stage, delay in [("worker", 2, 0), ("beat", 1, 0.1), ("web", 0, 0.2)]:
        argv = (sys.executable, "-c", code, name, str(delay))
        supervisor.crew.children.append(Child(Program(name, argv, tmp_path / f"{name}.log", os.environ, stop_stage=stage)))
    assert wait_until(lambda: all(child.last_lines() for child in supervisor.crew.children), seconds=20)
    with supervisor.stop:
        supervisor._take_down()
    assert ended.read_text().split() == ["web", "beat", "worker"]
