"""A whole product of the measurement's own: durable PostgreSQL, Valkey, web, worker, beat. Everything ends with it."""

import json
import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

from bench.figures import Missing, say
from core.embedded.account import refuge
from core.embedded.errors import StartError
from core.embedded.plan import Plan
from core.embedded.ports import LOOPBACK, kept_port
from core.embedded.process import Child, Program, finish
from core.embedded.servers import Servers
from core.embedded.single import only_one
from core.embedded.waiting import wait_until

CHECKOUT = Path(__file__).resolve().parent.parent
HOMES = CHECKOUT / "var" / "bench"
WEB_SECONDS = 60
TASK_SECONDS = 1800


class Stack:
    """The product in `home`; use `running` to get one. `plan` and `database_url` are there while it runs."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.servers = Servers(home)
        self.children: list[Child] = []

    def start(self) -> None:
        """Servers up, tables made, static files gathered. Raises StartError."""
        urls = self.servers.start()
        self.database_url, self.redis_url = urls["DATABASE_URL"], urls["REDIS_URL"]
        own = {"VAR_DIR": str(self.home), "DJANGO_SETTINGS_MODULE": "bench.settings", "PYTHONUNBUFFERED": "1", "DEBUG": ""}
        kept = {name: value for name, value in os.environ.items() if name not in {"BROKER_URL", "PUBLIC_URL"}}
        port = kept_port("web", self.home / "ports.json")
        self.plan = Plan(CHECKOUT, self.home, {**kept, **urls, **own}, LOOPBACK, port)
        self.manage("migrate", "--verbosity", "0")
        self.task("files")

    def stop(self) -> None:
        for child in sorted(self.children, key=lambda one: one.program.stop_stage):
            child.stop()
        self.children.clear()
        self.servers.stop()

    def manage(self, *arguments: str) -> None:
        """`manage.py` with these arguments, to its end. Raises StartError."""
        child = Child(self.plan.command(*arguments))
        try:
            finish(child)
        finally:
            child.stop()

    def run(self, program: Program) -> Child:
        child = Child(program)
        self.children.append(child)
        return child

    def web(self) -> Child:
        """A web server of one process, as soon as it answers. Raises StartError."""
        return self._web(self.plan)

    def webs(self, number: int) -> dict[int, Child]:
        """So many web servers by their ports, as behind a balancer. Raises StartError.

        Not one port for all: who accepts first takes all connections that came at once, and the others stand by idle.
        """
        book = self.home / "ports.json"
        ports = [self.plan.port, *(kept_port(f"web-{other}", book) for other in range(2, number + 1))]
        return {port: self._web(replace(self.plan, port=port)) for port in ports}

    def _web(self, plan: Plan) -> Child:
        child = self.run(plan.web())
        if (
            not wait_until(lambda: child.exit_code is not None or _answers(plan.port), seconds=WEB_SECONDS, step=0.1)
            or child.exit_code is not None
        ):
            raise child.failure(f"The web server did not answer within {WEB_SECONDS} s")
        return child

    def end(self, child: Child) -> None:
        """Stop one of the product's processes."""
        child.stop()
        self.children.remove(child)

    def begin(self, name: str, **arguments: Any) -> "subprocess.Popen[str]":
        """Start a task of bench.tasks in a process of its own; `result` waits for it."""
        process = subprocess.Popen(
            [sys.executable, "-m", "bench.child", name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=(self.home / "log" / "tasks.log").open("ab"),
            env=dict(self.plan.environment),
            cwd=CHECKOUT,
            text=True,
        )
        assert process.stdin
        process.stdin.write(json.dumps(arguments))
        process.stdin.close()
        return process

    def result(self, process: "subprocess.Popen[str]") -> Any:
        """What the task returned. Raises Missing with its last line when it failed."""
        assert process.stdout
        try:
            answer = process.stdout.read()
            process.wait(timeout=TASK_SECONDS)
        finally:
            if process.poll() is None:
                process.kill()
        if process.returncode:
            lines = (self.home / "log" / "tasks.log").read_text(errors="replace").strip().splitlines()
            raise Missing(
                f"A step of the measurement failed: {lines[-1] if lines else process.returncode} (see {self.home}/log/tasks.log)."
            )
        return json.loads(answer)

    def task(self, name: str, **arguments: Any) -> Any:
        return self.result(self.begin(name, **arguments))

    def together(self, name: str, each: Sequence[Mapping[str, Any]]) -> list[Any]:
        """The same task in several processes at once."""
        started = [self.begin(name, **arguments) for arguments in each]
        return [self.result(process) for process in started]


@contextmanager
def running(name: str, *, keep: bool = False) -> Iterator[Stack]:
    """A stack in var/bench/`name`, stopped at the end; without `keep` it begins empty and leaves nothing. Raises StartError."""
    allow_many_files()
    home = HOMES / name
    home.mkdir(parents=True, exist_ok=True)
    with only_one(HOMES / f"{name}.lock"):
        if not keep:
            _clear(home)
        stack = Stack(home)
        try:
            say(f"starting the product in {home.relative_to(CHECKOUT)} ...")
            stack.start()
            yield stack
        except BaseException:
            _end(stack, keep_logs=True, keep=keep)
            raise
        _end(stack, keep_logs=False, keep=keep)


def _end(stack: Stack, *, keep: bool, keep_logs: bool) -> None:
    stack.stop()
    if keep:
        return
    stack.servers.postgres.discard()
    for path in stack.home.iterdir():
        if path.name != "log" or not keep_logs:
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def _clear(home: Path) -> None:
    """A run that was killed leaves its folder; its servers ended with it."""
    if os.geteuid() == 0:
        try:
            shutil.rmtree(refuge(home), ignore_errors=True)
        except StartError:
            say(f"{home} cannot be cleared")
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)


def allow_many_files() -> None:
    """A thousand sockets need more files than a shell allows; what is started from here inherits it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 16384 if hard == resource.RLIM_INFINITY else min(hard, 16384)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))


def _answers(port: int) -> bool:
    connection = HTTPConnection(LOOPBACK, port, timeout=5)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()
