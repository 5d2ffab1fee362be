"""The servers of VK, OK and MAX by themselves: a guest played from the control plane, deliveries, and the rules they check."""

import json

import httpx
import pytest

from tests.providers.frame import Frame, Journal, Provider, Reply, Request
from tests.providers.max import SECRET as MAX_SECRET
from tests.providers.max import TOKEN as MAX_TOKEN
from tests.providers.max import MaxServer
from tests.providers.ok import TOKEN as OK_TOKEN
from tests.providers.ok import OkServer, chat_of
from tests.providers.vk import GROUP, VERSION, VkServer
from tests.providers.vk import SECRET as VK_SECRET
from tests.providers.vk import TOKEN as VK_TOKEN

SERVERS = {"vk": VkServer, "ok": OkServer, "max": MaxServer}


class Product(Provider):
    """A webhook that gives the queued answers, then `ok`, and keeps what came."""

    name = "product"

    def __init__(self) -> None:
        super().__init__()
        self.answers: list[Reply] = []
        self.received = Journal()

    def handle(self, request: Request) -> Reply | None:
        if request.path != "/hook":
            return None
        self.received.add({"body": request.json(), "headers": request.headers, "query": request.query})
        return self.answers.pop(0) if self.answers else Reply(200, b"ok", "text/plain")


@pytest.fixture
def product():
    return Product()


@pytest.fixture(params=SERVERS)
def server(request):
    return SERVERS[request.param](pauses=(0.01, 0.01, 0.01))


@pytest.fixture
def frame(server, product):
    with Frame(server, product) as running:
        server.callback = f"{running.url}/hook?secret=s-1"
        yield running


@pytest.fixture
def control(frame, server):
    def post(command, **what):
        answer = httpx.post(f"{frame.url}/_control/{server.name}/{command}", json=what)
        assert answer.status_code == 200, answer.text
        return answer.json()["result"]

    return post


def test_a_guest_is_played_from_the_control_plane(server, product, control):
    (fate,) = control("guest", text="Добрый день", name="Борис Иванов", id=700801)
    (entry,) = product.received.after()
    assert fate["statuses"] == [200]
    assert "Добрый день" in json.dumps(entry["body"], ensure_ascii=False)
    assert "700801" in json.dumps(entry["body"])
    signs = {"vk": entry["body"].get("secret"), "max": entry["headers"].get("x-max-bot-api-secret"), "ok": entry["query"].get("secret")}
    assert signs[server.name] == {"vk": VK_SECRET, "max": MAX_SECRET, "ok": "s-1"}[server.name]


def test_a_refused_event_comes_again_until_it_is_taken(server, product, control):
    product.answers = [Reply(500), Reply(403)] + ([Reply(200, b"OK")] if server.name == "vk" else [])
    (fate,) = control("guest", text="x")
    assert fate["statuses"] == ([500, 403, 200, 200] if server.name == "vk" else [500, 403, 200])
    assert len({json.dumps(entry["body"], sort_keys=True) for entry in product.received.after()}) == 1


def test_everything_can_be_delivered_twice(product, control):
    control("guest", text="раз")
    control("guest", text="два")
    control("redeliver")
    assert len(product.received.after()) == 4


def test_a_wrong_word_to_the_control_plane_is_a_400(frame, server):
    assert httpx.post(f"{frame.url}/_control/{server.name}/guest", json={"photo": "not base64!"}).status_code == 400
    assert httpx.post(f"{frame.url}/_control/{server.name}/nonsense", json={}).status_code == 404


def test_nothing_leaves_the_machine(server, frame):
    server.callback = "https://example.org/hook"
    (event,) = server.guest_says("x")
    assert server.deliver(event)["statuses"] == []


def vk_send(frame, **changes):
    fields = {"access_token": VK_TOKEN, "v": VERSION, "peer_ids": 700800, "message": "x", "random_id": 5} | changes
    return httpx.post(
        f"{frame.url}/vk/method/messages.send", data={key: value for key, value in fields.items() if value is not None}
    ).json()


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"random_id": 0}, 100),
        ({"random_id": 2**31}, 100),
        ({"random_id": None}, 100),
        ({"message": "я" * 4097}, 100),
        ({"message": ""}, 100),
        ({"peer_ids": "1,2"}, 100),
        ({"attachment": "photo1"}, 100),
        ({"unheard_of": "1"}, 100),
        ({"v": None}, 8),
        ({"access_token": "wrong"}, 5),
    ],
)
def test_vk_knows_its_rules(changes, code):
    server = VkServer()
    server.guest_says("x")
    with Frame(server) as frame:
        assert vk_send(frame, **changes)["error"]["error_code"] == code
        assert bool(server.violations.after()) is (code != 5)
        assert server.accepted.after() == []


def test_vk_ignores_repeats_and_refuses_the_uninvited():
    server = VkServer()
    with Frame(server) as frame:
        assert vk_send(frame)["response"][0]["error"]["code"] == 901
        server.guest_says("x")
        assert vk_send(frame) == vk_send(frame)
        assert vk_send(frame, random_id=6) != vk_send(frame)
        assert httpx.get(f"{frame.url}/vk/method/users.get?access_token={VK_TOKEN}").json()["error"]["error_code"] == 5
    assert len(server.accepted.after()) == 2
    assert server.group_id == GROUP


MAX_BODIES = [
    {"text": "x"},
    {"text": "я" * 4001, "attachments": [], "link": None},
    {"text": "x", "attachments": [{"type": "file"}, {"type": "image"}], "link": None},
    {"text": "x", "attachments": [], "link": {"type": "answer", "mid": "m"}},
    {"text": None, "attachments": [], "link": None},
]


@pytest.mark.parametrize("body", MAX_BODIES)
def test_max_knows_its_rules(body):
    server = MaxServer()
    server.guest_says("x", id=808)
    with Frame(server) as frame:
        query = {"chat_id": str(900_000_808)}
        headers = {"Authorization": MAX_TOKEN}
        answer = httpx.post(f"{frame.url}/max/messages", params=query, headers=headers, json=body)
        assert (answer.status_code, answer.json()["code"]) == (400, "proto.payload")
        assert httpx.get(f"{frame.url}/max/me", params={"access_token": MAX_TOKEN}).status_code == 401
    assert server.accepted.after() == []


OK_MESSAGES = [
    {},
    {"text": ""},
    {"text": "x", "attachments": [{"type": "FILE", "payload": {"token": "t"}}] * 6},
    {"text": "x", "reply_to": "123"},
    {"text": "x", "attachments": [{"type": "HOLOGRAM", "payload": {}}]},
    {"text": "x", "attachments": [{"type": "FILE", "payload": {"token": "unknown"}}]},
]


@pytest.mark.parametrize("message", OK_MESSAGES)
def test_ok_knows_its_rules(message):
    server = OkServer()
    server.guest_says("x", id=600700)
    chat = chat_of(600700)
    with Frame(server) as frame:
        address = f"{frame.url}/ok/graph/me/messages/{chat}?access_token={OK_TOKEN}"
        body = {"recipient": {"chat_id": chat}, "message": message}
        answer = httpx.post(address, json=body, headers={"Content-Type": "application/json;charset=utf-8"})
        assert (answer.status_code, answer.json()["error_code"], answer.headers["invocation-error"]) == (200, 100, "100")
        assert httpx.post(address, json={**body, "message": {"text": "x"}}).json()["error_code"] == 100  # no charset
    assert server.accepted.after() == []
