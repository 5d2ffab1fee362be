"""The way of a message, from the guest's first word to the counted ticket, on the real database."""

from datetime import timedelta

import pytest
from django.utils import timezone

from core.refusal import Refusal
from omni.models import Attempt, Message, Presence, Session
from omni.services import answering, conversations, distribution, sending
from omni.states import EventState, SendState, SessionState
from sla.models import Clock
from tests import builders as b
from tickets.services import cases, opening
from tickets.states import CaseState, Cause
from worklist.models import Item
from worklist.services import counters
from worklist.states import ItemState

pytestmark = pytest.mark.django_db


@pytest.fixture
def now():
    return timezone.now()


@pytest.fixture
def operator():
    return b.a_person(groups=[b.a_group()])


def test_a_guest_is_answered_and_the_ticket_is_closed(now, operator):
    account = b.an_account("webchat")
    expert = b.a_person("petrov", "Пётр Петров", groups=[b.a_group("quality", "Качество")])
    b.go_on_line(operator, now=now)

    event = b.receive(account, b.webchat_event(text="Кефир просрочен"), now=now)
    assert event.state == EventState.PROCESSED
    session = Session.objects.get()
    assert session.state == SessionState.WAITING
    assert Clock.objects.get(subject=f"session:{session.pk}").metric == "first_response"
    assert counters.read([b.a_group().pk])[b.a_group().pk] == {"queue": 1, "taken": 0}

    assert distribution.give_out(group_id=b.a_group().pk, now=now) == 1
    session.refresh_from_db()
    assert (session.state, session.owner) == (SessionState.ACTIVE, operator)
    assert Presence.objects.get(staff=operator).load == 1
    assert session.decisions.get().explanation["load_before"] == "0/5"

    case = opening.open_ticket(session_id=session.pk, topic=b.a_topic(), by=operator, now=now)
    assert case.state == CaseState.ROUTED
    conversations.close(session_id=session.pk, by=operator, now=now)
    session.refresh_from_db()
    assert session.state == SessionState.PARKED
    assert Presence.objects.get(staff=operator).load == 0
    assert counters.read([b.a_group("quality").pk])[b.a_group("quality").pk]["queue"] == 1

    b.receive(account, b.webchat_event(text="Ну что там?"), now=now)
    item = Item.objects.get(kind="case")
    assert (item.preview, item.unread) == ("Ну что там?", 2), "the first question was handed over unanswered"
    assert Session.objects.get().state == SessionState.PARKED

    cases.take(case_id=case.pk, by=expert, now=now)
    message = answering.answer(session_id=session.pk, text="Кефир убрали, спасибо!", by=expert, now=now)
    assert sending.send(message.attempts.get().pk, now=now) == SendState.SENT
    case.refresh_from_db()
    assert case.state == CaseState.ANSWERED
    assert Clock.objects.get(subject=f"case:{case.pk}", metric="first_response").met is True

    cases.close(case_id=case.pk, cause=Cause.SOLVED, by=expert, now=now)
    session.refresh_from_db()
    assert session.state == SessionState.CLOSED
    assert set(Item.objects.values_list("state", flat=True)) == {ItemState.CLOSED}
    counters.fold()
    assert counters.read([b.a_group("quality").pk])[b.a_group("quality").pk] == {"queue": 0, "taken": 0}


def test_the_same_event_twice_makes_one_message(now):
    account = b.an_account()
    body = b.telegram_update(1)
    b.receive(account, body, now=now)
    b.receive(account, body, now=now)
    assert Message.objects.count() == 1


def test_an_answer_that_missed_a_newer_message_is_refused(now, operator):
    account = b.an_account("webchat")
    b.receive(account, b.webchat_event(text="Первое"), now=now)
    seen = Message.objects.get().pk
    b.receive(account, b.webchat_event(text="Второе"), now=now)
    session = Session.objects.get()
    with pytest.raises(Refusal) as refused:
        answering.answer(session_id=session.pk, text="Ответ", by=operator, now=now, seen_message_id=seen)
    assert refused.value.code == "newer_messages"
    assert answering.answer(session_id=session.pk, text="Ответ", by=operator, now=now, seen_message_id=seen, over_newer=True).pk


def test_a_guest_who_comes_back_within_days_goes_on_in_the_same_dialogue(now, operator):
    account = b.an_account("webchat")
    b.receive(account, b.webchat_event(), now=now)
    session = Session.objects.get()
    conversations.take(session_id=session.pk, by=operator, now=now)
    conversations.close(session_id=session.pk, by=operator, now=now)
    b.receive(account, b.webchat_event(text="Ещё вопрос"), now=now + timedelta(days=1))
    session.refresh_from_db()
    assert (session.state, session.owner) == (SessionState.WAITING, None)


def test_a_guest_who_comes_back_later_gets_a_linked_new_dialogue(now, operator):
    account = b.an_account("webchat")
    b.receive(account, b.webchat_event(), now=now)
    first = Session.objects.get()
    conversations.close(session_id=first.pk, by=operator, now=now)
    b.receive(account, b.webchat_event(text="Через месяц"), now=now + timedelta(days=30))
    assert Session.objects.exclude(pk=first.pk).get().previous == first


def test_order_within_a_conversation_is_kept(now, operator):
    account = b.an_account("webchat")
    b.receive(account, b.webchat_event(), now=now)
    session = Session.objects.get()
    first, second = (answering.answer(session_id=session.pk, text=text, by=operator, now=now) for text in ("раз", "два"))
    late, early = second.attempts.get(), first.attempts.get()
    assert sending.send(late.pk, now=now) is None
    assert sending.send(early.pk, now=now) == SendState.SENT
    assert sending.send(late.pk, now=now) == SendState.SENT


def test_a_killed_worker_leaves_a_claim_that_runs_out(now, operator):
    account = b.an_account("webchat")
    b.receive(account, b.webchat_event(), now=now)
    message = answering.answer(session_id=Session.objects.get().pk, text="Ответ", by=operator, now=now)
    Attempt.objects.update(state=SendState.SENDING, claimed_until=now)
    assert sending.recover_lost(now=now + timedelta(seconds=1)) == 1
    repeat = message.attempts.get(number=2)
    assert sending.send(repeat.pk, now=timezone.now() + timedelta(seconds=5)) == SendState.SENT
    assert not repeat.possibly_delivered  # the chat recognises a repeat by its key


def test_an_unreadable_event_is_kept_with_its_reason(now):
    event = b.receive(b.an_account(), b"{broken", now=now)
    assert event.state == EventState.UNREADABLE
    assert event.reason
