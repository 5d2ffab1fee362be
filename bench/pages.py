"""What operators wait for, on a base of a given size."""

import json
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import cycle, islice
from pathlib import Path
from typing import Any
from urllib.parse import quote

from bench.figures import Figure, Missing, figure, say
from bench.load import Job, Outcome, drive, request
from bench.processes import processor_time
from bench.stack import Stack, running
from core.embedded.process import Child

SEED = 1
CLIENTS = 8
EMPTY = "empty view"


@dataclass(frozen=True)
class Asked:
    """One kind of request: paths in turn, or bodies in turn to one path."""

    name: str
    paths: Sequence[str]
    headers: Mapping[str, str] = field(default_factory=dict)
    bodies: Sequence[Any] = ()

    def requests(self, number: int, begin: int) -> list[bytes]:
        if not self.bodies:
            return [request("GET", path, **self.headers) for path in islice(cycle(self.paths), min(number, len(self.paths)))]
        bodies = islice(cycle(self.bodies), begin, begin + number)
        return [
            request("POST", self.paths[0], json.dumps(body).encode(), **self.headers, Idempotency_Key=str(uuid.uuid4())) for body in bodies
        ]


def run(*, cases: int = 100_000, web: int = 2, quick: bool = False) -> Iterator[Figure]:
    """Each page with 1 and 8 clients, as multiples of the empty view of the same server; `web` = web processes."""
    with loaded(cases) as stack:
        facts = stack.task("desk.facts")
        say(f"{facts['totals']}")
        webs = stack.webs(web)
        asked = list(_asked(facts))
        queries = stack.task("desk.queries", login=facts["login"], token=facts["token"], requests=_samples(asked))
        setting = f"{cases} cases, {web} web process{'es' if web > 1 else ''}"
        yield from _measured(asked, queries, setting, webs, seconds=1.5 if quick else 8.0)


class loaded:  # noqa: N801 - reads as a call
    """A running stack whose base holds so many cases; loaded at the first time, then kept."""

    def __init__(self, cases: int) -> None:
        self.cases, self._running = cases, running(f"pages-{cases}", keep=True)

    def __enter__(self) -> Stack:
        stack = self._running.__enter__()
        try:
            self._load(stack)
        except BaseException as fault:
            self._running.__exit__(type(fault), fault, fault.__traceback__)
            raise
        return stack

    def __exit__(self, *fault: Any) -> None:
        self._running.__exit__(*fault)

    def _load(self, stack: Stack) -> None:
        mark = Path(stack.home / "loaded.json")
        if mark.exists():
            return
        say(f"loading {self.cases} cases (kept for the next time) ...")
        stack.manage("load_defaults")
        stack.manage("load_demo", "--cases", str(self.cases), "--seed", str(SEED))
        mark.write_text(json.dumps({"cases": self.cases, "seed": SEED}))


def _asked(facts: Mapping[str, Any]) -> Iterator[Asked]:
    for name in ("cases", "words", "guests"):
        if not facts[name]:
            raise Missing(f"The base has no {name} to ask for: remove its folder under var/bench and load it anew.")
    page = {"Cookie": f"sessionid={facts['cookie']}"}
    api = {"Authorization": f"Bearer {facts['token']}"}
    yield Asked(EMPTY, ["/bench/empty/"])
    yield Asked("queue page", ["/desk/?tab=queue"], page)
    yield Asked("open-case page", [f"/desk/case/{case}/" for case in facts["cases"]], page)
    yield Asked("open case from the list", [f"/desk/case/{case}/open/" for case in facts["cases"]], page)
    yield Asked("search for an inflected word", [f"/api/v1/search?q={quote(word)}" for word in facts["words"]], api)
    yield Asked("opening a case by API", ["/api/v1/cases/"], api, [_case(facts["topic"], guest) for guest in facts["guests"]])


def _case(topic: str, guest: Mapping[str, str]) -> dict[str, Any]:
    return {
        "topic": topic,
        "guest": guest,
        "text": "На полке лежит просроченный творог, прошу убрать и проверить остальное.",
        "priority": 0,
    }


def _samples(asked: Sequence[Asked]) -> dict[str, Any]:
    return {one.name: {"path": one.paths[0], "bodies": one.bodies[-2:]} for one in asked if one.name != EMPTY}


def _measured(
    asked: Sequence[Asked], queries: Mapping[str, int], setting: str, webs: Mapping[int, Child], *, seconds: float
) -> Iterator[Figure]:
    empty: dict[int, tuple[Outcome, float]] = {}
    for one in asked:
        say(f"{one.name} ...")
        _driven(webs, one, len(webs), min(seconds, 2.0), begin=0)
        for clients in (1, CLIENTS):
            before = _processor_time(webs)
            outcome = _driven(webs, one, clients, seconds, begin=200 if clients == 1 else 1500)
            computed = (_processor_time(webs) - before) / outcome.done
            limit, limit_computed = empty.setdefault(clients, (outcome, computed))
            yield from _figures(one.name, clients, outcome, limit, setting)
            if clients == 1:
                yield figure(f"{one.name}, {setting}: web's processor time (limit: {EMPTY})", computed, "ms", limit_computed)
        if one.name in queries:
            yield figure(f"{one.name}, SQL queries", queries[one.name], "queries")


def _processor_time(webs: Mapping[int, Child]) -> float:
    return sum(processor_time(web.pid) for web in webs.values())


def _driven(ports: Iterable[int], one: Asked, clients: int, seconds: float, *, begin: int) -> Outcome:
    # More requests than can be answered in the time, so that every client is busy to its end.
    total = int(seconds * (4000 if one.name == EMPTY else 1200)) if not one.bodies else min(int(seconds * 400), 4500)
    return drive(Job(list(ports), clients, one.requests(total, begin), total, seconds))


def _figures(name: str, clients: int, outcome: Outcome, empty: Outcome, setting: str) -> Iterator[Figure]:
    told = f"{name}, {clients} client{'s' if clients > 1 else ''}, {setting}"
    yield figure(f"{told}: p50 (limit: {EMPTY})", outcome.p50, "ms", empty.p50)
    yield figure(f"{told}: p95 (limit: {EMPTY})", outcome.p95, "ms", empty.p95)
    yield figure(f"{told}: rate (limit: {EMPTY})", outcome.rate, "1/s", empty.rate)
