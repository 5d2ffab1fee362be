"""Things to test with: small, believable, made through the models that the product itself writes."""

import json
import uuid
from datetime import time
from functools import cache

from django.contrib.auth.hashers import make_password

from accounts.models import Group, Membership, Role, Staff
from accounts.rights import Right
from omni.models import ChannelAccount, InboundEvent, Queue
from omni.services import journal, presence
from omni.states import PresenceState
from sla.models import Calendar, Policy, WorkingInterval
from sla.services import clocks
from stores.models import Chain, Region, Store
from tickets.models import Topic
from tickets.services import routebook, topics

PASSWORD = "korzina-2026-otklik"
OPERATOR_RIGHTS = [Right.DESK, Right.ANSWER, Right.CASES_READ, Right.CASES_WORK]


def a_group(code="first-line", name="Первая линия"):
    return Group.objects.get_or_create(code=code, defaults={"name": name, "line": "first" if code == "first-line" else "expert"})[0]


def a_role(code="operator", rights=None):
    return Role.objects.get_or_create(code=code, defaults={"name": code, "rights": OPERATOR_RIGHTS if rights is None else rights})[0]


@cache
def hashed(password):
    """Made slow on purpose by the product's hasher: once per process is enough for people who only have to be there."""
    return make_password(password)


def a_person(login="ivanova", full_name="Анна Иванова", groups=(), role=None):
    staff = Staff(login=login, full_name=full_name, password=hashed(PASSWORD))
    staff.save()
    staff.roles.add(role or a_role())
    for group in groups:
        Membership.objects.create(staff=staff, group=group)
    return staff


def a_policy(code="chat", first=15, following=15, resolution=480):
    calendar, made = Calendar.objects.get_or_create(code="always", defaults={"name": "Круглосуточно"})
    if made:
        WorkingInterval.objects.bulk_create(
            WorkingInterval(calendar=calendar, weekday=day, starts=time(0), ends=time(0)) for day in range(7)
        )
        clocks.forget_hours()
    fields = {"name": code, "calendar": calendar, "first_response_minutes": first}
    return Policy.objects.get_or_create(
        code=code, defaults={**fields, "next_response_minutes": following, "resolution_minutes": resolution}
    )[0]


def a_queue(code="chats", group=None, **fields):
    return Queue.objects.get_or_create(code=code, defaults={"name": code, "group": group or a_group(), "policy": a_policy(), **fields})[0]


def an_account(kind="telegram", queue=None, settings=None, **secrets):
    account = ChannelAccount(kind=kind, name=kind, queue=queue or a_queue(), settings=settings or {})
    if kind == "telegram":
        secrets = {"bot_token": "100200:demo-token", "webhook_secret": "demo-secret", **secrets}
    account.set_secrets(**secrets)
    account.save()
    return account


def a_store(number="4217"):
    chain = Chain.objects.get_or_create(code="lukoshko", defaults={"name": "Лукошко"})[0]
    region = Region.objects.get_or_create(code="moscow", defaults={"name": "Москва"})[0]
    return Store.objects.get_or_create(
        number=number,
        defaults={"name": "Лукошко на Лесной", "chain": chain, "region": region, "address": "Москва, Лесная ул., 12"},
    )[0]


def a_topic(code="expired", group=None, **fields):
    group = group or a_group("quality", "Качество")
    topic = Topic.objects.get_or_create(code=code, defaults={"name": "Просрочка на полке", "group": group, "policy": a_policy(), **fields})[
        0
    ]
    topics.forget()
    routebook.forget()
    return topic


def telegram_update(update_id, chat_id=555000111, text="Добрый день! На полке просроченный кефир.", name="Анна", at=1763762400):
    person = {"id": chat_id, "is_bot": False, "first_name": name}
    message = {"message_id": update_id, "date": at, "from": person, "chat": {"id": chat_id, "type": "private"}, "text": text}
    return json.dumps({"update_id": update_id, "message": message}, ensure_ascii=False).encode()


def webchat_event(visitor="visitor-1", text="Здравствуйте!", client_id=None, name=""):
    body = {"client_id": str(client_id or uuid.uuid4()), "visitor": visitor, "text": text, "name": name}
    return json.dumps(body, ensure_ascii=False).encode()


def receive(account, body, *, now, headers=None):
    """Keep an event as the webhook does and process it as the worker does; returns the journal's row."""
    from omni.channels.contract import RawEvent

    event = journal.keep(account=account, event=RawEvent(body=body, headers=headers or {}, received_at=now))
    journal.process(event.pk, now=now)
    return InboundEvent.objects.get(pk=event.pk)


def go_on_line(staff, *, now, capacity=5):
    row = presence.change(staff=staff, state=PresenceState.READY, by=staff, now=now)
    type(row).objects.filter(pk=row.pk).update(capacity=capacity)
    return type(row).objects.get(pk=row.pk)
