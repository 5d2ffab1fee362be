"""A review, its edit, the response and its publication through the database, with faults on both ways."""

import pytest

from omni.channels.app_store.tests.test_app_store import frame  # noqa: F401
from omni.models import Message, Session
from omni.states import SendState
from tests import builders as b
from tests import polled as p
from tests.providers.app_store import APP, ISSUER, KEY
from tests.providers.faults import Fault, FaultKind

pytestmark = pytest.mark.django_db


@pytest.fixture
def server(frame):  # noqa: F811
    (found,) = frame.providers
    yield found
    found.reset()


@pytest.fixture
def account(frame, server):  # noqa: F811
    settings = {"api_base": frame.url, "read_timeout": 1, "app_id": APP, "issuer_id": ISSUER, "key_id": KEY}
    return p.an_account("app_store", settings, private_key=server.private_key)


def test_a_review_its_edit_the_response_and_its_publication(server, account):
    server.guest("Не могу войти", id="r1", stars=2, name="Анна")
    assert p.ask(account) == 1
    p.process()
    for text in ("Теперь вхожу", "Не могу войти", "Всё хорошо"):  # back to an earlier version, too
        server.guest(text, id="r1", stars=2, name="Анна")
        assert p.ask(account) == 1
        p.process()
    message = Message.objects.get()
    assert (message.text, message.versions.count()) == ("★★☆☆☆ Всё хорошо", 3)
    answer = p.answer(Session.objects.get(), "Рады помочь", b.a_person())
    assert answer.send_state == SendState.SENT
    server.publish()
    assert p.ask(account) == 1
    p.process()
    answer.refresh_from_db()
    assert answer.send_state == SendState.DELIVERED


FAULTS = (FaultKind.THROTTLED, FaultKind.SERVER_ERROR, FaultKind.GARBAGE, FaultKind.DROPPED_AFTER_ACCEPTING)


def test_faults_on_both_ways_lose_and_double_nothing(server, account):
    person = b.a_person()
    p.ask(account)
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
        server.faults.add(Fault(FAULTS[number % 4], seconds=0, status=502 if number % 4 == 2 else 0, method="response"))
        message = p.answer(session, f"Ответ {number}", person)
        assert (message.send_state, message.possibly_delivered) == (SendState.SENT, False)
    assert {one["attributes"]["responseBody"] for one in server.responses.values()} == {f"Ответ {number}" for number in range(16)}
