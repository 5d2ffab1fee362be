"""Many at once over HTTP against the running server: equal posts are one message, first messages are one dialogue."""

import json
import urllib.request
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest

from customers.models import Guest
from omni.chat.tests import builders as c
from omni.models import InboundEvent, Message, Session

LIMITS = dict.fromkeys(("sessions_per_address", "messages_per_visitor", "messages_per_address"), 10000)


@pytest.fixture
def call(live_product):
    def call(path, body, token=""):
        headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
        request = urllib.request.Request(f"{live_product.url}/chat/{path}", json.dumps(body).encode(), headers)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, json.loads(answer.read())

    return call


@pytest.fixture
def token(call):
    c.a_site(limits=LIMITS)
    return call("sessions", {"site_key": "shop", "device_id": c.DEVICE})[1]["session_token"]


def in_parallel(call, token, bodies):
    with ThreadPoolExecutor(len(bodies)) as pool:
        return list(pool.map(lambda body: call("messages", body, token), bodies))


def test_a_hundred_equal_posts_are_one_message(call, token):
    body = {"client_msg_id": str(uuid.uuid4()), "text": "Одно и то же"}
    answers = in_parallel(call, token, [body] * 100)
    assert {status for status, _answer in answers} == {200}
    assert len({json.dumps(answer, sort_keys=True) for _status, answer in answers}) == 1
    assert (Message.objects.count(), InboundEvent.objects.count(), Session.objects.count()) == (1, 1, 1)


def test_fifty_first_messages_of_one_visitor_are_one_dialogue(call, token):
    bodies = [{"client_msg_id": str(uuid.uuid4()), "text": f"Сообщение {number}"} for number in range(50)]
    answers = in_parallel(call, token, bodies)
    assert {status for status, _answer in answers} == {200}
    assert len({answer["seq"] for _status, answer in answers}) == 50
    assert (Session.objects.count(), Guest.objects.count(), Message.objects.count()) == (1, 1, 50)
    assert sorted(Message.objects.values_list("seq", flat=True)) == list(range(1, 51))


def test_one_signed_identity_in_many_browsers_is_taken_once(call, token):
    proof = c.a_token()
    bodies = [{"site_key": "shop", "device_id": c.a_device(), "identity": proof} for _number in range(20)]

    def begin(body):
        try:
            return call("sessions", body)[0]
        except urllib.error.HTTPError as fault:
            return fault.code

    with ThreadPoolExecutor(20) as pool:
        assert sorted(pool.map(begin, bodies)) == [200] + [403] * 19
