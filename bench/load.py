"""A light HTTP client in a process of its own: kept connections, requests ready as bytes, each answer's status looked at."""

import asyncio
import json
import pickle
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from typing import Any

import uvloop

from bench.figures import Missing, percentile
from core.embedded.ports import LOOPBACK

ANSWER_SECONDS = 60


@dataclass(frozen=True)
class Job:
    """`total` requests over `clients` connections to the ports in turn, the given ones again and again; ends earlier after `seconds`."""

    ports: Sequence[int]
    clients: int
    requests: Sequence[bytes]
    total: int
    seconds: float = 60.0


@dataclass(frozen=True)
class Outcome:
    """Answers per second, and milliseconds for one."""

    done: int
    rate: float
    p50: float
    p95: float
    p99: float


def request(method: str, path: str, body: bytes = b"", **headers: str) -> bytes:
    """A request as bytes; a header's underscores become hyphens."""
    fields = {"Host": LOOPBACK, **{name.replace("_", "-"): value for name, value in headers.items()}}
    if body or method == "POST":
        fields |= {"Content-Length": str(len(body)), "Content-Type": headers.get("Content_Type", "application/json")}
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items()), "", ""]
    return "\r\n".join(lines).encode() + body


def drive(job: Job) -> Outcome:
    """Run the job in a process of its own. Raises Missing when an answer was not 2xx."""
    started = subprocess.run(
        [sys.executable, "-m", "bench.load"], input=pickle.dumps(job), capture_output=True, timeout=job.seconds + 120, check=False
    )
    if started.returncode:
        raise Missing(f"The load client failed: {started.stderr.decode(errors='replace').strip().splitlines()[-1]}")
    found = json.loads(started.stdout)
    wrong = {status: number for status, number in found["statuses"].items() if not status.startswith("2")}
    if wrong:
        first = job.requests[0].split(b"\r\n", 1)[0].decode()
        raise Missing(f"{first} was answered {wrong} instead of 2xx: {found['example']}")
    times = [1000 * one for one in found["times"]]
    shares = {f"p{share}": percentile(times, share / 100) for share in (50, 95, 99)}
    return Outcome(done=len(times), rate=len(times) / found["seconds"], **shares)


class _Run:
    def __init__(self, job: Job) -> None:
        self.job = job
        self.left = islice(cycle(job.requests), job.total)
        self.times: list[float] = []
        self.statuses: Counter[str] = Counter()
        self.example = ""

    async def all(self) -> dict[str, Any]:
        begun = time.perf_counter()
        self.stop = begun + self.job.seconds
        await asyncio.gather(*(self._client(port) for port in islice(cycle(self.job.ports), self.job.clients)))
        seconds = time.perf_counter() - begun
        return {"seconds": seconds, "times": self.times, "statuses": dict(self.statuses), "example": self.example}

    async def _client(self, port: int) -> None:
        reader, writer = await asyncio.open_connection(LOOPBACK, port)
        for one in self.left:
            begun = time.perf_counter()
            writer.write(one)
            status, closes, body = await asyncio.wait_for(read_answer(reader), ANSWER_SECONDS)
            self.times.append(time.perf_counter() - begun)
            self.statuses[status] += 1
            if not status.startswith("2"):
                self.example = body[:300].decode(errors="replace")
            if closes:
                writer.close()
                reader, writer = await asyncio.open_connection(LOOPBACK, port)
            if time.perf_counter() > self.stop:
                break
        writer.close()


async def read_answer(reader: asyncio.StreamReader) -> tuple[str, bool, bytes]:
    """Status, whether the server hangs up, body (RFC 9112 6)."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.split("\r\n")
    fields = {name.strip().lower(): value.strip() for name, _colon, value in (line.partition(":") for line in lines)}
    if "chunked" in fields.get("transfer-encoding", ""):
        body = await _chunks(reader)
    else:
        body = await reader.readexactly(int(fields.get("content-length", "0")))
    return first.split(" ")[1], fields.get("connection", "").lower() == "close", body


async def _chunks(reader: asyncio.StreamReader) -> bytes:
    body = b""
    while size := int((await reader.readuntil(b"\r\n")).split(b";")[0], 16):
        body += (await reader.readexactly(size + 2))[:-2]
    await reader.readuntil(b"\r\n")
    return body


def main() -> None:
    job: Job = pickle.loads(sys.stdin.buffer.read())
    json.dump(uvloop.run(_Run(job).all()), sys.stdout)


if __name__ == "__main__":
    main()
