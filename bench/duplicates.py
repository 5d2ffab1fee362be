"""Duplicates on a base of so many tickets: precision and recall over the labelled set, and how long a search takes."""

from collections.abc import Iterator

from bench.figures import Figure, figure, percentile, say
from bench.pages import loaded
from bench.stack import running

GOAL_MS = 50.0
# The weights were chosen on another seed.
SEED = 43


def run(*, cases: int, quick: bool = False) -> Iterator[Figure]:
    """`cases` = size of the base, loaded once and kept (as for `pages`)."""
    with loaded(cases) as stack:
        say("prints ...")
        base = stack.task("duplicates.prepared")
        number = 300 if quick else 3000
        say(f"{number} searches among {base['prints']} tickets ...")
        found = stack.task("duplicates.searched", number=number)
        where = f"{base['prints']} tickets"
        yield figure(f"looking for duplicates, p50, {where} (limit: the goal)", percentile(found["times"], 0.5), "ms", GOAL_MS)
        yield figure(f"looking for duplicates, p95, {where} (limit: the goal)", percentile(found["times"], 0.95), "ms", GOAL_MS)
        yield figure(f"looking for duplicates, p99, {where} (limit: the goal)", percentile(found["times"], 0.99), "ms", GOAL_MS)
    yield from _quality(100 if quick else 400)


def _quality(matters: int) -> Iterator[Figure]:
    """In an empty base of its own, so that the set can be told again and again."""
    say(f"the labelled set, {matters} matters ...")
    with running("duplicates") as stack:
        found = stack.task("duplicates.measured", matters=matters, seed=SEED)
    told = f"of {found['duplicates']} pairs of one matter in the labelled set, seed {SEED}"
    yield figure(f"precision of the offers, {told} (limit: the goal)", found["precision"], "", 0.9)
    yield figure(f"recall, {told} (limit: the goal)", found["recall"], "", 0.8)
