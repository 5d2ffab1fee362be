"""Messages a second end to end over all channels at once: guests write over the vendors' wires, an operator answers a part of them."""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from http.client import HTTPConnection, HTTPException
from typing import Any

from bench.crowd import POLLED
from bench.figures import Figure, Missing, figure, percentile, say
from bench.rows import MadeRows
from bench.stack import CHECKOUT, Stack, running
from core.embedded.ports import LOOPBACK
from core.embedded.waiting import wait_until

# Of each five messages four come from guests and one is the answer of an operator.
ANSWERED = 4
GOAL_SECONDS = 2.0
STEPS = (10, 20, 30, 40, 50, 60, 80, 100, 120, 150)
STEP_SECONDS, SUSTAINED_SECONDS, AFTER_SECONDS, LATE_SECONDS = 20, 120, 15, 120


def run(*, quick: bool = False) -> Iterator[Figure]:
    """Rates are tried upwards until one is not kept (p95 over 2 s, or a message missing); the last kept one is held for two minutes.

    The p95 is that of channels which push: where the vendor must be asked, most of the delay is the pause between two questions.
    """
    with running("throughput") as stack:
        start(stack)
        _tried(stack, "warm", 5, 10)
        kept: int | None = None
        for rate in (5, 10) if quick else STEPS:
            found = _tried(stack, f"step{rate}", rate, 8 if quick else STEP_SECONDS)
            say(f"{rate}/s from guests: p95 {found['p95']:.2f} s, {found['missing']} missing; slowest: {_slowest(found['by_kind'])}")
            if found["missing"] or found["p95"] > GOAL_SECONDS:
                break
            kept = rate
        if kept is None:
            raise Missing(f"Not even the lowest rate was kept (see {stack.home}/log).")
        yield from _sustained(stack, kept, 10 if quick else SUSTAINED_SECONDS)


def start(stack: Stack) -> None:
    """The product with a demo day, and the servers of all vendors. Raises Missing, StartError."""
    stack.plan = replace(stack.plan, environment={**stack.plan.environment, "PORT": str(stack.plan.port), "DEMO": "1"})
    say("a demo day for the vendors' servers ...")
    stack.manage("load_demo")
    for program in (stack.plan.providers(), stack.plan.worker(), stack.plan.background(), stack.plan.beat(), stack.plan.listener()):
        stack.run(program)
    stack.web()
    if not wait_until(lambda: _answers(stack.plan.providers_port), seconds=60, step=0.2):
        raise Missing(f"The vendors' servers did not answer (see {stack.home}/log/providers.log).")


def _answers(port: int) -> bool:
    connection = HTTPConnection(LOOPBACK, port, timeout=5)
    try:
        connection.request("GET", "/phone/channels")
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def _tried(stack: Stack, prefix: str, rate: int, seconds: int) -> dict[str, Any]:
    """What became of `rate` messages a second from guests, for so long."""
    mark = f"{prefix}x"
    looking = desk(stack, mark, seconds=seconds, every=ANSWERED)
    told = crowd(stack, mark, rate, seconds)
    looked = stack.result(looking)
    seen: dict[str, float] = looked["seen"]
    delays = {name: seen[name] - at for name, (_kind, at) in told["said"].items() if name in seen}
    kinds = {name: kind for name, (kind, _at) in told["said"].items()}
    pushed = [delay for name, delay in delays.items() if kinds[name] not in POLLED]
    missing = len(told["said"]) - len(delays)
    if missing:  # whoever must be asked for may be asked late: only what never comes is lost
        taken = len(told["said"]) - len(told["refused"])
        missing = taken - stack.task("throughput.there", prefix=mark, number=taken, seconds=LATE_SECONDS)
    if told["refused"]:
        say(f"{len(told['refused'])} not taken, the first: {told['refused'][0]}")
    return {
        "all": list(delays.values()),
        "by_kind": {kind: [delay for name, delay in delays.items() if kinds[name] == kind] for kind in sorted(set(kinds.values()))},
        "pushed": pushed,
        "polled": [delay for name, delay in delays.items() if kinds[name] in POLLED],
        "p95": percentile(pushed, 0.95) if pushed else float("inf"),
        "missing": missing,
        "doubled": stack.task("throughput.doubled", prefix=mark),
        "answers": stack.task("throughput.sent", ids=looked["answers"]),
        "seconds": told["seconds"],
    }


def desk(stack: Stack, mark: str, *, seconds: int, every: int) -> "subprocess.Popen[str]":
    """An operator who looks and answers (see bench.tasks.throughput) as long as guests write and a little longer. Raises Missing."""
    there = stack.home / f"desk-{mark}"
    looking = stack.begin("throughput.desk", prefix=mark, seconds=seconds + AFTER_SECONDS, every=every, there=str(there))
    # Whoever begins to look when messages are there already takes the first ones for slow.
    if not wait_until(there.exists, seconds=60, step=0.05):
        raise Missing(f"The desk's process did not begin to look (see {stack.home}/log).")
    return looking


def _slowest(by_kind: Mapping[str, Sequence[float]]) -> str:
    medians = {kind: percentile(delays, 0.5) for kind, delays in by_kind.items() if delays}
    return ", ".join(f"{kind} {medians[kind]:.2f} s" for kind in sorted(medians, key=lambda kind: -medians[kind])[:6])


def crowd(stack: Stack, mark: str, rate: int, seconds: int) -> dict[str, Any]:
    """Guests write for so long; what they said (see bench.crowd). Raises Missing."""
    facts = json.loads((stack.home / "demo.json").read_text("utf-8"))
    orders = {"product": facts["product"], "providers": facts["providers"], "facts": facts}
    orders |= {"rate": rate, "seconds": seconds, "prefix": mark}
    with (stack.home / "log" / "crowd.log").open("ab") as log:
        done = subprocess.run(
            [sys.executable, "-m", "bench.crowd"],
            input=json.dumps(orders) + "\n",
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            cwd=CHECKOUT,
            timeout=seconds * 4 + 120,
            check=False,
        )
    if done.returncode:
        raise Missing(f"The guests' process ended early (see {stack.home}/log/crowd.log).")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _sustained(stack: Stack, rate: int, seconds: int) -> Iterator[Figure]:
    say(f"{rate}/s from guests for {seconds} s ...")
    with MadeRows(stack.database_url) as made:
        sample = _tried(stack, "rows", max(1, rate // 2), 10)
    rows = len(sample["all"]) + len(sample["answers"]["delays"])
    limit = rows / made.seconds_raw(2)
    found = _tried(stack, "held", rate, seconds)
    answers = found["answers"]["delays"]
    total = (len(found["all"]) + len(answers)) / found["seconds"]
    name = f"messages end to end over all channels, both ways, {seconds} s (limit: their rows as single-row commits)"
    yield figure(name, total, "1/s", limit)
    yield figure("messages lost", found["missing"], "")
    yield figure("messages doubled", found["doubled"], "")
    yield figure("answers without the vendor's yes", len(found["answers"]["others"]), "")
    told = {"all": found["all"], "pushed to us": found["pushed"], "asked for by us": found["polled"], "answers": answers}
    for name, delays in told.items():
        for share in (50, 95):
            if delays:
                yield figure(f"delay at that rate, {name}, p{share}", 1000 * percentile(delays, share / 100), "ms")
