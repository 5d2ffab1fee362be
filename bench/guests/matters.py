"""Labelled reports of guests: which of them tell the same matter. The same for the same seed.

Written from what guests tell a chain's desk, knowing nothing of how the product compares them: it imports nothing of the product.
A matter is one thing that happened in one store (`matters.txt`). An own matter belongs to one guest, who may tell it again through
another channel, in other words, a day or two later, perhaps as a stranger with the same telephone or name, perhaps put under a
neighbouring topic or without its store. A store's matter is told by whoever was there. Besides, on purpose: the same guest with
another matter, the same matter in other towns and stores, with other goods, of other guests, and again weeks later.
"""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import count
from pathlib import Path

from bench.guests.generator import grammar, written

_HERE = Path(__file__).parent
NAMES = ("Ольга", "Сергей", "Марина", "Тимур", "Галина", "Антон", "Лилия", "Пётр", "Жанна", "Руслан")
FAMILIES = ("Бойко", "Дюжева", "Зорич", "Кац", "Лученко", "Мирза", "Нагих", "Пак", "Седых", "Фокина", "Черных", "Шульга")
STAFF = ("Людмила", "Зарина", "Светлана", "Нина")
PRICES = ("89 рублей", "129,90", "249 р", "59", "399 рублей")
CHANNELS = ("telegram", "email", "webchat", "voice")
HOURS = 24.0


@dataclass(frozen=True)
class Kind:
    code: str
    topic: str
    sibling: str
    is_own: bool
    tellings: Sequence[str]
    goods: Sequence[str]


@dataclass(frozen=True)
class Report:
    """What one guest said once. `hour` from the beginning of the set; `home` is the store it happened in, `store` None
    = it was not named; `person` is who it really was."""

    matter: int
    person: int
    guest: int
    name: str
    phone: str
    channel: str
    topic: str
    home: int
    store: int | None
    hour: float
    text: str


@cache
def kinds() -> Sequence[Kind]:
    goods = _blocks("slots")
    made = []
    for head, tellings in _blocks("matters").items():
        code, topic, sibling, whose = head.split(" | ")
        made.append(Kind(code, topic, sibling, whose == "own", tellings, goods.get(code, ("",))))
    return made


def _blocks(name: str) -> Mapping[str, Sequence[str]]:
    found: dict[str, list[str]] = {}
    for line in (_HERE / f"{name}.txt").read_text("utf-8").splitlines():
        if line.startswith("# "):
            last = found.setdefault(line[2:], [])
        elif line:
            last.append(line)
    return found


@dataclass
class _Person:
    number: int
    guest: int
    name: str
    phone: str


class _World:
    """Who writes about what; guests are numbered as the desk knows them, people as they are."""

    def __init__(self, seed: int, stores: int) -> None:
        self.chance, self.stores = random.Random(f"matters {seed}"), stores
        self.guests, self.matters = count(1), count(1)

    def person(self) -> _Person:
        number = next(self.guests)
        name = f"{self.chance.choice(NAMES)} {self.chance.choice(FAMILIES)}"
        phone = f"+7900{number:07d}" if self.chance.random() < 0.6 else ""
        return _Person(number, number, name, phone)

    def otherwise(self, person: _Person) -> _Person:
        """The same person as another channel knows them: often the same guest, else a stranger with the telephone or the name."""
        if self.chance.random() < 0.75:
            return person
        return replace(person, guest=next(self.guests)) if person.phone else replace(person, guest=next(self.guests), phone="")

    def slots(self, kind: Kind) -> Mapping[str, str]:
        chance = self.chance
        return {
            "good": chance.choice(kind.goods),
            "price": chance.choice(PRICES),
            "sum": f"{chance.randrange(3, 60) * 100 + chance.randrange(100)} рублей",
            "name": chance.choice(STAFF),
            "points": str(chance.randrange(200, 4000)),
            "order": f"{chance.randrange(10**7, 10**8)}",
        }


