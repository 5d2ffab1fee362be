"""Opening tickets (routing, clocks, duplicates) with a base of so many, against raw commits of the same rows in the same run."""

from collections.abc import Iterator
from typing import Any

from bench.figures import Figure, figure, middle, say
from bench.pages import loaded
from bench.rows import MadeRows
from bench.stack import Stack

WARM = 20


def run(*, cases: int, quick: bool = False) -> Iterator[Figure]:
    """`cases` = size of the base, loaded once and kept (as for `pages`)."""
    number, rounds = (120, 1) if quick else (600, 3)
    with loaded(cases) as stack:
        base = stack.task("duplicates.prepared")
        for processes in (1, 2):
            say(f"opening tickets, {processes} process(es) ...")
            yield from _opened(stack, base["cases"], number, rounds, processes)


def _opened(stack: Stack, cases: int, number: int, rounds: int, processes: int) -> Iterator[Figure]:
    """The medians of rounds in turn with the raw commits: a disturbance hits both."""
    with MadeRows(stack.database_url) as made:
        counted, _rate = _rate_of(stack, number, processes)
    rates, limits = [], []
    for _round in range(rounds):
        rates.append(_rate_of(stack, number, processes)[1])
        limits.append((counted + WARM * processes) / made.seconds_raw(processes, without=PREPARED))
    rows = sum(rows for table, rows in made.numbers().items() if table not in PREPARED) / (counted + WARM * processes)
    where = f"{cases} tickets in the base, {processes} process{'es' if processes > 1 else ''}"
    yield figure(f"tickets opened, {where} (limit: {rows:.1f} rows of each as single-row commits)", middle(rates), "1/s", middle(limits))


# Rows of the dialogues, made before the clock runs.
PREPARED = ("customers_identity", "omni_session", "accounts_staff", "accounts_staff_roles")


def _rate_of(stack: Stack, number: int, processes: int) -> tuple[int, float]:
    given = stack.task("duplicates.dialogues", number=number + WARM * processes)
    ids = given.pop("sessions")
    each = [{**given, "sessions": ids[at::processes], "warm": WARM} for at in range(processes)]
    parts: list[Any] = stack.together("duplicates.opened", each)
    seconds = max(part["ended"] for part in parts) - min(part["begun"] for part in parts)
    done = sum(int(part["number"]) for part in parts)
    return done, done / seconds
