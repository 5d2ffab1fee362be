"""The operators' screens in a process of their own: real sockets, and webhooks whose frames they wait for.

Speaks by lines of JSON: reads its orders, says {"open": n} when all sockets are welcome, waits for a line, posts, says what it saw.
"""

import asyncio
import json
import re
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import uvloop
from websockets.asyncio.client import ClientConnection, connect

from bench.load import read_answer, request
from bench.words import telegram_update
from core.embedded.ports import LOOPBACK

OPENING_AT_ONCE = 25
WELCOME_SECONDS, FRAME_SECONDS = 60, 15
_NUMBER = re.compile(r"Обращение (\d+)")


@dataclass(frozen=True)
class Orders:
    """`accounts` take turns with `number` messages, `pause` seconds between two; sockets by the sessions' keys."""

    port: int
    cookies: Sequence[str]
    accounts: Sequence[Mapping[str, str]]
    first: int
    number: int
    pause: float


class Screens:
    def __init__(self, orders: Orders) -> None:
        self.orders = orders
        self.posted: dict[int, float] = {}
        self.seen: dict[int, list[float]] = {}
        self.answers: list[float] = []
        self.empty: list[float] = []

    async def run(self) -> None:
        gate = asyncio.Semaphore(OPENING_AT_ONCE)
        sockets = await asyncio.gather(*(self._open(cookie, gate) for cookie in self.orders.cookies))
        print(json.dumps({"open": len(sockets)}), flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
        readers = [asyncio.create_task(self._read(socket)) for socket in sockets]
        await self._post_all()
        await self._all_seen()
        for reader in readers:
            reader.cancel()
        delays = [1000 * delay for found in self.seen.values() for delay in found]
        missed = [number for number in self.posted if number not in self.seen]
        print(json.dumps({"delays": delays, "missed": len(missed), "answers": self.answers, "empty": self.empty}), flush=True)
        await asyncio.gather(*(socket.close() for socket in sockets))

    async def _open(self, cookie: str, gate: asyncio.Semaphore) -> ClientConnection:
        address = f"ws://{LOOPBACK}:{self.orders.port}/desk/socket/"
        headers = {"Cookie": f"sessionid={cookie}", "Origin": f"http://{LOOPBACK}:{self.orders.port}"}
        async with gate:
            socket = await connect(address, additional_headers=headers, compression=None, open_timeout=WELCOME_SECONDS, ping_interval=None)
            await socket.send('{"type": "hello"}')
            async with asyncio.timeout(WELCOME_SECONDS):
                while json.loads(await socket.recv())["type"] != "welcome":
                    continue
            return socket

    async def _read(self, socket: ClientConnection) -> None:
        async for frame in socket:
            now = time.perf_counter()
            data = json.loads(frame)
            if data.get("type") == "event" and data.get("kind") == "item" and (found := _NUMBER.search(data["data"].get("preview", ""))):
                number = int(found.group(1))
                if number in self.posted:
                    self.seen.setdefault(number, []).append(now - self.posted[number])

    async def _post_all(self) -> None:
        """At a gentle rate, each followed by the empty view's round trip for comparison."""
        reader, writer = await asyncio.open_connection(LOOPBACK, self.orders.port)
        orders = self.orders
        for number in range(orders.first, orders.first + orders.number):
            account = orders.accounts[number % len(orders.accounts)]
            body = telegram_update(number, chat=number if number % 2 else 1 + number % 50)
            self.posted[number] = time.perf_counter()
            self.answers.append(await _timed(reader, writer, _post(f"/hooks/telegram/{account['id']}/", body)))
            await asyncio.sleep(orders.pause / 2)
            self.empty.append(await _timed(reader, writer, _post("/bench/empty/", body)))
            await asyncio.sleep(orders.pause / 2)
        writer.close()

    async def _all_seen(self) -> None:
        stop = time.perf_counter() + FRAME_SECONDS
        while len(self.seen) < len(self.posted) and time.perf_counter() < stop:
            await asyncio.sleep(0.05)
        await asyncio.sleep(0.5)  # the last frames of the slowest sockets


def _post(path: str, body: bytes) -> bytes:
    return request("POST", path, body, X_Telegram_Bot_Api_Secret_Token="demo-secret")


async def _timed(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, sent: bytes) -> float:
    """Milliseconds of a round trip. RuntimeError when the answer is not 2xx."""
    begun = time.perf_counter()
    writer.write(sent)
    status, _closes, body = await read_answer(reader)
    if not status.startswith("2"):
        raise RuntimeError(f"answered {status}: {body[:200]!r}")
    return 1000 * (time.perf_counter() - begun)


def main() -> None:
    given: dict[str, Any] = json.loads(sys.stdin.readline())
    uvloop.run(Screens(Orders(**given)).run())


if __name__ == "__main__":
    main()