def reports(matters: int, *, seed: int, stores: int = 60, days: int = 30) -> list[Report]:
    """The reports of so many matters and of their near misses, in the order of their time."""
    world, found = _World(seed, stores), []
    for _each in range(matters):
        found += _matter(world, days)
    return sorted(found, key=lambda one: one.hour)


def _matter(world: _World, days: int) -> list[Report]:
    chance, kind = world.chance, world.chance.choice(kinds())
    store, hour, number, slots = chance.randrange(world.stores), chance.random() * days * HOURS, next(world.matters), world.slots(kind)
    person = world.person()
    first = _report(world, kind, number, person, store, hour, slots, telling=0)
    told = [first, *_again(world, kind, first, person, slots)]
    if chance.random() < 0.45:
        told += _near_miss(world, kind, first, person)
    return told


def _again(world: _World, kind: Kind, first: Report, person: _Person, slots: Mapping[str, str]) -> Iterator[Report]:
    chance = world.chance
    times = chance.choices((0, 1, 2, 3), (5, 5, 2, 1))[0] if kind.is_own else chance.choices((0, 1, 2, 4), (5, 4, 3, 2))[0]
    for telling in range(1, times + 1):
        who = world.otherwise(person) if kind.is_own or chance.random() < 0.2 else world.person()
        later = first.hour + chance.expovariate(1 / (20 if kind.is_own else 5))
        yield _report(world, kind, first.matter, who, first.home, later, slots, telling=telling)


def _near_miss(world: _World, kind: Kind, first: Report, person: _Person) -> Iterator[Report]:
    """Something else that looks alike."""
    chance, number = world.chance, next(world.matters)
    where, hour, slots = chance.randrange(6), first.hour + chance.random() * 20, world.slots(kind)
    store, who, other = first.home, world.person(), kind
    if where == 0:  # the same guest, another matter
        other, who = chance.choice([one for one in kinds() if one.topic != kind.topic]), person
        slots = world.slots(other)
    elif where == 1:  # another town, the same words
        store = (store + 1 + chance.randrange(world.stores - 1)) % world.stores
    elif where == 2:  # the same place again, weeks later
        hour = first.hour + (15 + chance.random() * 20) * HOURS
    elif where == 3:  # another guest's own matter of this kind, or the store's other trouble
        other = kind if kind.is_own else chance.choice([one for one in kinds() if not one.is_own and one.topic != kind.topic])
        slots = world.slots(other)
    elif where == 4:  # a neighbouring topic of the same store
        other = chance.choice([one for one in kinds() if one.topic in {kind.sibling} or one.sibling == kind.topic] or [kind])
        slots = world.slots(other)
        number = first.matter if other is kind and not kind.is_own else number
    else:  # the same guest after a month
        who, hour = person, first.hour + (20 + chance.random() * 20) * HOURS
    yield _report(world, other, number, who, store, hour, slots, telling=chance.randrange(4))


def _report(
    world: _World, kind: Kind, matter: int, person: _Person, store: int, hour: float, slots: Mapping[str, str], *, telling: int
) -> Report:
    chance = world.chance
    text = kind.tellings[(matter + telling) % len(kind.tellings)].format(**slots)
    topic = kind.sibling if chance.random() < 0.12 else kind.topic
    named = None if kind.is_own and chance.random() < 0.15 else store
    who = (person.number, person.guest, person.name, person.phone, chance.choice(CHANNELS))
    return Report(matter, *who, topic, store, named, hour, _said(text, chance))


def _said(text: str, chance: random.Random) -> str:
    parts = grammar().parts
    if chance.random() < 0.4:
        text = f"{chance.choice(parts['hello'])}{chance.choice((', ', '. ', '! '))}{text}"
    if chance.random() < 0.4:
        text = f"{text}{chance.choice((', ', '. '))}{chance.choice(parts['more'])}"
    return written(text, chance)
