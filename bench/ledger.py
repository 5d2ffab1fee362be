"""Transfers of points a second, one by one and in batches, against COPY of the same rows; what a busy house account costs."""

from collections.abc import Iterator

from bench.figures import Figure, Missing, figure, middle, say
from bench.stack import Stack, running

SEEDS = iter(range(1, 10**6))


def run(*, quick: bool = False) -> Iterator[Figure]:
    single, batched, rounds = (600, 5_000, 1) if quick else (3_000, 30_000, 3)
    with running("ledger") as stack:
        say("wallets ...")
        stack.task("ledger.prepare")
        say("one by one and in batches ...")
        ones, batches, copies = [], [], []
        for _round in range(rounds):
            one = stack.task("ledger.one_by_one", number=single, seed=next(SEEDS))
            many = stack.task("ledger.in_batches", number=batched, seed=next(SEEDS))
            ones.append(single / one["seconds"])
            batches.append(batched / many["seconds"])
            copies.append(batched / many["copy"])
        limit = middle(copies)
        yield figure("transfers one by one, each committed (limit: COPY of the same transfers, lots and uses)", middle(ones), "1/s", limit)
        yield figure("transfers in batches of 1000 (limit: COPY of the same transfers, lots and uses)", middle(batches), "1/s", limit)
        yield figure("batches of 1000 against one by one (goal 5)", middle(batches) / middle(ones), "times")
        yield from _house(stack, single, rounds)
        if faults := stack.task("ledger.prove"):
            raise Missing(f"{faults} proofs of the ledger fail.")


def _house(stack: Stack, number: int, rounds: int) -> Iterator[Figure]:
    """In turn, so that a disturbance hits both."""
    say("house account ...")
    rates: dict[bool, list[float]] = {True: [], False: []}
    for _round in range(rounds + 1):
        for many in (True, False):
            parts = stack.together("ledger.house", [{"number": number, "seed": next(SEEDS), "many": many} for _process in range(4)])
            seconds = max(part["ended"] for part in parts) - min(part["begun"] for part in parts)
            rates[many].append(sum(part["number"] for part in parts) / seconds)
    one, spread = middle(rates[False]), middle(rates[True])
    yield figure("accruals from one house account, 4 processes (limit: from 1000 house accounts)", one, "1/s", spread)
    yield figure("cost of one house account in every transfer (goal <= 10)", max(0.0, 100 * (1 - one / spread)), "%")
