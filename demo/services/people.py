"""The people, stores and channel accounts of the demo day."""

import random
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime, time, timedelta
from typing import Any

from django.contrib.auth.hashers import make_password

from accounts.models import Group, Membership, Role, Staff
from core.text import searchable
from customers.models import Guest, Identity
from demo.channels import ALL, BOT, EXTENSION, FIRST, MESSENGERS, kind_of, make_secret, name_of
from demo.material import material, on_street
from demo.services.addresses import Addresses, demo_accounts, settings_of
from omni.channels.registry import adapter_for, kinds
from omni.models import ChannelAccount, Extension, Queue
from stores.models import Chain, Region, Store, StoreStaff

PASSWORD = "otklik-demo"  # noqa: S105  of the demo, printed at its start
STORES, GUESTS = 40, 150


def sign_ins() -> list[Mapping[str, str]]:
    """Who may be signed in as, for those who try the demo."""
    return [{"role": one["shown"], "login": one["login"], "password": PASSWORD} for one in material("people")["staff"] if "shown" in one]


def make_stores(chance: random.Random) -> list[Store]:
    """Stores of two chains over all time zones."""
    told = material("people")
    chains = [Chain.objects.get_or_create(code=code, defaults={"name": name})[0] for code, name in CHAINS]
    regions = [(Region.objects.get_or_create(code=one["code"], defaults={"name": one["name"]})[0], one) for one in told["regions"]]
    made = []
    for number in range(STORES):
        region, place = regions[number % len(regions)]
        city, street = chance.choice(place["cities"]), told["streets"][number % len(told["streets"])]
        chain = chains[number % 7 == 3]
        store = Store(
            number=str(4201 + number * 17),
            name=f"{chain.name} на {on_street(street)}",
            chain=chain,
            region=region,
            address=f"{city}, {street} ул., {chance.randint(1, 90)}",
            time_zone=place["zone"],
            email=f"store{4201 + number * 17}@lukoshko.example",
            closes_at=time(23) if number % 5 == 0 else time(22),
        )
        store.search_text = searchable(store.number, store.name, store.address)
        made.append(store)
    return Store.objects.bulk_create(made)


CHAINS = (("lukoshko", "Лукошко"), ("okolitsa", "Околица"))


def make_staff(stores: Sequence[Store]) -> list[Staff]:
    """Staff with their roles, groups and stores; all have the demo's password."""
    told = material("people")["staff"]
    password = make_password(PASSWORD)
    made = Staff.objects.bulk_create(
        [Staff(login=one["login"], full_name=one["name"], password=password, email=f"{one['login']}@lukoshko.example") for one in told]
    )
    roles, groups = {role.code: role for role in Role.objects.all()}, {group.code: group for group in Group.objects.all()}
    places = iter([*stores, *stores])
    for staff, one in zip(made, told, strict=True):
        staff.roles.set(roles[code] for code in one["roles"])
        Membership.objects.bulk_create([Membership(staff=staff, group=groups[code]) for code in one["groups"]])
        own = [next(places) for _ in range(one.get("stores", 0))]
        StoreStaff.objects.bulk_create([StoreStaff(store=store, staff=staff, is_director=one["director"]) for store in own])
    return made


def make_accounts(addresses: Addresses) -> list[ChannelAccount]:
    """An account of every channel that has none of the demo's yet, pointing at the demo's provider servers."""
    queues = {queue.code: queue for queue in Queue.objects.all()}
    queues[BOT] = queues.get(BOT) or _queue_of_bots(queues[MESSENGERS])
    there = {name_of(account.kind, account.settings) for account in demo_accounts()}
    wanted = {name: channel for name, channel in ALL.items() if kind_of(name) in kinds() and name not in there}
    made = [_account(name, queues[channel.queue], addresses) for name, channel in wanted.items()]
    _give_telephones([account for account in made if ALL[name_of(account.kind, account.settings)].calls])
    return made


def _queue_of_bots(like: Queue) -> Queue:
    """Where guests wait whom a bot has handed over: served by the same people, after the others."""
    return Queue.objects.create(code=BOT, name="После бота", group=like.group, policy=like.policy, priority=like.priority - 1)


def _account(name: str, queue: Queue, addresses: Addresses) -> ChannelAccount:
    channel, kind = ALL[name], kind_of(name)
    settings = {**channel.settings, **{made: secrets.token_urlsafe(12) for made in channel.made}, **settings_of(name, addresses)}
    account = ChannelAccount(kind=kind, name=channel.name, queue=queue, settings=settings, answers_first=channel.bot)
    names = [secret.name for secret in adapter_for(kind).form.secrets if secret.name not in channel.unused]
    account.set_secrets(**{secret: make_secret(kind, secret) for secret in names})
    account.save()
    return account


def _give_telephones(exchanges: Sequence[ChannelAccount]) -> None:
    """The first operator has a telephone in each exchange."""
    for operator in Staff.objects.filter(login="operator"):
        Extension.objects.bulk_create([Extension(account=account, number=EXTENSION, staff=operator) for account in exchanges])


def make_guests(chance: random.Random, accounts: Sequence[ChannelAccount], *, now: datetime) -> list[Identity]:
    """Guests with one to three identities each, in the channels of the demo's stories; the list has every identity with its guest."""
    told = material("people")
    guests = [_guest(chance, told, number, now) for number in range(GUESTS)]
    Guest.objects.bulk_create(guests)
    identities = []
    written_by = [account for account in accounts if account.kind in FIRST]
    for number, guest in enumerate(guests):
        for account in chance.sample(written_by, chance.choices([1, 2, 3], [5, 3, 2])[0]):
            identities.append(_identity(account, guest, number))
    return Identity.objects.bulk_create(identities)


def _guest(chance: random.Random, told: Mapping[str, Any], number: int, now: datetime) -> Guest:
    woman = chance.random() < 0.62
    first, surname = chance.choice(told["women"] if woman else told["men"]), chance.choice(told["surnames"])
    name = f"{first} {surname}{'а' if woman else ''}"
    phone = f"+7999{number:03d}{chance.randint(1000, 9999)}" if chance.random() < 0.7 else ""
    email = f"guest{number}@guests.example" if chance.random() < 0.5 else ""
    since = now - timedelta(days=chance.randint(7, 900))
    return Guest(name=name, phone=phone, email=email, created_at=since, search_text=searchable(name, phone, email))


def _identity(account: ChannelAccount, guest: Guest, number: int) -> Identity:
    external_id = {"telegram": str(510_000_000 + number), "webchat": f"demo-visitor-{number}", "email": f"guest{number}@guests.example"}[
        account.kind
    ]
    return Identity(
        guest=guest,
        channel=account.kind,
        scope=str(account.public_id),
        external_id=external_id,
        display_name=guest.name.split(" ")[0] if account.kind == "telegram" else guest.name,
        address=external_id,
        is_verified=account.kind != "webchat",
        created_at=guest.created_at,
    )
