"""Decisions with a full line and a long queue, and a crowd of dialogues worked off by many hands at once."""

from collections.abc import Iterator
from typing import Any

from bench.figures import Figure, Missing, figure, percentile, say
from bench.stack import Stack, running

GOAL_MS = 30.0
WARM = 10


def run(*, quick: bool = False) -> Iterator[Figure]:
    """`quick`: a tenth of everything."""
    share = 10 if quick else 1
    with running("distribution") as stack:
        yield from _decisions(stack, operators=1000 // share, waiting=5000 // share, number=400 // share)
    with running("distribution") as stack:
        yield from _worked_off(stack, operators=1000 // share, items=10_000 // share)


def _decisions(stack: Stack, *, operators: int, waiting: int, number: int) -> Iterator[Figure]:
    say(f"{operators} operators, {waiting} waiting ...")
    made = stack.task("distribution.prepare", operators=operators, waiting=waiting + number + WARM, capacity=5)
    found = stack.task("distribution.decide", group=made["group"], number=number, warm=WARM)
    times = found["times"]
    where = f"{operators} operators on line, {waiting} waiting"
    yield figure(f"a decision, p50, {where}", percentile(times, 0.5), "ms", GOAL_MS)
    yield figure(f"a decision, p95, {where} (limit: the goal)", percentile(times, 0.95), "ms", GOAL_MS)
    yield figure("processor time of a decision in our process", found["processor"], "ms")


def _worked_off(stack: Stack, *, operators: int, items: int, processes: int = 2, hands: int = 4) -> Iterator[Figure]:
    say(f"{items} dialogues through {operators} operators by {processes} × {hands} hands ...")
    made = stack.task("distribution.prepare", operators=operators, waiting=items, capacity=5)
    each = [{"group": made["group"], "hands": hands, "part": part, "parts": processes} for part in range(processes)]
    parts: list[Any] = stack.together("distribution.work", each)
    faults = {name: count for part in parts for name, count in part["faults"].items() if count}
    found = stack.task("distribution.checked")
    if faults or found["given"] != items or found["twice"] or found["lies"]:
        raise Missing(f"The distribution went wrong: {faults or ''} {found}")
    seconds = max(part["ended"] for part in parts) - min(part["begun"] for part in parts)
    yield figure(f"dialogues given, held and finished, {processes} processes × {hands} threads", items / seconds, "1/s")
    for name, key in (
        ("given to two people", "twice"),
        ("load that lies at the end", "lies"),
        ("given out of the order of waiting", "disorder"),
    ):
        yield figure(f"of {items} dialogues: {name} (must be 0)", found[key], "")
    yield figure("times somebody was seen above capacity (must be 0)", 0, "")
