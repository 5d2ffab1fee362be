"""A thousand messages each way under every fault of the vendors: none lost, none doubled where the vendor lets one know."""

import json
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from http.client import HTTPConnection
from typing import Any

from bench import throughput
from bench.crowd import SHARES
from bench.figures import Figure, figure, say
from bench.stack import Stack, running
from core.embedded.ports import LOOPBACK

KINDS = (
    "throttled", "server_error", "garbage", "late", "timeout_after_accepting", "dropped_after_accepting", "garbage_after_accepting",
)  # fmt: skip
# These speak with us without a vendor between.
OWN = frozenset({"webchat", "mobile"})
MESSAGES, RATE = 1000, 20
SETTLED_SECONDS = 300


def run(*, quick: bool = False, only: Sequence[str] = ()) -> Iterator[Figure]:
    """For each fault, or `only` some: about one call of four is spoiled while guests write and every message of theirs is answered."""
    kinds, number = (only or KINDS[:2], 60) if quick else (only or KINDS, MESSAGES)
    with running("faults") as stack:
        throughput.start(stack)
        for kind in kinds:
            yield from _under(stack, kind, number)


def _under(stack: Stack, kind: str, number: int) -> Iterator[Figure]:
    say(f"{number} messages each way, {kind} ...")
    stop = threading.Event()
    spoiling = threading.Thread(target=_spoil, args=(stack, kind, stop))
    spoiling.start()
    try:
        prefix = f"{kind.replace('_', '')}x"
        seconds = number // RATE
        desk = throughput.desk(stack, prefix, seconds=seconds, every=1)
        crowd = throughput.crowd(stack, prefix, RATE, seconds)
        looked = stack.result(desk)
    finally:
        stop.set()
        spoiling.join()
    for name in _vendors():
        _post(stack, f"/_control/{name}/clear_faults")
    fate = stack.task("throughput.settled", ids=looked["answers"], seconds=SETTLED_SECONDS)
    taken = len(crowd["said"]) - len(crowd["refused"])
    there = stack.task("throughput.there", prefix=prefix, number=taken, seconds=SETTLED_SECONDS)
    arrived = Counter(text for name in _vendors() for text in _accepted(stack, name))
    lost = [one for one in fate if one["sent"] and one["channel"] not in OWN and not arrived[one["text"]]]
    doubled = [one for one in fate if arrived[one["text"]] > 1]
    yield figure(f"{kind}: messages of guests", len(crowd["said"]), "")
    yield figure(f"{kind}: messages of guests lost", taken - there, "")
    yield figure(f"{kind}: messages of guests doubled", stack.task("throughput.doubled", prefix=prefix), "")
    yield figure(f"{kind}: answers", len(fate), "")
    yield figure(f"{kind}: answers that count as sent and did not arrive", len(lost), "")
    yield figure(f"{kind}: answers shown as not sent", len([one for one in fate if not one["sent"]]), "")
    yield figure(f"{kind}: answers doubled without a mark", len([one for one in doubled if not one["marked"]]), "")
    yield figure(f"{kind}: answers doubled and marked as possibly delivered", len([one for one in doubled if one["marked"]]), "")


def _vendors() -> Sequence[str]:
    return ["mail" if kind == "email" else kind for kind in SHARES if kind not in OWN]


def _spoil(stack: Stack, kind: str, stop: threading.Event) -> None:
    while not stop.wait(2.0):
        for name, share in (("mail" if kind == "email" else kind, share) for kind, share in SHARES.items() if kind not in OWN):
            _post(stack, f"/_control/{name}/faults", {"kind": kind, "seconds": 0.5, "times": max(1, RATE * 2 * share // 400)})


def _accepted(stack: Stack, name: str) -> Sequence[str]:
    entries = _ask(stack, "GET", f"/_control/{name}/accepted")
    return [str(entry.get("text", "")).strip() for entry in entries]


def _post(stack: Stack, path: str, body: Any = None) -> Any:
    return _ask(stack, "POST", path, body or {})


def _ask(stack: Stack, method: str, path: str, body: Any = None) -> Any:
    connection = HTTPConnection(LOOPBACK, stack.plan.providers_port, timeout=30)
    try:
        connection.request(method, path, json.dumps(body) if body is not None else None)
        return json.loads(connection.getresponse().read())
    finally:
        connection.close()
