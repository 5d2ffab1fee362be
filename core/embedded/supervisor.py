"""Starts the product, watches over it, and takes it down in order."""

import os
import resource
from collections.abc import Callable, Sequence
from contextlib import closing
from http.client import HTTPConnection, HTTPException
from itertools import groupby
from pathlib import Path
from urllib.parse import urlsplit

from core.embedded.choices import Choices, require_outside
from core.embedded.crew import Crew
from core.embedded.errors import StopRequested
from core.embedded.plan import Plan
from core.embedded.ports import require_free
from core.embedded.process import Child, Program, finish, how_it_ended
from core.embedded.servers import Servers
from core.embedded.single import only_one
from core.embedded.waiting import StopRequest, wait_until

WEB_SECONDS = 60.0
Say = Callable[[str], None]


class Supervisor:
    """One run of the product: `run` returns after a requested stop and raises StartError after a fault, both with everything stopped.

    `parts` names the commands and modules this checkout has; `prepare` makes the files that are not kept in the repository
    (catalogues, static files); `announce` gets the address when the first page can be asked for.
    """

    def __init__(
        self, *, checkout: Path, var: Path, choices: Choices, parts: set[str], prepare: Callable[[], None], announce: Say, say: Say
    ) -> None:
        self.checkout, self.var, self.choices, self.parts = checkout, var, choices, parts
        self.prepare, self.announce, self.say = prepare, announce, say
        self.crew = Crew(say)
        self.servers: Servers | None = None
        self.stop = StopRequest()

    def run(self) -> None:
        self.var.mkdir(parents=True, exist_ok=True)
        _allow_many_sockets()
        with only_one(self.var / "up.lock"), self.stop:
            try:
                self._start()
                self._watch()
            except StopRequested:
                self.say("Stopping ...")
            finally:
                self._take_down()

    def _start(self) -> None:
        require_free(self.choices.port, self.choices.host, setting="PORT")
        if self._has("providers"):
            require_free(self.choices.port + 1, "127.0.0.1", setting="PORT")
        plan = Plan(self.checkout, self.var, self._environment(self._urls()), self.choices.host, self.choices.port)
        self._prepare(plan)
        self.crew.start(self._programs(plan))
        self._wait_for_web(plan)
        self.announce(plan.url)
        self.crew.start([plan.background()])  # the first page does not share its processor with it

    def _urls(self) -> dict[str, str]:
        if self.choices.outside:
            require_outside(self.choices.outside, self.stop.pause)
            return dict(self.choices.outside)
        self.say("Starting PostgreSQL and Valkey ...")
        self.servers = Servers(self.var, pause=self.stop.pause, stop_pause=self.stop.rest)
        return self.servers.start()

    def _environment(self, urls: dict[str, str]) -> dict[str, str]:
        own = {"PORT": str(self.choices.port), "PYTHONUNBUFFERED": "1"} | ({"DEMO": "1"} if self.choices.demo else {})
        return {**os.environ, **urls, **own}

    def _prepare(self, plan: Plan) -> None:
        self.say("Bringing the database and the files up to date ...")
        base = Child(plan.command("prepare_base", *(["--demo"] if self.choices.demo else [])))
        try:
            self.prepare()
            finish(base, self.stop.pause)
        finally:
            base.stop(self.stop.rest)

    def _programs(self, plan: Plan) -> list[Program]:
        providers = [plan.providers()] if self._has("providers") else []
        listener = [plan.listener()] if "listen" in self.parts else []
        return [*providers, plan.worker(), plan.beat(), *listener, plan.web()]

    def _has(self, demo_part: str) -> bool:
        return self.choices.demo and demo_part in self.parts

    def _wait_for_web(self, plan: Plan) -> None:
        web = self.crew.children[-1]
        if not wait_until(
            lambda: self._fail_on_exit(self.crew.children) or _answers(plan.url), seconds=WEB_SECONDS, pause=self.stop.pause, step=0.1
        ):
            raise web.failure(f"The web server did not answer within {WEB_SECONDS:.0f} s")

    def _watch(self) -> None:
        while not self._fail_on_exit(self._server_processes()):
            self.crew.tend()
            self.stop.pause(1)

    def _server_processes(self) -> Sequence[Child]:
        return self.servers.children() if self.servers else ()

    def _fail_on_exit(self, children: Sequence[Child]) -> bool:
        for child in [*children, *self._server_processes()]:
            if child.exit_code is not None and not self.stop.came:
                raise child.failure(f"{child.program.name} ended by itself ({how_it_ended(child.exit_code)}), so everything is stopped")
        return False

    def _take_down(self) -> None:
        ordered = sorted(self.crew.children, key=lambda child: child.program.stop_stage)
        for _stage, group in groupby(ordered, key=lambda child: child.program.stop_stage):
            together = list(group)
            for child in together:
                child.ask_to_stop()
            for child in together:
                self._report(child.program.name, child.stop(self.stop.rest))
        if self.servers:
            for name in self.servers.stop():
                self._report(name, in_time=False)

    def _report(self, name: str, in_time: bool) -> None:
        if not in_time:
            self.say(f"{name} did not stop in time and was killed.")


def _answers(url: str) -> bool:
    address = urlsplit(url)
    # Not urllib: a proxy set for the user's browser is not for the loopback.
    with closing(HTTPConnection(address.hostname or "", address.port, timeout=5)) as connection:
        try:
            connection.request("GET", "/healthz")
            return connection.getresponse().status < 500
        except (OSError, HTTPException):
            return False


def _allow_many_sockets() -> None:
    """Every open screen is a file to the web server; shells often allow only 1 024."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 65_536 if hard == resource.RLIM_INFINITY else min(65_536, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
