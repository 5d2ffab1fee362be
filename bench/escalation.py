"""A tick of the escalation ladders: 20 000 open runs, 500 of them due."""

from collections.abc import Iterator
from typing import Any

from bench.figures import Figure, figure, middle, percentile, say
from bench.stack import running

OPEN, DUE = 20_000, 500


def run(*, quick: bool = False) -> Iterator[Figure]:
    """Milliseconds of a tick (goal: 50), against the bare statements that write the same rows; and of a tick that finds nothing."""
    number, rounds = (4_000, 5) if quick else (OPEN, 20)
    with running("escalation") as stack:
        say(f"{number} open runs ...")
        stack.task("escalation.fill", number=number)
        say("ticks ...")
        times: dict[str, Any] = stack.task("escalation.ticks", due=DUE, rounds=rounds)
    about = f"{number} open runs, {DUE} due"
    limit = f"limit: the same {DUE} rows locked, and as many history rows, notices and places written by bare statements"
    yield figure(f"tick of escalation, {about}, median ({limit})", middle(times["tick"]), "ms", middle(times["bare"]))
    yield figure(f"tick of escalation, {about}, p95 ({limit})", percentile(times["tick"], 0.95), "ms", percentile(times["bare"], 0.95))
    yield figure(f"tick of escalation, {number} open runs, nothing due, median", middle(times["idle"]), "ms")
    yield figure(f"watchman over {number} open runs, median", middle(times["watch"]), "ms")
