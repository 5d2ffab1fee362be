"""The visitor's socket over the running server: what is missed comes, in order, once."""

import contextlib
import json
import uuid

import httpx
import pytest
from django.utils import timezone
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from core.embedded.waiting import wait_until
from omni.chat.consumers import changes
from omni.chat.tests import builders as c
from omni.models import ChatToken, Message, Session
from omni.services import answering, conversations, sending, typing
from omni.states import SendState
from tests import builders as b


class Guest:
    """A visitor over real HTTP and a real socket."""

    def __init__(self, product):
        self.product = product
        self.http = httpx.Client(base_url=f"{product.url}/chat/", timeout=20)
        begun = self.http.post("sessions", json={"site_key": "shop", "device_id": c.a_device()}).json()
        self.token = begun["session_token"]
        self.http.headers["Authorization"] = f"Bearer {self.token}"

    def write(self, text):
        return self.http.post("messages", json={"client_msg_id": str(uuid.uuid4()), "text": text}).json()["seq"]

    @contextlib.contextmanager
    def socket(self, last_seq=0, hello="hello", token=None):
        with connect(f"{self.product.ws_url}/chat/socket/", origin=self.product.url, open_timeout=20) as socket:
            socket.send(json.dumps({"type": hello, "token": token or self.token, "last_seq": last_seq}))
            yield Socket(socket)


class Socket:
    def __init__(self, wire):
        self.wire = wire

    def send(self, **frame):
        self.wire.send(json.dumps(frame))

    def next(self, kind):
        """The next frame of a kind; others before it are passed over."""
        for _number in range(100):
            frame = json.loads(self.wire.recv(timeout=15))
            if frame["type"] == kind:
                return frame
        raise AssertionError(f"no {kind}")

    def close_code(self):
        with pytest.raises(ConnectionClosed) as closed:
            for _number in range(100):
                self.wire.recv(timeout=15)
        return closed.value.rcvd.code


@pytest.fixture
def site(live_product):
    return c.a_site()


@pytest.fixture
def guest(live_product, site):
    found = Guest(live_product)
    yield found
    found.http.close()


@pytest.fixture
def operator(site):
    person = b.a_person(groups=[site.queue.group])
    b.go_on_line(person, now=timezone.now())
    return person


def answer(text, by):
    return answering.answer(session_id=Session.objects.get().pk, text=text, by=by, now=timezone.now())


def test_an_answer_is_pushed_and_counts_as_delivered_then_read(guest, operator):
    seq = guest.write("Вопрос")
    with guest.socket(last_seq=seq) as socket:
        assert socket.next("ready")["data"]["operator"] == "Анна"
        message = answer("Ответ", operator)
        frame = socket.next("message")
        assert (frame["seq"], frame["data"]["text"]) == (message.pk, "Ответ")
        sending.send(message.attempts.get().pk, now=timezone.now())
        assert wait_until(lambda: Message.objects.get(pk=message.pk).send_state == SendState.DELIVERED, seconds=10)
        socket.send(type="seen", seq=message.pk)
        assert wait_until(lambda: Message.objects.get(pk=message.pk).send_state == SendState.READ, seconds=10)


def test_what_was_missed_comes_at_the_return_in_order_and_once(guest, operator):
    seq = guest.write("Вопрос")
    with guest.socket(last_seq=seq) as socket:
        socket.next("ready")
    missed = [answer(f"Ответ {number}", operator).pk for number in range(60)]
    with guest.socket(last_seq=seq, hello="resume") as socket:
        got = [socket.next("message")["seq"] for _number in missed]
        assert got == missed
        socket.next("ready")
        later = answer("Новое", operator)
        assert socket.next("message")["seq"] == later.pk


