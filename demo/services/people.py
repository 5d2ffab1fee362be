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
from demo.material import material, on_street
from demo.services.addresses import MAIL_ADDRESS, Addresses, settings_of
from omni.models import ChannelAccount, Queue
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
    """A bot, a site's chat and a mailbox, pointing at the demo's provider servers."""
    queues = {queue.code: queue for queue in Queue.objects.all()}
    greeting = {
        "ru": "Здравствуйте! Чем помочь? Отвечаем обычно за пару минут.",
        "en": "Hello! How can we help? We usually answer in minutes.",
    }
    own: dict[str, tuple[str, str, dict[str, Any], dict[str, str]]] = {
        "telegram": (
            "messengers",
            "Telegram: @lukoshko_otklik",
            {},
            {"bot_token": f"700000001:{secrets.token_urlsafe(24)}", "webhook_secret": secrets.token_urlsafe(24)},
        ),
        "webchat": (
            "site-chat",
            "Чат на lukoshko.example",
            {"site_key": secrets.token_urlsafe(12), "greeting": greeting, "title": {"ru": "Лукошко", "en": "Lukoshko"}},
            {"identity_key": secrets.token_urlsafe(32)},
        ),
        "email": (
            "mail",
            MAIL_ADDRESS,
            {"address": MAIL_ADDRESS, "name": "Лукошко", "poll_seconds": 2},
            {"imap_password": secrets.token_urlsafe(18), "thread_key": secrets.token_urlsafe(32)},
        ),
    }
    made = []
    for kind, (queue, name, fields, hidden) in own.items():
        account = ChannelAccount(kind=kind, name=name, queue=queues[queue], settings={**fields, **settings_of(kind, addresses)})
        account.set_secrets(**hidden)
        account.save()
        made.append(account)
    return made


def make_guests(chance: random.Random, accounts: Sequence[ChannelAccount], *, now: datetime) -> list[Identity]:
    """Guests with one to three identities each; the list has every identity with its guest."""
    told = material("people")
    guests = [_guest(chance, told, number, now) for number in range(GUESTS)]
    Guest.objects.bulk_create(guests)
    identities = []
    for number, guest in enumerate(guests):
        for account in chance.sample(list(accounts), chance.choices([1, 2, 3], [5, 3, 2])[0]):
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
