"""kill -9 of a worker in the middle of sends: every message is sent; twice only where nobody can know, and then it is said."""

from collections import Counter, defaultdict
from datetime import timedelta

import pytest
from django.utils import timezone

from core.embedded.waiting import wait_until
from omni.models import Attempt, Message, Session
from omni.services import answering, sending
from omni.states import SendState
from tests import builders as b
from tests.providers.faults import Fault, FaultKind
from tests.providers.frame import Frame
from tests.providers.telegram import TOKEN, TelegramServer

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.faults]
GUESTS, ANSWERS = 8, 6


@pytest.fixture
def telegram():
    server = TelegramServer(token=TOKEN)
    with Frame(server) as frame:
        server.url = frame.url
        yield server


def conversations(telegram, operator, now):
    account = b.an_account(settings={"api_base": telegram.url}, bot_token=TOKEN)
    for chat in range(1, GUESTS + 1):
        telegram.change_chat({"chat_id": chat})
        b.receive(account, b.telegram_update(chat, chat_id=chat), now=now)
    for number in range(ANSWERS):
        for session in Session.objects.order_by("pk"):
            answering.answer(session_id=session.pk, text=f"Ответ {session.pk}.{number}", by=operator, now=now)


def sent_texts(telegram):
    return [entry["text"] for entry in telegram.accepted.after()]


def settled():
    return not Attempt.objects.filter(state__in=[SendState.QUEUED, SendState.SENDING]).exists()


def claims_run_out():
    """Three minutes later: what the dead worker held is found; the test's clock is then turned back for the next tries."""
    lost = sending.recover_lost(now=timezone.now() + sending.CLAIM + timedelta(seconds=1))
    Attempt.objects.filter(state=SendState.QUEUED).update(next_at=timezone.now())
    return lost


def sweep_once():
    """What beat calls."""
    for attempt_id in sending.find_due(now=timezone.now()):
        sending.send(attempt_id, now=timezone.now())
    return settled()


def test_every_message_is_sent_and_a_possible_double_is_marked(telegram, worker_process):
    operator, now = b.a_person(groups=[b.a_group()]), timezone.now()
    telegram.faults.add(Fault(FaultKind.LATE, seconds=0.2), times=GUESTS * ANSWERS)
    conversations(telegram, operator, now)
    assert wait_until(lambda: len(sent_texts(telegram)) >= 5, seconds=30)
    worker_process.kill()
    assert claims_run_out() >= 1, "the worker died in the middle of a send"
    worker_process.start()
    assert wait_until(sweep_once, seconds=60, step=0.5)

    expected = set(Message.objects.filter(direction="out").values_list("text", flat=True))
    counted = Counter(sent_texts(telegram))
    assert set(counted) == expected
    doubled = {text for text, times in counted.items() if times > 1}
    marked = set(Message.objects.filter(possibly_delivered=True).values_list("text", flat=True))
    assert doubled <= marked
    assert set(Message.objects.filter(direction="out").values_list("send_state", flat=True)) == {SendState.SENT}

    in_order = defaultdict(list)
    for text in dict.fromkeys(sent_texts(telegram)):
        in_order[text.split(".")[0]].append(int(text.split(".")[1]))
    assert all(numbers == sorted(numbers) for numbers in in_order.values()), "a later answer overtook an earlier one"


@pytest.mark.parametrize(
    ("fault", "tries", "unknown"),
    [
        (Fault(FaultKind.THROTTLED, seconds=2), 2, False),
        (Fault(FaultKind.SERVER_ERROR), 2, False),
        (Fault(FaultKind.DROPPED_AFTER_ACCEPTING), 2, True),
    ],
)
def test_a_temporary_fault_is_tried_again_and_shown(telegram, fault, tries, unknown):
    operator, now = b.a_person(groups=[b.a_group()]), timezone.now()
    account = b.an_account(settings={"api_base": telegram.url}, bot_token=TOKEN)
    telegram.change_chat({"chat_id": 1})
    b.receive(account, b.telegram_update(1, chat_id=1), now=now)
    message = answering.answer(session_id=Session.objects.get().pk, text="Ответ", by=operator, now=now)
    telegram.faults.add(fault)
    sending.send(message.attempts.get().pk, now=now)
    later = timezone.now() + timedelta(minutes=10)
    type(account).objects.update(paused_until=None) if account else None
    sending.send(message.attempts.get(number=2).pk, now=later)
    message.refresh_from_db()
    assert (message.send_state, message.attempts.count(), message.possibly_delivered) == (SendState.SENT, tries, unknown)


def test_a_guest_who_blocked_us_is_not_tried_again_and_can_be_resent_later(telegram):
    operator, now = b.a_person(groups=[b.a_group()]), timezone.now()
    account = b.an_account(settings={"api_base": telegram.url}, bot_token=TOKEN)
    telegram.change_chat({"chat_id": 1})
    b.receive(account, b.telegram_update(1, chat_id=1), now=now)
    message = answering.answer(session_id=Session.objects.get().pk, text="Ответ", by=operator, now=now)
    telegram.faults.add(Fault(FaultKind.BLOCKED))
    assert sending.send(message.attempts.get().pk, now=now) == SendState.FAILED
    message.refresh_from_db()
    assert (message.send_state, message.attempts.count()) == (SendState.FAILED, 1)
    assert message.send_error
    again = answering.resend(message_id=message.pk, by=operator, now=now)
    assert sending.send(again.attempts.get(number=2).pk, now=timezone.now() + timedelta(seconds=1)) == SendState.SENT
    assert sent_texts(telegram) == ["Ответ"]
