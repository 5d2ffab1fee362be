"""Everything that ever came in, processed again: nothing changes. Items in the wrong order end the same."""

import json
import random
from datetime import timedelta

import pytest
from django.utils import timezone

from customers.models import Identity
from omni.models import InboundEvent, Message, Session
from omni.services import answering, conversations, journal
from omni.states import EventState
from tests import builders as b
from tickets.models import Case
from tickets.services import opening
from worklist.models import Item

pytestmark = pytest.mark.django_db
NOW = timezone.now()


def update(number, chat, *, text="", edited=False, member="", button=False, at=1763762400):
    """One update of Telegram: a message, an edit, a block, or a pressed button."""
    person = {"id": chat, "is_bot": False, "first_name": "Анна"}
    home = {"id": chat, "type": "private"}
    body = {"update_id": number}
    if member:
        change = {"user": {"id": 1, "is_bot": True, "first_name": "bot"}, "status": member}
        body["my_chat_member"] = {"chat": home, "from": person, "date": at, "old_chat_member": {**change}, "new_chat_member": change}
    elif button:
        body["callback_query"] = {
            "id": f"cb{number}",
            "from": person,
            "data": "yes",
            "message": {"message_id": 1, "date": at, "chat": home},
        }
    else:
        message = {"message_id": 7 if edited else number, "date": at, "from": person, "chat": home, "text": text}
        body["edited_message" if edited else "message"] = message | ({"edit_date": at + number} if edited else {})
    return json.dumps(body).encode()


def everything():
    """All that an event could have changed, as plain values."""
    models = (Message, Session, Case, Item, Identity)
    return {model.__name__: list(model.objects.order_by("pk").values()) for model in models}


def test_replaying_everything_changes_nothing():
    telegram, chat = b.an_account(), b.an_account("webchat")
    operator = b.a_person(groups=[b.a_group()])
    bodies = [update(number, chat_id, text=f"Сообщение {number}") for number in range(1, 8) for chat_id in (1, 2)]
    bodies += [update(20, 1, text="Исправлено", edited=True), update(21, 1, text="Исправлено ещё раз", edited=True)]
    bodies += [update(30, 2, member="kicked", at=1763762500), update(31, 2, member="member", at=1763762600), update(40, 1, button=True)]
    bodies += [b"{broken", json.dumps({"update_id": 50, "poll": {}}).encode()]
    for body in bodies:
        b.receive(telegram, body, now=NOW)
    for number in range(5):
        b.receive(chat, b.webchat_event("visitor:1", f"Чат {number}"), now=NOW)
    session = Session.objects.order_by("pk").first()
    conversations.take(session_id=session.pk, by=operator, now=NOW)
    answering.answer(session_id=session.pk, text="Разберёмся", by=operator, now=NOW)
    opening.open_ticket(session_id=session.pk, topic=b.a_topic(), by=operator, now=NOW)
    conversations.close(session_id=session.pk, by=operator, now=NOW)
    before = everything()
    ids = list(InboundEvent.objects.values_list("pk", flat=True))
    random.Random(3).shuffle(ids)
    ended = journal.replay(event_ids=ids, by=operator, now=NOW + timedelta(days=2))
    assert sum(ended.values()) == len(ids)
    assert ended[EventState.PROCESSED] == len(ids) - ended[EventState.UNREADABLE] - ended.get(EventState.IGNORED, 0)
    assert everything() == before


@pytest.mark.parametrize("seed", range(6))
def test_blocks_in_any_order_end_as_the_last_one_says(seed):
    telegram = b.an_account()
    b.receive(telegram, update(1, 1, text="Здравствуйте", at=1763762000), now=NOW)
    bodies = [update(10 + n, 1, member=("kicked", "member")[n % 2], at=1763762100 + n) for n in range(4)]
    random.Random(seed).shuffle(bodies)
    for body in bodies:
        b.receive(telegram, body, now=NOW)
    assert Identity.objects.get().blocked_at is None


def test_an_unblock_that_overtakes_its_block_wins():
    telegram = b.an_account()
    b.receive(telegram, update(1, 1, text="Здравствуйте", at=1763762000), now=NOW)
    b.receive(telegram, update(3, 1, member="member", at=1763762200), now=NOW)
    b.receive(telegram, update(2, 1, member="kicked", at=1763762100), now=NOW)
    assert Identity.objects.get().blocked_at is None
    b.receive(telegram, update(4, 1, member="kicked", at=1763762300), now=NOW)
    assert Identity.objects.get().blocked_at is not None


def test_a_pressed_button_is_answered_once(monkeypatch, django_capture_on_commit_callbacks):
    from omni.channels.telegram import actions

    telegram, pressed, asked = b.an_account(), [], []
    monkeypatch.setattr(actions, "answer_callback", lambda account, query: pressed.append(query) or True)
    monkeypatch.setattr("omni.dispatch.after_commit", lambda task, **arguments: asked.append((task, arguments)))
    event = b.receive(telegram, update(40, 1, button=True), now=NOW)
    waited = [arguments for task, arguments in asked if task == "omni.tasks.acknowledge_event"]
    assert [one["event_id"] for one in waited] == [event.pk]
    journal.acknowledge(event.pk)
    assert pressed == ["cb40"]
    journal.process(event.pk, now=NOW, again=True)
    assert len([task for task, _arguments in asked if task == "omni.tasks.acknowledge_event"]) == 1
