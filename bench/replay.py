"""The whole journal processed anew: how quickly, and that nothing changes by it."""

from collections.abc import Iterator

from bench.figures import Figure, Missing, figure, say
from bench.stack import running

EVENTS = 10_000


def run(*, quick: bool = False) -> Iterator[Figure]:
    """So many events processed, then replayed as the journal's screen does; limit: their first processing in the same process."""
    number = 500 if quick else EVENTS
    with running("replay") as stack:
        account = stack.task("events.account")
        say(f"{number} events, processed for the first time ...")
        ids = stack.task("events.keep", account_id=account["id"], first=10**6, number=number, guests=200)
        first = stack.task("events.process", ids=ids)
        before = stack.task("replay.traces")
        say("replayed ...")
        found = stack.task("replay.run", ids=ids)
        if found["ended"] != {"processed": number}:
            raise Missing(f"Not all events were processed again: {found['ended']}")
        if changed := sorted(table for table, trace in stack.task("replay.traces").items() if trace != before[table]):
            raise Missing(f"The replay changed {', '.join(changed)}.")
        rate, limit = number / found["seconds"], number / (first["ended"] - first["begun"])
        yield figure(
            f"events replayed, nothing changed, {number} events, 1 process (limit: processed for the first time)", rate, "1/s", limit
        )
