"""Rows of a file of balances a second, checked and loaded, against COPY of the same rows."""

from collections.abc import Iterator

from bench.figures import Figure, Missing, figure, middle, say
from bench.stack import running


def run(*, quick: bool = False, size: int = 0) -> Iterator[Figure]:
    """`size` = rows of the file, one round; else a million twice, or the quick size once."""
    rows, rounds = (size or 50_000, 1) if quick or size else (1_000_000, 2)
    with running("migration") as stack:
        found = []
        for seed in range(1, rounds + 1):
            say(f"{rows} balances, round {seed} ...")
            found.append(stack.task("migration.run", rows=rows, seed=seed))
        if faults := sum(one["faults"] for one in found):
            raise Missing(f"{faults} proofs of the ledger fail.")
    rate = {name: rows / middle(one[name] for one in found) for name in ("checking", "loading", "copy_file", "copy_made")}
    whole = rows / middle(one["checking"] + one["loading"] for one in found)
    yield figure(f"rows checked, a file of {rows} (limit: COPY of the good rows)", rate["checking"], "1/s", rate["copy_file"])
    made = "wallets, cards, accounts, transfers and lots"
    yield figure(f"rows loaded and proved, {rows} (limit: COPY of their {made})", rate["loading"], "1/s", rate["copy_made"])
    yield figure(f"rows from the file to proved balances, {rows} (limit: COPY of their {made})", whole, "1/s", rate["copy_made"])
