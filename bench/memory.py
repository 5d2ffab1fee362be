"""Memory of the product's processes after a warm-up."""

from collections.abc import Iterator

from bench.figures import Figure, figure, say
from bench.load import Job, drive, request
from bench.pages import loaded
from bench.processes import proportional, resident
from bench.stack import Stack

PAGES = 200
CLIENTS = 8


def run(*, cases: int = 100_000) -> Iterator[Figure]:
    """Web, worker, beat, PostgreSQL and Valkey in MB; nothing physical limits them."""
    with loaded(cases) as stack:
        facts = stack.task("desk.facts")
        plan = stack.plan
        web, worker, background, beat = stack.web(), *map(stack.run, (plan.worker(), plan.background(), plan.beat()))
        say(f"{PAGES} pages to warm up ...")
        _warm_up(stack, facts["cookie"], facts["cases"])
        told = {"web": web, "worker with its pool": worker, "background worker with its pool": background, "beat": beat}
        for name, child in told.items():
            yield figure(f"memory of {name}, RSS", resident(child.pid), "MB")
            yield figure(f"memory of {name}, PSS", proportional(child.pid), "MB")
        servers = {child.program.name: child.pid for child in stack.servers.children()}
        yield figure(f"memory of PostgreSQL, {cases} cases, PSS", proportional(servers["PostgreSQL"]), "MB")
        yield figure("memory of Valkey, RSS", resident(servers["Valkey"]), "MB")


def _warm_up(stack: Stack, cookie: str, cases: list[int]) -> None:
    paths = ["/desk/?tab=queue", *(f"/desk/case/{case}/" for case in cases[: PAGES // 2])]
    pages = [request("GET", path, Cookie=f"sessionid={cookie}") for path in paths]
    drive(Job([stack.plan.port], CLIENTS, pages, PAGES))
