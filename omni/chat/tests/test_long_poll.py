"""Reading by a request that waits, over the running server."""

import threading
import time
import uuid

import httpx
import pytest
from django.utils import timezone

from core.embedded.waiting import wait_until
from core.redis import client
from omni.chat import long_poll
from omni.chat.tests import builders as c
from omni.models import ChatToken, Session
from omni.services import answering, sending, typing, webchat
from tests import builders as b


class App:
    def __init__(self, product):
        self.http = httpx.Client(base_url=f"{product.url}/chat/", timeout=40)
        begun = self.http.post("sessions", json={"site_key": "app", "device_id": c.a_device()}).json()
        self.http.headers["Authorization"] = f"Bearer {begun['session_token']}"

    def write(self, text):
        return self.http.post("messages", json={"client_msg_id": str(uuid.uuid4()), "text": text}).json()["seq"]

    def read(self, after, wait):
        return self.http.get("messages", params={"after": after, "wait": wait})


class Waiting:
    """A read that waits, in a thread of its own."""

    def __init__(self, app, after, wait=20):
        self.answer = None
        self.thread = threading.Thread(target=self._read, args=(app, after, wait))
        self.thread.start()

    def _read(self, app, after, wait):
        begun = time.monotonic()
        self.answer = app.read(after, wait)
        self.seconds = time.monotonic() - begun

    def result(self):
        self.thread.join(35)
        assert self.answer is not None, "no answer"
        return self.answer.json()


@pytest.fixture
def app(live_product):
    b.an_account("mobile", settings={"site_key": "app"}, identity_key="demo-widget-secret")
    found = App(live_product)
    yield found
    found.http.close()


@pytest.fixture
def operator(app):
    person = b.a_person(groups=[b.a_group()])
    b.go_on_line(person, now=timezone.now())
    return person


def joined():
    """Until a waiting request has taken its place among those who are woken."""
    token = ChatToken.objects.select_related("account").get()
    group = f"asgi__group__{webchat.group_of(token.account.public_id, token.visitor)}"
    assert wait_until(lambda: client().pubsub_numsub(group)[0][1] > 0, seconds=20)


def test_an_answer_ends_the_waiting(app, operator):
    seq = app.write("Вопрос")
    waiting = Waiting(app, seq)
    joined()
    message = answering.answer(session_id=Session.objects.get().pk, text="Ответ", by=operator, now=timezone.now())
    sending.send(message.attempts.get().pk, now=timezone.now())
    page = waiting.result()
    while not page["messages"]:  # a change of the dialogue's state ends the waiting too: an app asks again
        page = app.read(seq, 20).json()
    assert [found["text"] for found in page["messages"]] == ["Ответ"]
    assert waiting.seconds < 15


def test_what_is_there_already_comes_at_once(app):
    app.write("Вопрос")
    begun = time.monotonic()
    assert [found["text"] for found in app.read(0, 20).json()["messages"]] == ["Вопрос"]
    assert time.monotonic() - begun < 10


def test_nothing_new_is_said_when_the_time_is_over(app):
    seq = app.write("Вопрос")
    begun = time.monotonic()
    page = app.read(seq, 1).json()
    assert (page["messages"], page["state"]["status"]) == ([], "waiting")
    assert time.monotonic() - begun >= 1


def test_somebody_typing_is_no_news(app, operator):
    seq = app.write("Вопрос")
    waiting = Waiting(app, seq, wait=2)
    joined()
    typing.operator_types(session_id=Session.objects.get().pk)
    assert waiting.result()["messages"] == []
    assert waiting.seconds >= 1.9


def test_without_a_token_nobody_waits(app):
    del app.http.headers["Authorization"]
    begun = time.monotonic()
    assert app.read(0, 20).status_code == 401
    assert time.monotonic() - begun < 10


def test_a_client_that_leaves_costs_nothing(app, live_product):
    seq = app.write("Вопрос")
    with pytest.raises(httpx.ReadTimeout):
        app.http.get("messages", params={"after": seq, "wait": 20}, timeout=0.5)
    assert app.read(seq, 0).status_code == 200


def test_many_wait_while_pages_are_answered(app, settings):
    """More than the server has threads for pages."""
    seq = app.write("Вопрос")
    waiting = [Waiting(app, seq, wait=4) for _number in range(settings.WEB_THREADS + 4)]
    joined()
    begun = time.monotonic()
    assert app.read(seq, 0).status_code == 200
    assert time.monotonic() - begun < 3
    for one in waiting:
        one.result()


@pytest.mark.parametrize(
    ("path", "query", "asked"),
    [
        ("/chat/messages", b"after=5&wait=20", (5, 20.0)),
        ("/chat/messages", b"wait=900", (0, 25.0)),
        ("/chat/messages", b"after=5", (0, 0.0)),
        ("/chat/messages", b"after=x&wait=5", (0, 0.0)),
        ("/chat/messages", b"after=5&wait=-1", (0, 0.0)),
        ("/chat/messages", b"after=5&wait=1e9", (0, 0.0)),
        ("/chat/messages", b"\xff=1&wait=5", (0, 5.0)),
        ("/chat/uploads", b"wait=5", (0, 0.0)),
    ],
)
def test_what_waits(path, query, asked):
    scope = {"type": "http", "method": "GET", "path": path, "query_string": query}
    assert long_poll.waiting_asked(scope) == asked
    assert long_poll.waiting_asked({**scope, "method": "POST"}) == (0, 0.0)
