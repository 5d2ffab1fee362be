"""The demo day: a few hundred matters of the last days in every state, played through the product's own services."""

import math
import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction

from core.models import LiveEvent
from customers.models import Identity
from demo.material import material
from demo.services import called_out, history, people
from demo.services.addresses import Addresses
from demo.services.history import home_of, street_of
from demo.services.play import Play, cast_of
from demo.stories import Stage, fill
from omni.channels.contract import RawEvent
from omni.models import ChannelAccount
from omni.services import journal, presence
from omni.states import PresenceState
from sla.services import clocks
from stores.models import Store
from tickets.models import ApprovalRule, GuestText, SurveyRule
from tickets.services import approval_gates, defaults
from worklist.services import counters

HISTORY = 216
# What is played through the services: days ago, how far it is (what is not over by now stops where it is), a store's part or none
# (None = as it comes), how many.
SCENES: Sequence[tuple[int, Stage, bool | None, int]] = (
    (0, Stage.CLOSED, None, 14),
    (0, Stage.ANSWERED, None, 5),
    (0, Stage.IN_WORK, None, 6),
    (0, Stage.STORE_ANSWERED, True, 4),
    (0, Stage.HANDED_ON, True, 5),
    (0, Stage.HANDED_ON, False, 4),
    (1, Stage.CLOSED, None, 2),
    (1, Stage.ANSWERED, None, 3),
    (1, Stage.IN_WORK, None, 4),
    (1, Stage.HANDED_ON, True, 2),
    (1, Stage.HANDED_ON, False, 1),
    (2, Stage.IN_WORK, None, 3),
    (2, Stage.ANSWERED, None, 2),
)
# Of the last minutes: waiting for an operator, and in an operator's hands.
WAITING, IN_HAND = 14, 16


@dataclass(frozen=True)
class Scene:
    """A matter to be played: when it begins and how far it goes."""

    start: datetime
    stage: Stage
    with_store: bool | None = None


def load(*, addresses: Addresses, now: datetime, seed: int = 1, share: float = 1.0) -> None:
    """Fill an empty base; `share` makes the day smaller.

    Nothing goes out: news of a day that is over are not told, its messages count as sent.
    """
    chance = random.Random(seed)
    with transaction.atomic():
        defaults.load(now=now)
        clocks.forget_hours()
        stores = people.make_stores(chance)
        people.make_staff(stores)
        accounts = people.make_accounts(addresses)
        identities = people.make_guests(chance, accounts, now=now)
        with _before_the_rules():
            history.write(chance, identities, stores, number=round(HISTORY * share), now=now)
            _play_all(chance, accounts, identities, stores, now=now, share=share)
            _leave_unreadable(accounts, now=now)
            _set_presence(now=now)
            called_out.call_out(now=now)
        counters.recount()
        LiveEvent.objects.all().delete()
        # Nobody has watched: neither live events nor tasks of the day gone by are due after the commit.
        connection.run_on_commit.clear()


@contextmanager
def _before_the_rules() -> Iterator[None]:
    """The days gone by knew no notices, marks and approvals: they begin now, and nobody is told of what is over."""
    rules: Sequence[Any] = (GuestText, SurveyRule, ApprovalRule)
    in_use = [model.objects.filter(pk__in=list(model.objects.filter(is_active=True).values_list("pk", flat=True))) for model in rules]

    def switch(*, on: bool) -> None:
        for rows in in_use:
            rows.update(is_active=on)
        approval_gates.forget()

    switch(on=False)
    yield
    switch(on=True)


def _play_all(
    chance: random.Random,
    accounts: Sequence[ChannelAccount],
    identities: Sequence[Identity],
    stores: Sequence[Store],
    *,
    now: datetime,
    share: float,
) -> None:
    told: list[dict[str, Any]] = material("stories")
    cast, by_scope = cast_of(), {str(account.public_id): account for account in accounts}
    free = list(identities)
    chance.shuffle(free)
    deck: list[dict[str, Any]] = []
    for scene in sorted(_scenes(chance, now, share), key=lambda scene: scene.start):
        facts = _next_story(deck, told, chance, scene.with_store)
        identity = _next_guest(free, "email" if facts.get("mail") else "")
        store = home_of(identity, stores)
        story = fill(facts, chance=chance, place=street_of(store))
        account = by_scope[identity.scope]
        play = Play(story=story, account=account, identity=identity, store=store, cast=cast, chance=chance)
        play.run(start=scene.start, until=now, stage=scene.stage)


def _next_story(deck: list[dict[str, Any]], told: list[dict[str, Any]], chance: random.Random, with_store: bool | None) -> dict[str, Any]:
    """Every story is told once before any is told again."""
    if len(deck) < len(told) // 4:
        deck.extend(chance.sample(told, len(told)))

    def fits(facts: dict[str, Any]) -> bool:
        return with_store is None or ("expert" in facts and bool(facts.get("store")) == with_store)

    return deck.pop(next((place for place, facts in enumerate(deck) if fits(facts)), 0))


def _next_guest(free: list[Identity], channel: str) -> Identity:
    """Whose turn it is; goes to the end, so that a guest comes back only after all others wrote."""
    found = next(place for place, identity in enumerate(free) if not channel or identity.channel == channel)
    identity = free.pop(found)
    free.append(identity)
    return identity


def _scenes(chance: random.Random, now: datetime, share: float) -> Iterator[Scene]:
    for days, stage, with_store, number in SCENES:
        for _ in range(math.ceil(number * share)):
            # A matter that is to be over needs its hours; one that has only begun began lately.
            minutes = chance.triangular(*((300, 1400, 500) if stage >= Stage.STORE_ANSWERED else (30, 400, 60)))
            yield Scene(now - timedelta(days=days, minutes=minutes), stage, with_store)
    for _ in range(math.ceil(WAITING * share)):
        yield Scene(now - timedelta(minutes=chance.uniform(1, 28)), Stage.WAITING)
    for _ in range(math.ceil(IN_HAND * share)):
        yield Scene(now - timedelta(minutes=chance.uniform(15, 50)), chance.choice([Stage.ASKED, Stage.TALKING]))


def _leave_unreadable(accounts: Sequence[ChannelAccount], *, now: datetime) -> None:
    """Two events that could not be read, for the journal's screen."""
    telegram = next(account for account in accounts if account.kind == "telegram")
    for body in (b'{"update_id": 990000001, "message": ', b"<html><body>502 Bad Gateway</body></html>"):
        kept = journal.keep(account=telegram, event=RawEvent(body=body, headers={}, received_at=now - timedelta(hours=3)))
        assert kept is not None
        journal.process(kept.pk, now=now - timedelta(hours=3))


def _set_presence(*, now: datetime) -> None:
    """Two are on a break; the others have not signed in today, so what they hold stays theirs until they do."""
    on_break = {"kuznetsova": "lunch", "petrenko": "training"}
    for staff in {person.pk: person for people_of in cast_of().operators.values() for person in people_of}.values():
        if staff.login in on_break:
            presence.change(staff=staff, state=PresenceState.BREAK, reason=on_break[staff.login], by=staff, now=now)
