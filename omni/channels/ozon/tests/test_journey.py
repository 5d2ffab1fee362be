"""A buyer's word by notification and by question, once each; the answer, its reading; faults on both ways."""

import pytest
from django.test import Client

from omni.channels.ozon.tests.test_ozon import frame  # noqa: F401
from omni.models import InboundEvent, Message, Session
from omni.states import Direction, SendState
from tests import builders as b
from tests import polled as p
from tests.providers.faults import Fault, FaultKind
from tests.providers.ozon import API_KEY, CHAT, CLIENT_ID

pytestmark = pytest.mark.django_db
KEY = "push-secret"


@pytest.fixture
def server(frame):  # noqa: F811
    (found,) = frame.providers
    yield found
    found.reset()


@pytest.fixture
def account(frame, server):  # noqa: F811
    settings = {"api_base": frame.url, "read_timeout": 1}
    return p.an_account("ozon", settings, client_id=CLIENT_ID, api_key=API_KEY, push_key=KEY)


def post(account, body, key=KEY):
    return Client().post(f"/hooks/ozon/{account.public_id}/?key={key}", body, content_type="application/json")


def pushed(server, message, kind="TYPE_NEW_MESSAGE", chat=CHAT, **fields):
    return server.body(kind, {"chat_id": chat, "chat_type": "Buyer_Seller", "seller_id": CLIENT_ID, **message, **fields})


def test_a_message_comes_by_notification_and_by_question_but_once(server, account):
    message = server.guest("Молоко прокисло", name="Анна")
    body = pushed(server, message)
    assert [post(account, body).json() for _ in range(2)] == [{"result": True}] * 2
    assert p.ask(account) == 1
    p.process()
    assert Message.objects.get().text == "Молоко прокисло"
    assert InboundEvent.objects.count() == 2
    assert KEY not in repr(list(InboundEvent.objects.values()))


def test_a_word_that_stood_there_when_our_answer_came_is_read_all_the_same(server, account):
    p.a_word_beside_our_answer(server, account, CHAT)


def test_a_forged_notification_is_refused(server, account):
    assert post(account, pushed(server, server.guest("Ложь")), key="guessed").status_code == 403
    assert InboundEvent.objects.count() == 0


def test_an_edit_and_a_read_mark(server, account):
    message = server.guest("Молоко")
    post(account, pushed(server, message))
    p.process()
    edited = {**message, "data": ["Молоко и творог"], "updated_at": "2030-03-03T08:06:05Z"}
    post(account, pushed(server, edited, "TYPE_UPDATE_MESSAGE"))
    p.process()
    assert Message.objects.get().text == "Молоко и творог"
    answer = p.answer(Session.objects.get(), "Приносим извинения", b.a_person())
    assert answer.send_state == SendState.SENT
    assert [entry["text"] for entry in server.accepted.after()] == ["Приносим извинения"]


QUESTION_FAULTS = (FaultKind.THROTTLED, FaultKind.SERVER_ERROR, FaultKind.GARBAGE, FaultKind.DROPPED_AFTER_ACCEPTING)
SEND_FAULTS = (FaultKind.THROTTLED, FaultKind.SERVER_ERROR, FaultKind.LATE, FaultKind.GARBAGE)


def test_faults_on_both_ways_lose_and_double_nothing(server, account):
    """Notifications doubled and in the wrong order between questions that fail."""
    bodies, person = [], b.a_person()
    for number in range(24):
        message = server.guest(f"Вопрос {number}", id=f"c-{number % 6}")
        if number % 2:
            bodies.append(pushed(server, message, chat=f"c-{number % 6}"))
        if number % 3 == 0:
            method = ("list", "history")[number % 2]
            server.faults.add(Fault(QUESTION_FAULTS[number // 3 % 4], seconds=0, method=method))
            p.ask(account)
    for body in [*reversed(bodies), *bodies]:
        assert post(account, body).status_code == 200
    while server.faults.waiting():
        p.ask(account)
    p.ask(account)
    p.process()
    assert sorted(Message.objects.values_list("text", flat=True)) == sorted(f"Вопрос {number}" for number in range(24))
    for number, session in enumerate(Session.objects.order_by("pk")):
        kind = SEND_FAULTS[number % 4]
        server.faults.add(Fault(kind, seconds=0, status=502 if kind is FaultKind.GARBAGE else 0, method="message"))
        p.answer(session, f"Ответ {number}", person)
        p.answer(session, f"Второй ответ {number}", person)
    sent = [entry["text"] for entry in server.accepted.after()]
    assert sent == [text for number in range(6) for text in (f"Ответ {number}", f"Второй ответ {number}")]
    assert set(Message.objects.filter(direction=Direction.OUT).values_list("send_state", flat=True)) == {SendState.SENT}
    assert p.ask(account) == 0
