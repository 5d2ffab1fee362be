"""A review, its edit and the developer's answer through the database, with faults on both ways."""

import pytest

from omni.channels.appgallery.tests.test_appgallery import frame  # noqa: F401
from omni.models import Message, Session
from omni.states import SendState
from tests import builders as b
from tests import polled as p
from tests.providers.appgallery import APP, CLIENT_ID, CLIENT_SECRET
from tests.providers.faults import Fault, FaultKind

pytestmark = pytest.mark.django_db


@pytest.fixture
def server(frame):  # noqa: F811
    (found,) = frame.providers
    yield found
    found.reset()


@pytest.fixture
def account(frame, server):  # noqa: F811
    settings = {"api_base": frame.url, "read_timeout": 1, "app_id": APP}
    return p.an_account("appgallery", settings, client_id=CLIENT_ID, client_secret=CLIENT_SECRET)


def test_a_review_its_edit_and_two_answers(server, account):
    server.guest("Не могу войти", id="r1", stars=2, name="Анна")
    assert p.ask(account) == 1
    p.process()
    server.guest("Теперь вхожу", id="r1", stars=4)
    assert p.ask(account) == 1
    p.process()
    message = Message.objects.get()
    assert (message.text, message.versions.get().text) == ("★★★★☆ Теперь вхожу", "★★☆☆☆ Не могу войти")
    assert message.session.guest.name == "Анна"
    person = b.a_person()
    for text in ("Рады помочь", "Рады помочь!"):
        assert p.answer(Session.objects.get(), text, person).send_state == SendState.SENT
    assert [entry["text"] for entry in server.accepted.after()] == ["Рады помочь", "Рады помочь!"]
    assert p.ask(account) == 0


FAULTS = (FaultKind.THROTTLED, FaultKind.SERVER_ERROR, FaultKind.GARBAGE, FaultKind.DROPPED_AFTER_ACCEPTING)


def test_faults_on_both_ways_lose_and_double_nothing(server, account):
    person = b.a_person()
    for number in range(16):
        server.guest(f"Отзыв {number}", id=f"r{number}")
        server.faults.add(Fault(FAULTS[number % 4], seconds=0, method="reviews"))
        p.ask(account)
    while server.faults.waiting():
        p.ask(account)
    p.ask(account)
    p.process()
    assert sorted(Message.objects.values_list("text", flat=True)) == sorted(f"★★★★★ Отзыв {number}" for number in range(16))
    for number, session in enumerate(Session.objects.order_by("pk")):
        server.faults.add(Fault(FAULTS[number % 4], seconds=0, status=502 if number % 4 == 2 else 0, method="reply"))
        message = p.answer(session, f"Ответ {number}", person)
        assert (message.send_state, message.possibly_delivered) == (SendState.SENT, False)
    answers = {one["reply"] for one in server.reviews.values()}
    assert answers == {f"Ответ {number}" for number in range(16)}
