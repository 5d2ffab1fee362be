"""From a guest's message to the frame on an operator's screen, with one and with a thousand sockets."""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from typing import Any

from bench.figures import Figure, Missing, figure, percentile, say
from bench.processes import resident
from bench.stack import CHECKOUT, Stack, running

PAUSE = 0.15
WARM = 20


def run(*, quick: bool = False) -> Iterator[Figure]:
    """Operators are different people in groups of fifty; a message is seen by its whole group, and every frame counts."""
    number, many = (30, 60) if quick else (240, 1000)
    with running("live") as stack:
        say(f"{many} operators ...")
        facts = stack.task("operators", number=many)
        web = stack.web()
        stack.run(stack.plan.worker())
        stack.run(stack.plan.beat())
        _seen(stack, facts, sockets=1, first=1, number=WARM, web=web.pid)
        for position, sockets in enumerate((1, many)):
            say(f"{number} messages, {sockets} socket(s) ...")
            found = _seen(stack, facts, sockets=sockets, first=10_000 * (position + 1), number=number, web=web.pid)
            yield from _figures(found, sockets)


def _figures(found: dict[str, Any], sockets: int) -> Iterator[Figure]:
    named = f"{sockets} socket{'s' if sockets > 1 else ''}"
    for share in (50, 99):
        limit = percentile(found["empty"], share / 100)
        name = f"webhook to frame, {named}, p{share} of {len(found['delays'])} frames (limit: empty view's round trip, p{share})"
        yield figure(name, percentile(found["delays"], share / 100), "ms", limit)
    if sockets > 1:
        yield figure(f"memory per socket, {named}", 1024 * (found["after"] - found["before"]) / sockets, "kB")


def _seen(stack: Stack, facts: Mapping[str, Any], *, sockets: int, first: int, number: int, web: int) -> dict[str, Any]:
    orders = {"port": stack.plan.port, "cookies": facts["operators"][:sockets], "first": first, "number": number, "pause": PAUSE}
    orders["accounts"] = facts["accounts"][:1] if sockets == 1 else facts["accounts"]
    before = resident(web)
    log = (stack.home / "log" / "sockets.log").open("ab")
    client = subprocess.Popen(
        [sys.executable, "-m", "bench.sockets"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True, cwd=CHECKOUT
    )
    try:
        _told(client, orders)
        after = resident(web)
        found: dict[str, Any] = _told(client, "post")
        client.wait(timeout=60)
    finally:
        client.kill()
        log.close()
    if found["missed"]:
        raise Missing(f"{found['missed']} of {number} messages reached no socket (see {stack.home}/log).")
    return found | {"before": before, "after": after}


def _told(client: "subprocess.Popen[str]", what: Any) -> Any:
    assert client.stdin
    assert client.stdout
    client.stdin.write(json.dumps(what) + "\n")
    client.stdin.flush()
    line = client.stdout.readline()
    if not line:
        raise Missing("The sockets' process ended early (see its log under var/bench/live/log).")
    return json.loads(line)
