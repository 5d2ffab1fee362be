"""Guests of every channel in one form: what is said goes to the channel's own server, the answers come from its journal."""

import threading

import httpx
import pytest

from tests.providers.channels import SERVERS
from tests.providers.frame import Frame
from tests.providers.ozon import API_KEY, CLIENT_ID, OzonServer
from tests.providers.played import NOTICES, WAYS, PlayedGuests, statuses_of
from tests.providers.rss import RssServer
from tests.providers.vk import VkServer

GUEST = "500600700"


@pytest.fixture(scope="module")
def frame():
    servers = [OzonServer(), RssServer(), VkServer(pauses=())]
    with Frame(*servers, PlayedGuests(servers)) as frame:
        yield frame


@pytest.fixture
def phone(frame):
    with httpx.Client(base_url=f"{frame.url}/phone/", timeout=10) as client:
        for server in frame.providers:
            server.reset()
        yield client


def answered(frame, text, chat=GUEST):
    """The product writes to a buyer."""
    keys = {"Client-Id": CLIENT_ID, "Api-Key": API_KEY}
    assert httpx.post(f"{frame.url}/v1/chat/send/message", json={"chat_id": chat, "text": text}, headers=keys).status_code == 200


def say(phone, channel="ozon", **what):
    return phone.post("say", json={"channel": channel, "id": GUEST, "name": "Анна", **what})


def test_every_server_has_its_guests():
    assert WAYS.keys() == SERVERS.keys()
    assert [kind for kind, server in SERVERS.items() if server.make.name != kind] == []


def test_only_channels_whose_server_runs_are_offered(phone):
    offered = {channel["kind"]: channel for channel in phone.get("channels").json()}
    assert offered.keys() == {"ozon", "rss", "vk"}
    assert (offered["rss"]["answers"], offered["rss"]["stars"], offered["vk"]["document"]) == (False, True, True)


def test_both_sides_in_their_order_and_nobody_elses(frame, phone):
    assert say(phone, text="Где заказ?").json() == {"taken": True, "statuses": [], "seen": 0, "answers": True}
    answered(frame, "Едет")
    say(phone, text="Спасибо")
    say(phone, id="500600701", text="А мой?")
    answered(frame, "И ваш", chat="500600701")
    answered(frame, "Всего доброго")
    talk = phone.get("talk", params={"channel": "ozon", "id": GUEST}).json()
    assert [(message["own"], message["text"]) for message in talk["messages"]] == [
        (True, "Где заказ?"),
        (False, "Едет"),
        (True, "Спасибо"),
        (False, "Всего доброго"),
    ]
    assert talk["seen"] == 3


def test_an_answer_is_waited_for(frame, phone):
    say(phone, text="Где заказ?")
    threading.Timer(0.05, answered, (frame, "Едет")).start()
    talk = phone.get("talk", params={"channel": "ozon", "id": GUEST, "after": 0, "wait": 5}).json()
    assert talk["messages"][-1]["text"] == "Едет"


def test_a_picture_goes_under_the_name_the_server_knows(frame, phone):
    assert say(phone, text="Вот", photo="/9j/").json()["taken"]
    messages = phone.get("talk", params={"channel": "ozon", "id": GUEST}).json()["messages"]
    assert messages[0]["files"] == ["фото"]
    assert list(frame.providers[0].files.values()) == [b"\xff\xd8\xff"]


def test_what_the_product_does_not_take_is_told(phone):
    assert say(phone, "vk", text="Есть кто?").json() == {"taken": False, "statuses": [0], "seen": 0, "answers": True}


WRONG = {
    "unknown channel": {"channel": "pigeon", "text": "x"},
    "no picture there": {"channel": "rss", "text": "x", "photo": "/9j/"},
    "not base64": {"channel": "ozon", "text": "x", "photo": "%%%"},
    "no such field": {"channel": "vk", "text": "x", "id": "nobody"},
}


@pytest.mark.parametrize("what", WRONG.values(), ids=WRONG)
def test_what_cannot_be_said_is_told(phone, what):
    reply = phone.post("say", json={"id": GUEST, **what})
    assert reply.status_code == 400
    assert reply.json()["error"]


@pytest.mark.parametrize("query", [{"channel": "pigeon", "id": "1"}, {"channel": "vk", "id": "../x"}, {}], ids=str)
def test_no_such_talk(phone, query):
    assert phone.get("talk", params=query).status_code == 404


def test_nobody_writes_through_notices():
    notices = [kind for kind, way in WAYS.items() if way.group == NOTICES]
    with Frame(*[SERVERS[kind].built({}) for kind in notices]) as frame:
        frame.providers = (*frame.providers, PlayedGuests(frame.providers))
        for kind in notices:
            reply = httpx.post(f"{frame.url}/phone/say", json={"channel": kind, "id": GUEST, "text": "x"})
            assert reply.status_code == 400, kind


@pytest.mark.parametrize(
    ("result", "statuses"),
    [
        ([{"statuses": [0, 502, 200]}, {"statuses": []}], [200, 0]),
        ([200, 403], [200, 403]),
        ({"statuses": [200]}, [200]),
        ({"message_id": "7"}, []),
        ("key-1", []),
        (None, []),
    ],
    ids=str,
)
def test_the_last_word_of_each_delivery_counts(result, statuses):
    assert statuses_of(result) == statuses
