"""A dialogue that answers first in an account, and guests who talk to it."""

import itertools
import json
from datetime import timedelta

from django.db import transaction

from bots.models import Dialogue, Turn
from bots.services import defaults, scripts, talking
from core import shipped
from omni.models import Message
from omni.states import Direction
from tests import builders as b
from tests.shipped import BEGUN, once

_UPDATES = itertools.count(1000)


def shipped_dialogues():
    """The dialogues that come with the product, published before any test began."""
    once(_load_dialogues)
    return Dialogue.objects.get(code="welcome")


def _load_dialogues():
    defaults.load(shipped.Shipment(now=BEGUN, known=set()))


def an_account_with_a_bot(kind="telegram", code="welcome", **given):
    account = b.an_account(kind, **given)
    account.answers_first = code
    account.save()
    return account


def a_dialogue(steps, now, code="small", **fields):
    """A published dialogue of these steps (documents as in bots/data)."""
    dialogue = Dialogue.objects.create(code=code, name="Малый")
    with transaction.atomic():
        draft = scripts.write(dialogue, {"operator_text": "Зову", **fields, "steps": steps}, by=None, now=now)
    scripts.publish(draft.pk, by=None, now=now)
    return dialogue


def say(account, text, now, chat=555000111):
    """The guest writes in Telegram, and the worker answers."""
    b.receive(account, b.telegram_update(next(_UPDATES), chat_id=chat, text=text, at=int(now.timestamp())), now=now)
    return answer_all(now)


def share_phone(account, now, phone="79161234567", chat=555000111):
    """The guest presses the button that shares the own telephone."""
    number = next(_UPDATES)
    person = {"id": chat, "is_bot": False, "first_name": "Анна"}
    contact = {"phone_number": phone, "first_name": "Анна", "user_id": chat}
    message = {
        "message_id": number,
        "date": int(now.timestamp()),
        "from": person,
        "chat": {"id": chat, "type": "private"},
        "contact": contact,
    }
    b.receive(account, json.dumps({"update_id": number, "message": message}).encode(), now=now)
    return answer_all(now)


def answer_all(now):
    """What the machine says now, oldest first."""
    last = Message.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    for turn in talking.find_due(now=now + timedelta(seconds=1)):
        talking.answer(turn, now=now)
    assert not Turn.objects.filter(state="due", next_at__lte=now).exists()
    return list(Message.objects.filter(pk__gt=last, direction=Direction.OUT).order_by("pk").values_list("text", flat=True))