def test_the_dialogues_way_is_told(guest, site):
    with guest.socket() as socket:
        assert socket.next("ready")["data"]["status"] == "none"
        seq = guest.write("Вопрос")
        assert socket.next("message")["data"]["from"] == "guest"
        assert socket.next("queue_position")["data"] == {"queue_position": 1}
        person = b.a_person(groups=[site.queue.group])
        session = conversations.take(session_id=Session.objects.get().pk, by=person, now=timezone.now())
        assert socket.next("operator_joined")["data"] == {"operator": "Анна"}
        conversations.mark_read(session_id=session.pk, up_to=seq, now=timezone.now())
        assert socket.next("seen")["data"] == {"seen_seq": seq}
        typing.operator_types(session_id=session.pk)
        assert socket.next("typing")["data"] == {"typing": True}
        conversations.close(session_id=session.pk, by=person, now=timezone.now())
        socket.next("session_closed")


def test_a_guests_typing_reaches_the_operators_group(guest, operator):
    from channels.layers import get_channel_layer

    from core.redis import client

    guest.write("Вопрос")
    session = Session.objects.get()
    listener = client().pubsub()
    listener.subscribe(f"asgi__group__guest.{session.guest_id}")
    listener.get_message(timeout=5)
    with guest.socket() as socket:
        socket.next("ready")
        socket.send(type="typing", data={"text_length": 12})
        found = listener.get_message(ignore_subscribe_messages=True, timeout=10)
    listener.close()
    told = get_channel_layer().deserialize(found["data"])
    assert told == {
        "type": "live.ephemeral",
        "data": {"kind": "guest_typing", "guest_id": session.guest_id, "session_id": session.pk, "text_length": 12},
    }


@pytest.mark.parametrize("token", ["oc_forged", "x" * 3000])
def test_a_forged_token_is_shown_the_door(guest, token):
    with guest.socket(token=token) as socket:
        assert socket.next("error")["data"] == {"code": "token"}
        assert socket.close_code() == 4401


@pytest.mark.parametrize("text", ["not json", "[]", '{"type": 5}', '{"type": "typing"}', '{"type": "hello", "data": 3}', "x" * 9000])
def test_a_stranger_who_does_not_say_hello_is_shown_the_door(guest, text):
    with connect(f"{guest.product.ws_url}/chat/socket/", origin=guest.product.url) as wire:
        wire.send(text)
        assert Socket(wire).close_code() == 4400


def test_signing_out_ends_an_open_socket(guest):
    with guest.socket() as socket:
        socket.next("ready")
        guest.http.post("forget", json={})
        assert socket.close_code() == 4401


def test_an_ended_token_is_noticed_with_the_next_wake(guest, operator):
    guest.write("Вопрос")
    with guest.socket() as socket:
        socket.next("ready")
        ChatToken.objects.update(expires_at=timezone.now())
        answer("Ответ", operator)
        assert socket.close_code() == 4401


def test_a_foreign_page_gets_no_socket(guest):
    with pytest.raises(InvalidStatus) as refused:
        connect(f"{guest.product.ws_url}/chat/socket/", origin="https://evil.example")
    assert refused.value.response.status_code == 403


def test_more_sockets_than_allowed_from_one_address_are_refused(guest, site):
    site.settings["limits"] = {"sockets_per_address": 1}
    site.save()
    codes = []
    for _number in range(3):
        with guest.socket() as socket:
            frame = json.loads(socket.wire.recv(timeout=15))
            codes.append(socket.close_code() if frame["type"] == "error" else "in")
    # A minute may end in between: then one more comes in.
    assert codes[0] == "in"
    assert 4429 in codes


STATE = {
    "status": "waiting", "operator": "", "queue_position": 2, "seen_seq": 0, "unread": 0, "working": True, "opens_at": None
}  # fmt: skip


@pytest.mark.parametrize(
    ("change", "frames"),
    [
        ({}, []),
        ({"queue_position": 1}, ["queue_position", "state"]),
        ({"queue_position": None, "status": "active", "operator": "Анна"}, ["operator_joined", "state"]),
        ({"seen_seq": 7}, ["seen", "state"]),
        ({"status": "closed", "queue_position": None}, ["session_closed", "state"]),
        ({"unread": 1}, ["state"]),
    ],
)
def test_changes_become_frames(change, frames):
    assert [kind for kind, _data in changes(STATE, {**STATE, **change})] == frames
    assert changes({}, STATE) == [("ready", STATE)]
