"""A base of any size for measuring: tickets by the hundred thousand, as the services would have left them."""

import random
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, time, timedelta

from accounts.models import Group, Staff
from core.text import searchable
from demo.bulk import copying
from demo.bulk.cases import OPEN_SHARE, CaseMaker, make_all
from demo.bulk.grammar import pools
from demo.bulk.rows import GuestFacts, Lines, RowMaker
from demo.bulk.world import Channel, Matter, Promise, World
from demo.channels import FIRST
from demo.material import material, on_street
from demo.services import people
from demo.services.addresses import Addresses
from omni.models import ChannelAccount
from sla.models import Metric, Policy
from sla.services import clocks
from stores.models import Chain, Region, Store
from tickets.models import Topic
from tickets.services import defaults, topics
from worklist.services import counters

CHUNK = 5000
STORES = 500
GUESTS_PER_CASE = 0.6
Say = Callable[[str], None]


def load(*, cases: int, seed: int, addresses: Addresses, now: datetime, say: Say = lambda _text: None) -> None:
    """Add so many tickets with their guests, dialogues and messages to the base; people, settings and stores are added when there are none.

    Memory does not grow with `cases`. The same seed on an equal base at the same time makes the same rows. All or nothing.
    """
    now = now.replace(microsecond=0)
    with copying.loading(cases=cases):
        world = prepare(addresses=addresses, now=now, stores=STORES)
        bases = copying.next_ids()
        total = _write(world, cases=cases, seed=seed, rows=RowMaker(world, bases, seed=seed), say=say)
        copying.settle(cases, bases.number)
        say("Building indexes and statistics ...")
    counters.recount()
    copying.refresh_statistics()
    say(", ".join(f"{number} {table.partition('.')[2].lower()} rows" for table, number in total.items()))


def prepare(*, addresses: Addresses, now: datetime, stores: int) -> World:
    """What the load stands on; made first where the base does not have it."""
    defaults.load(now=now)
    clocks.forget_hours()
    chance = random.Random(0)
    if not Staff.objects.exists():
        people.make_staff(people.make_stores(chance))
    if not ChannelAccount.objects.exists():
        people.make_accounts(addresses)
    _add_stores(stores - Store.objects.count())
    return world_of(now=now)


def _add_stores(number: int) -> None:
    told = material("people")
    chain = Chain.objects.order_by("pk").first()
    assert chain is not None
    regions = list(Region.objects.order_by("pk"))
    made = []
    for place in range(max(number, 0)):
        street, region = told["streets"][place % len(told["streets"])], regions[place % len(regions)]
        shown = Store(
            number=str(20_001 + place),
            name=f"{chain.name} на {on_street(street)}",
            chain=chain,
            region=region,
            address=f"{region.name}, {street} ул., {place % 90 + 1}",
            time_zone=told["regions"][place % len(told["regions"])]["zone"],
            opens_at=time(8),
            closes_at=time(22),
        )
        shown.search_text = searchable(shown.number, shown.name, shown.address)
        made.append(shown)
    Store.objects.bulk_create(made, ignore_conflicts=True)


def world_of(*, now: datetime) -> World:
    """The base's people, topics, stores and the channels whose stories we can tell, as plain values."""
    members = {group.pk: tuple(sorted(one.pk for one in group.staff.all())) for group in Group.objects.prefetch_related("staff")}
    channels = [
        Channel(one.pk, one.kind, str(one.public_id), one.queue_id, one.queue.group_id, members[one.queue.group_id])
        for one in ChannelAccount.objects.filter(kind__in=FIRST).select_related("queue").order_by("pk")
        if members[one.queue.group_id]
    ]
    stores = tuple(Store.objects.order_by("number").values_list("pk", flat=True))
    return World(channels=tuple(channels), matters=_matters(members, now), stores=stores, now=now)


