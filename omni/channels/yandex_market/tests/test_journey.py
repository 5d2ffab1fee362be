"""A notification has the chat read at once; the buyer's word to an operator and the answer back; faults on both ways."""

import pytest
from django.test import Client
from django.utils import timezone

from omni.channels.yandex_market.tests.test_yandex_market import frame  # noqa: F401
from omni.models import Message, PollPosition, Session
from omni.services import polling
from omni.states import Direction, EventState, SendState
from tests import builders as b
from tests import polled as p
from tests.providers.faults import Fault, FaultKind
from tests.providers.yandex_market import API_KEY, BUSINESS, CHAT

pytestmark = pytest.mark.django_db


@pytest.fixture
def server(frame):  # noqa: F811
    (found,) = frame.providers
    yield found
    found.reset()


@pytest.fixture
def account(frame, server):  # noqa: F811
    settings = {"api_base": frame.url, "read_timeout": 1, "business_id": BUSINESS}
    return p.an_account("yandex_market", settings, api_key=API_KEY)


def post(account, body):
    return Client().post(f"/hooks/yandex_market/{account.public_id}/notification", body, content_type="application/json")


def test_a_notification_has_the_chat_read(server, account):
    p.ask(account)
    PollPosition.objects.update(read_at=None)  # long ago
    message = server.guest("Хлеб чёрствый")
    answer = post(account, server.notification("CHAT_CREATED", chatId=CHAT, messageId=message["messageId"]))
    assert set(answer.json()) == {"version", "name", "time"}
    now = timezone.now()
    assert polling.find_due(now=now) == [account.pk], "not in half a minute, but at once"
    assert polling.poll(account.pk, now=now) == 1
    p.process()
    assert Message.objects.get().text == "Хлеб чёрствый"
    assert set(account.events.values_list("state", flat=True)) == {EventState.IGNORED, EventState.PROCESSED}
    sent = p.answer(Session.objects.get(), "Приносим извинения", b.a_person())
    assert sent.send_state == SendState.SENT
    assert [entry["text"] for entry in server.accepted.after()] == ["Приносим извинения"]


def test_a_word_that_stood_there_when_our_answer_came_is_read_all_the_same(server, account):
    p.a_word_beside_our_answer(server, account, CHAT)


def test_a_notification_of_another_business_is_refused(server, account):
    body = server.notification("CHAT_CREATED", chatId=CHAT).replace(str(BUSINESS).encode(), b"1")
    assert post(account, body).status_code == 403


QUESTION_FAULTS = (FaultKind.THROTTLED, FaultKind.SERVER_ERROR, FaultKind.GARBAGE, FaultKind.DROPPED_AFTER_ACCEPTING)
SEND_FAULTS = (FaultKind.THROTTLED, FaultKind.SERVER_ERROR, FaultKind.LATE)


def test_faults_on_both_ways_lose_and_double_nothing(server, account):
    person = b.a_person()
    for number in range(24):
        server.guest(f"Вопрос {number}", id=1 + number % 6)
        if number % 3 == 0:
            method = ("list", "history")[number % 2]
            server.faults.add(Fault(QUESTION_FAULTS[number // 3 % 4], seconds=0, method=method))
            p.ask(account)
    while server.faults.waiting():
        server.guest("", id=99, sender="MARKET")  # something to read, so that each fault finds its question
        p.ask(account)
    p.ask(account)
    p.process()
    said = Message.objects.exclude(text="").values_list("text", flat=True)
    assert sorted(said) == sorted(f"Вопрос {number}" for number in range(24))
    for number, session in enumerate(Session.objects.order_by("pk")):
        server.faults.add(Fault(SEND_FAULTS[number % 3], seconds=0, method="message"))
        p.answer(session, f"Ответ {number}", person)
        p.answer(session, f"Второй ответ {number}", person)
    sent = [entry["text"] for entry in server.accepted.after()]
    assert sent == [text for number in range(6) for text in (f"Ответ {number}", f"Второй ответ {number}")]
    assert set(Message.objects.filter(direction=Direction.OUT).values_list("send_state", flat=True)) == {SendState.SENT}
