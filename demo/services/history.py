"""Matters of the last weeks that are over: written as rows, as the services would have left them."""

import random
from collections.abc import Sequence
from datetime import datetime, timedelta

from customers.models import Identity
from demo.bulk import copying
from demo.bulk.cases import CaseFacts, Said
from demo.bulk.rows import GuestFacts, RowMaker
from demo.bulk.world import Channel, Matter, World
from demo.material import material, on_street
from demo.services.bulk import world_of
from demo.stories import Story, fill
from omni.states import Direction
from stores.models import Store
from tickets.models import Topic
from tickets.states import CaseState

DAYS = 45


def write(chance: random.Random, identities: Sequence[Identity], stores: Sequence[Store], *, number: int, now: datetime) -> None:
    """Add so many closed tickets of guests chosen by chance. Call inside a transaction."""
    world, bases = world_of(now=now), copying.next_ids()
    rows = RowMaker(world, bases, seed=chance.getrandbits(31), known=[(one.guest_id, one.pk) for one in identities])
    told = [facts for facts in material("stories") if "expert" in facts]
    topic_ids = dict(Topic.objects.values_list("code", "pk"))
    matters = {matter.topic_id: matter for matter in world.matters}
    made = []
    for place in range(number):
        facts = told[place % len(told)]
        guest = chance.randrange(len(identities))
        identity = identities[guest]
        story = fill(facts, chance=chance, place=street_of(store := home_of(identity, stores)))
        matter, channel = matters[topic_ids[story.topic]], _channel(world, identity)
        made.append((_case(chance, guest, channel, matter, store, story, now=now), _guest(identity)))
    copying.write(rows.cases(made))
    copying.settle(number, bases.number)


def _guest(identity: Identity) -> GuestFacts:
    guest = identity.guest
    return GuestFacts(guest.name, guest.phone, guest.email, identity.external_id, identity.created_at)


def home_of(identity: Identity, stores: Sequence[Store]) -> Store:
    """The store where the guest shops."""
    return stores[identity.guest_id % len(stores)]


def street_of(store: Store) -> str:
    """The store's street as it stands behind «на»."""
    return on_street(store.address.split(", ")[1].removesuffix(" ул."))


def _channel(world: World, identity: Identity) -> Channel:
    return next(channel for channel in world.channels if channel.scope == identity.scope)


def _case(chance: random.Random, guest: int, channel: Channel, matter: Matter, store: Store, story: Story, *, now: datetime) -> CaseFacts:
    operator, expert = chance.choice(channel.operators), chance.choice(matter.experts)
    at = now.replace(microsecond=0) - timedelta(days=1.5 + chance.random() * DAYS, minutes=chance.randint(0, 600))
    messages: list[Said] = []

    def say(direction: Direction, text: str, author: int | None, least: int, most: int) -> None:
        nonlocal at
        if text:
            messages.append(Said(direction, text, at, author))
        at += timedelta(minutes=chance.randint(least, most))

    say(Direction.IN, story.opening, None, 2, 11)
    say(Direction.OUT, story.ask, operator, 1, 6)
    say(Direction.IN, story.detail, None, 1, 4)
    opened = at
    say(Direction.OUT, story.promise, operator, 1, 2)
    say(Direction.NOTE, story.note, operator, 20, 240)
    taken = at
    say(Direction.NOTE, story.store if matter.store_involved else "", expert, 10, 120)
    answered = at
    say(Direction.OUT, story.expert, expert, 5, 200)
    say(Direction.IN, story.thanks if chance.random() < 0.7 else "", None, 5, 90)
    place = store.pk if matter.store_required else None
    return CaseFacts(
        guest, channel, matter, place, operator, expert, CaseState.CLOSED, story.cause, opened, taken, answered, at, tuple(messages)
    )