def _matters(members: dict[int, tuple[int, ...]], now: datetime) -> Sequence[Matter]:
    topics.forget()
    promises = {policy.pk: _promise(policy, now) for policy in Policy.objects.select_related("calendar")}
    chance = random.Random(7)
    found = []
    for topic in Topic.objects.filter(children__isnull=True, is_active=True).order_by("code"):
        way = topics.resolved(topic)
        if way.group_id and way.policy_id and members[way.group_id]:
            weight = int(1 + 60 * chance.random() ** 3)
            flags = (way.store_involved, way.store_required, members[way.group_id], weight)
            found.append(Matter(topic.pk, topic.name, way.path, way.group_id, promises[way.policy_id], *flags))
    return tuple(found)


def _promise(policy: Policy, now: datetime) -> Promise:
    seconds = clocks.promises(policy)
    hours = clocks.hours_of(policy.calendar, now=now)
    return Promise(policy.pk, seconds.get(Metric.FIRST_RESPONSE, 0), seconds.get(Metric.RESOLUTION, 0), hours)


class Guests:
    """The guests of a load by their place: made when asked for, always the same."""

    def __init__(self, world: World, seed: int) -> None:
        told = material("people")
        self._women, self._men, self._surnames = told["women"], told["men"], told["surnames"]
        self._world, self._seed = world, seed

    def first_name(self, place: int) -> str:
        chosen: Sequence[str] = self._women if place % 8 < 5 else self._men
        return chosen[place // 8 % len(chosen)]

    def get(self, place: int) -> GuestFacts:
        surname = self._surnames[(place * 7919 + self._seed) % len(self._surnames)]
        name = f"{self.first_name(place)} {surname}{'а' if place % 8 < 5 else ''}"
        kind = self._world.channels[place % len(self._world.channels)].kind
        email = f"g{self._seed}-{place}@guests.example" if kind == "email" or place % 3 == 0 else ""
        phone = f"+79{(place * 104_729 + self._seed * 7) % 10**9:09d}" if place % 4 else ""
        by_kind = {"telegram": str(600_000_000 + self._seed % 1000 * 10**7 + place), "email": email}
        since = self._world.now - timedelta(days=181 + place % 700, seconds=place % 86_400)
        return GuestFacts(name, phone, email, by_kind.get(kind, f"visitor-{self._seed}-{place}"), since)


def lines_of(world: World, *, cases: int, seed: int, rows: RowMaker) -> Iterator[tuple[int, Lines]]:
    """All lines of a load in chunks, each with the number of tickets in it: first the guests, then their tickets."""
    guests = Guests(world, seed)
    number, opened = max(int(cases * GUESTS_PER_CASE), 2), max(int(cases * OPEN_SHARE), 1)
    for start in range(0, number, CHUNK):
        yield 0, rows.guests((place, guests.get(place)) for place in range(start, min(start + CHUNK, number)))
    names = [guests.first_name(place) for place in range(8 * 20 * 20)]
    maker = CaseMaker(world, pools(random.Random(seed)), guests=number, open_guests=opened)
    for made in make_all(maker, cases=cases, seed=seed, names=names, chunk=CHUNK):
        yield len(made), rows.cases([(facts, guests.get(facts.guest)) for facts in made])


def _write(world: World, *, cases: int, seed: int, rows: RowMaker, say: Say) -> dict[str, int]:
    """Write chunk by chunk; the next chunk is made while the database takes the last one."""
    total: dict[str, int] = {}
    done = 0
    source = lines_of(world, cases=cases, seed=seed, rows=rows)
    with ThreadPoolExecutor(1) as pool:
        coming = pool.submit(next, source, None)
        while (chunk := coming.result()) is not None:
            coming = pool.submit(next, source, None)
            number, lines = chunk
            copying.write(lines)
            for table, made in lines.tables.items():
                total[table] = total.get(table, 0) + len(made)
            if number and (done := done + number) % (CHUNK * 10) == 0:
                say(f"{done} of {cases} tickets")
    return total
