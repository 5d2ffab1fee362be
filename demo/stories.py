"""What guests write about, as stories to be played: pure, no database."""

import random
import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any


class Stage(IntEnum):
    """How far a story is played."""

    WAITING = 0
    ASKED = 1
    TALKING = 2
    HANDED_ON = 3
    STORE_ANSWERED = 4
    IN_WORK = 5
    ANSWERED = 6
    CLOSED = 7


@dataclass(frozen=True)
class Story:
    """One matter, ready to be said. An empty text means that nobody said anything there. A story with `answer` needs no ticket."""

    topic: str
    subject: str
    opening: str
    ask: str
    detail: str
    answer: str
    promise: str
    note: str
    store: str
    expert: str
    thanks: str
    cause: str
    photo: bool


def fill(facts: Mapping[str, Any], *, chance: random.Random, place: str) -> Story:
    """A story in one of its wordings; `place` is the store's street as it stands behind «на»."""
    words = {name: chance.choice(choices) for name, choices in facts.get("slots", {}).items()} | {"s": place}
    told = {name: str(facts.get(name, "")).format(**words) for name in PARTS}
    opening = str(chance.choice(facts["open"])).format(**words)
    # Some begin with a capital and some do not, as people do.
    opening = opening[0].upper() + opening[1:] if chance.random() < 0.6 else opening
    subject = str(facts["subject"])
    return Story(topic=facts["topic"], subject=subject, opening=opening, photo=bool(facts.get("photo")), **told)


PARTS = ("ask", "detail", "answer", "promise", "note", "store", "expert", "thanks", "cause")


def picture(chance: random.Random, *, width: int = 160, height: int = 120) -> bytes:
    """A small photograph-like PNG: coloured blocks on a shelf, no two alike."""
    wall, shelf = (chance.randint(190, 235),) * 3, (chance.randint(90, 140), chance.randint(70, 100), 60)
    goods = [tuple(chance.randint(40, 240) for _ in range(3)) for _ in range(8)]
    tops = [chance.randint(height // 5, height // 2) for _ in goods]
    rows = []
    for y in range(height):
        row = bytearray(b"\x00")
        for x in range(width):
            number = x * len(goods) // width
            is_shelf, is_good = y > height * 3 // 4, y > tops[number] and x % (width // len(goods)) > 2
            row += bytes(shelf if is_shelf else goods[number] if is_good else wall)
        rows.append(bytes(row))
    return _png(width, height, b"".join(rows))


def _png(width: int, height: int, rows: bytes) -> bytes:
    """Eight-bit RGB rows as a PNG file (RFC 2083)."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
