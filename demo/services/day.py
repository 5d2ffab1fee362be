"""The demo day: a few hundred matters of the last days in every state, played through the product's own services."""

import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction

from core.models import LiveEvent
from customers.models import Identity
from demo.material import material, on_street
from demo.services import people
from demo.services.addresses import Addresses
from demo.services.play import Play, cast_of
from demo.stories import Stage, fill
from omni.channels.contract import RawEvent
from omni.models import ChannelAccount
from omni.services import journal, presence
from omni.states import PresenceState
from sla.services import clocks
from stores.models import Store
from tickets.services import defaults
from worklist.services import counters

STORIES = 300
DAYS = 6
# How far the matters of a day are, by its age in days: stages with weights. What is not over by now stops where it is.
STAGES: Sequence[Sequence[tuple[Stage, int]]] = (
    ((Stage.CLOSED, 46), (Stage.ANSWERED, 12), (Stage.IN_WORK, 16), (Stage.STORE_ANSWERED, 8), (Stage.HANDED_ON, 18)),
    ((Stage.CLOSED, 76), (Stage.ANSWERED, 8), (Stage.IN_WORK, 10), (Stage.HANDED_ON, 6)),
    ((Stage.CLOSED, 93), (Stage.IN_WORK, 4), (Stage.ANSWERED, 3)),
)
FRESH_WAITING, FRESH_IN_HAND = 14, 18


def load(*, addresses: Addresses, now: datetime, seed: int = 1, stories: int = STORIES) -> None:
    """Fill an empty base. Nothing goes out: news of a day that is over are not told, its messages count as sent."""
    chance = random.Random(seed)
    with transaction.atomic():
        defaults.load(now=now)
        clocks.forget_hours()
        stores = people.make_stores(chance)
        people.make_staff(stores)
        accounts = people.make_accounts(addresses)
        identities = people.make_guests(chance, accounts, now=now)
        _play_all(chance, accounts, identities, stores, now=now, stories=stories)
        _leave_unreadable(accounts, now=now)
        _set_presence(now=now)
        counters.recount()
        LiveEvent.objects.all().delete()
        # Nobody has watched: neither live events nor tasks of the day gone by are due after the commit.
        connection.run_on_commit.clear()


def _play_all(
    chance: random.Random,
    accounts: Sequence[ChannelAccount],
    identities: Sequence[Identity],
    stores: Sequence[Store],
    *,
    now: datetime,
    stories: int,
) -> None:
    told: list[dict[str, Any]] = material("stories")
    cast, by_scope = cast_of(), {str(account.public_id): account for account in accounts}
    free = list(identities)
    chance.shuffle(free)
    plan = sorted(_plan(chance, now, stories), key=lambda step: step[0])
    deck: list[dict[str, Any]] = []
    for start, stage in plan:
        deck = deck or chance.sample(told, len(told))
        facts = deck.pop()
        identity = _next_guest(free, "email" if facts.get("mail") else "")
        store = stores[identity.guest_id % len(stores)]
        street = store.address.split(", ")[1].removesuffix(" ул.")
        story = fill(facts, chance=chance, place=on_street(street))
        account = by_scope[identity.scope]
        Play(story=story, account=account, identity=identity, store=store, cast=cast, chance=chance).run(
            start=start, until=now, stage=stage
        )


def _next_guest(free: list[Identity], channel: str) -> Identity:
    """Whose turn it is; goes to the end, so that a guest comes back only after all others wrote."""
    found = next(place for place, identity in enumerate(free) if not channel or identity.channel == channel)
    identity = free.pop(found)
    free.append(identity)
    return identity


def _plan(chance: random.Random, now: datetime, stories: int) -> list[tuple[datetime, Stage]]:
    """When each matter begins and how far it goes: today's first, then older days with fewer."""
    fresh = [(now - timedelta(minutes=chance.uniform(1, 28)), Stage.WAITING) for _ in range(FRESH_WAITING)]
    fresh += [(now - timedelta(minutes=chance.uniform(15, 50)), chance.choice([Stage.ASKED, Stage.TALKING])) for _ in range(FRESH_IN_HAND)]
    plan = []
    for _ in range(stories - len(fresh)):
        age = min(int(chance.expovariate(0.55)), DAYS)
        start = now - timedelta(days=age, minutes=chance.triangular(20, 1400, 400))
        stages = STAGES[min(age, len(STAGES) - 1)]
        plan.append((start, chance.choices([stage for stage, _ in stages], [weight for _, weight in stages])[0]))
    return plan + fresh


def _leave_unreadable(accounts: Sequence[ChannelAccount], *, now: datetime) -> None:
    """Two events that could not be read, for the journal's screen."""
    telegram = next(account for account in accounts if account.kind == "telegram")
    for body in (b'{"update_id": 990000001, "message": ', b"<html><body>502 Bad Gateway</body></html>"):
        kept = journal.keep(account=telegram, event=RawEvent(body=body, headers={}, received_at=now - timedelta(hours=3)))
        assert kept is not None
        journal.process(kept.pk, now=now - timedelta(hours=3))


def _set_presence(*, now: datetime) -> None:
    """Operators are away from their screens: who is on line is for those who really sign in."""
    on_break = {"kuznetsova": "обед", "petrenko": "обучение"}
    for staff in {person.pk: person for people_of in cast_of().operators.values() for person in people_of}.values():
        presence.of(staff, now=now)
        if staff.login in on_break:
            presence.change(staff=staff, state=PresenceState.BREAK, reason=on_break[staff.login], by=staff, now=now)
