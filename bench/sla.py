"""SLA clocks reckoned anew from their stories."""

from collections.abc import Iterator

from bench.figures import Figure, figure, say
from bench.stack import running

CASES = 100_000


def run(*, quick: bool = False, size: int = 0) -> Iterator[Figure]:
    """All clocks of so many tickets (a third with pauses and other promises), compared with their rows; limit: the same rows only read."""
    cases = size or (5_000 if quick else CASES)
    with running("sla") as stack:
        say(f"clocks of {cases} tickets ...")
        stack.task("clocks.make", cases=cases)
        found = stack.task("clocks.recompute")
        if found["differences"]:
            raise RuntimeError(f"{found['differences']} of {found['clocks']} clocks differ from their stories")
        name = f"clocks of {cases} tickets reckoned anew ({found['clocks']} clocks; limit: read only)"
        yield figure(name, found["seconds"], "s", found["read_seconds"])
        yield figure("clocks reckoned anew a second", found["clocks"] / found["seconds"], "1/s", found["clocks"] / found["read_seconds"])
