"""Reviews of a feed through the database, with faults; an answer fails and says why."""

import pytest

from core.refusal import Refusal
from omni.channels.rss.tests.test_rss import frame  # noqa: F401
from omni.models import Message, Session
from tests import builders as b
from tests import polled as p
from tests.providers.faults import Fault, FaultKind

pytestmark = pytest.mark.django_db
FAULTS = (FaultKind.THROTTLED, FaultKind.SERVER_ERROR, FaultKind.GARBAGE, FaultKind.DROPPED_AFTER_ACCEPTING)


@pytest.fixture
def server(frame):  # noqa: F811
    (found,) = frame.providers
    yield found
    found.reset()


@pytest.fixture
def account(frame, server):  # noqa: F811
    settings = {"feed": f"{frame.url}/feeds/reviews.xml", "inner_host": frame.url, "read_timeout": 1}
    return p.an_account("rss", settings)


def test_faults_lose_and_double_nothing(server, account):
    for number in range(24):
        server.guest(f"Отзыв {number}", id=f"e{number}", name=f"Гость {number}")
        server.faults.add(Fault(FAULTS[number % 4], seconds=0))
        p.ask(account)
    p.ask(account)
    server.guest("Исправлено", id="e5")
    p.ask(account)
    p.process()
    found = dict(Message.objects.values_list("external_id", "text"))
    expected = {f"e{number}": f"★★★★★ Отзыв {number}\nhttps://reviews.example/e{number}" for number in range(24)}
    assert found == {**expected, "e5": "★★★★★ Исправлено\nhttps://reviews.example/e5"}


def test_an_answer_is_refused_at_once(server, account):
    server.guest("Отзыв")
    p.ask(account)
    p.process()
    with pytest.raises(Refusal) as refused:
        p.answer(Session.objects.get(), "Спасибо", b.a_person())
    assert refused.value.code == "unanswerable"
