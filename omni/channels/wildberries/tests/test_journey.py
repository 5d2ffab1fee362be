"""A buyer's word through the database to an operator and the answer back, with faults on both ways."""

import pytest

from omni.channels.contract import Failed, Outgoing
from omni.channels.wildberries.adapter import WildberriesAdapter
from omni.channels.wildberries.tests.test_wildberries import frame  # noqa: F401
from omni.models import InboundEvent, Message, Session
from omni.states import Direction, SendState
from tests import builders as b
from tests import polled as p
from tests.providers.faults import Fault, FaultKind
from tests.providers.wildberries import TOKEN

pytestmark = pytest.mark.django_db


@pytest.fixture
def server(frame):  # noqa: F811
    (found,) = frame.providers
    yield found
    found.reset()


@pytest.fixture
def account(frame, server):  # noqa: F811
    settings = {"api_base": frame.url, "feedbacks_base": frame.url, "read_timeout": 1, "reviews": True, "questions": True}
    return p.an_account("wildberries", settings, token=TOKEN)


def test_a_question_and_its_answer(server, account):
    server.guest("Сыр пришёл открытым", id="1:a", name="Анна")
    assert p.ask(account) == 1
    p.process()
    session = Session.objects.get()
    assert session.guest.name == "Анна"
    message = p.answer(session, "Приносим извинения", b.a_person())
    assert message.send_state == SendState.SENT
    assert [entry["text"] for entry in server.accepted.after()] == ["Приносим извинения"]
    assert p.ask(account) == 1, "our own words come back and are not shown twice"
    p.process()
    assert Message.objects.count() == 2


def test_a_review_its_edit_and_the_answer(server, account):
    server.guest("Вкусно", id="r1", stars=5)
    p.ask(account)
    p.process()
    server.guest("Невкусно", id="r1", stars=1)
    p.ask(account)
    p.process()
    message = Message.objects.get()
    assert message.text.startswith("★☆☆☆☆")
    assert message.versions.count() == 1
    assert p.answer(message.session, "Жаль", b.a_person()).send_state == SendState.SENT


def test_a_question_about_goods_and_its_answer(server, account):
    server.guest("Сколько хранится после вскрытия?", id="q1", question=True)
    server.guest("Вкусно", id="r1", stars=5)
    assert p.ask(account) == 2
    p.process()
    message = Message.objects.get(external_id="question:q1")
    assert message.text == "[вопрос о товаре] Сыр полутвёрдый, 200 г, артикул 77001234\nСколько хранится после вскрытия?"
    assert p.answer(message.session, "Пять суток в холодильнике", b.a_person()).send_state == SendState.SENT
    assert [(entry["method"], entry["question"]) for entry in server.accepted.after()] == [("question", "q1")]
    assert server.questions[0]["answer"]["text"] == "Пять суток в холодильнике"
    assert p.ask(account) == 0
    assert server.violations.after() == []


def test_many_questions_come_page_by_page_and_only_once(server, account, monkeypatch):
    monkeypatch.setattr("omni.channels.wildberries.polling.TAKE", 3)
    for number in range(8):
        server.guest(f"Вопрос {number}", id=f"q{number}", question=True)
    assert p.ask(account) == 8
    assert p.ask(account) == 0
    p.process()
    assert Message.objects.count() == 8


QUESTION_FAULTS = (FaultKind.THROTTLED, FaultKind.SERVER_ERROR, FaultKind.GARBAGE, FaultKind.DROPPED_AFTER_ACCEPTING)
SEND_FAULTS = (FaultKind.THROTTLED, FaultKind.SERVER_ERROR, FaultKind.LATE)


def test_faults_on_both_ways_lose_and_double_nothing(server, account):
    """What may be repeated is: the provider has no key for a send, so a drop after accepting is the one fault left out here."""
    person = b.a_person()
    for number in range(24):
        server.guest(f"Вопрос {number}", id=f"1:{number % 6}")
        if number % 3 == 0:
            server.faults.add(Fault(QUESTION_FAULTS[number // 3 % 4], seconds=0, method="events"))
            p.ask(account)
    while server.faults.waiting():
        p.ask(account)
    p.ask(account)
    p.process()
    assert sorted(Message.objects.values_list("text", flat=True)) == sorted(f"Вопрос {number}" for number in range(24))
    assert InboundEvent.objects.count() == 24
    for number, session in enumerate(Session.objects.order_by("pk")):
        server.faults.add(Fault(SEND_FAULTS[number % 3], seconds=0, method="message"))
        p.answer(session, f"Ответ {number}", person)
        p.answer(session, f"Второй ответ {number}", person)
    sent = [entry["text"] for entry in server.accepted.after()]
    assert sent == [text for number in range(6) for text in (f"Ответ {number}", f"Второй ответ {number}")]
    assert set(Message.objects.filter(direction=Direction.OUT).values_list("send_state", flat=True)) == {SendState.SENT}


def test_a_drop_after_accepting_is_shown_as_possibly_delivered(server, account):
    server.guest("Вопрос", id="1:a")
    p.ask(account)
    p.process()
    server.faults.add(Fault(FaultKind.DROPPED_AFTER_ACCEPTING, method="message"))
    message = p.answer(Session.objects.get(), "Ответ", b.a_person())
    assert (message.send_state, message.possibly_delivered) == (SendState.SENT, True)


def test_a_refusal_that_looks_like_a_success_is_one(server, account):
    """Status 200 with `error` true: nothing was published."""
    server.guest("Сколько хранится?", id="q1", question=True)
    server.questions[0]["isWarned"] = True
    config = account.config()
    result = WildberriesAdapter().send(Outgoing(key="k1", recipient="question:q1", text="Пять суток"), config)
    assert result == Failed("http_400", "The question is hidden")
    assert server.accepted.after() == []
