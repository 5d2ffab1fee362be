"""The guest's side of the Telegram server: deliveries to a webhook, and the rules it checks."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.providers.frame import Frame, Journal, Provider, Reply, Request
from tests.providers.telegram import TOKEN, TelegramServer

CHAT = 555000222
PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x28\x00\x00\x00\x1e"


class Product(Provider):
    """A webhook that answers with the queued statuses, then 200, and keeps what came."""

    name = "product"

    def __init__(self) -> None:
        super().__init__()
        self.statuses: list[int] = []
        self.received = Journal()
        self.lock = threading.Lock()

    def handle(self, request: Request) -> Reply | None:
        if request.path != "/hook":
            return None
        self.received.add({"update": request.json(), "headers": request.headers})
        with self.lock:
            return Reply(self.statuses.pop(0) if self.statuses else 200)


@pytest.fixture
def product():
    return Product()


@pytest.fixture
def server():
    return TelegramServer(pauses=(0.01, 0.01, 0.01))


@pytest.fixture
def frame(server, product):
    with Frame(server, product) as running:
        yield running


@pytest.fixture
def call(frame):
    """Call a method over the wire: its HTTP status and answer."""
    with httpx.Client(base_url=f"{frame.url}/bot{TOKEN}/") as client:

        def ask(method: str, **arguments):
            response = client.post(method, **arguments)
            return response.status_code, response.json()

        yield ask


@pytest.fixture
def hooked(frame, call):
    status, _ = call("setWebhook", json={"url": f"{frame.url}/hook", "secret_token": "s-1"})
    assert status == 200


def updates(product) -> list[dict]:
    return [entry["update"] for entry in product.received.after()]


def test_a_word_of_the_guest_reaches_the_webhook_with_its_secret(server, product, hooked):
    (delivery,) = server.guest_says(CHAT, "Добрый день", first_name="Борис")
    (entry,) = product.received.after()
    assert delivery.delivered
    assert entry["headers"]["x-telegram-bot-api-secret-token"] == "s-1"
    assert entry["headers"]["content-type"] == "application/json"
    assert entry["update"]["message"]["text"] == "Добрый день"
    assert entry["update"]["message"]["from"]["first_name"] == entry["update"]["message"]["chat"]["first_name"] == "Борис"


def test_numbers_of_updates_follow_each_other(server, product, hooked):
    with ThreadPoolExecutor(20) as pool:
        list(pool.map(lambda number: server.guest_says(CHAT + number, "раз"), range(50)))
    numbers = sorted(update["update_id"] for update in updates(product))
    assert numbers == list(range(numbers[0], numbers[0] + 50))
    assert len({update["message"]["message_id"] for update in updates(product)}) == 50


def test_an_album_is_several_updates_of_one_group(server, product, hooked):
    server.guest_says(CHAT, album=[PNG, PNG, PNG], caption="Полка")
    messages = [update["message"] for update in updates(product)]
    assert len({message["media_group_id"] for message in messages}) == 1
    assert [message.get("caption") for message in messages] == ["Полка", None, None]
    assert (messages[0]["photo"][-1]["width"], messages[0]["photo"][-1]["height"]) == (40, 30)


def test_an_edit_keeps_the_number_of_its_message(server, product, hooked):
    (first,) = server.guest_says(CHAT, "хлеба нет")
    number = first.update["message"]["message_id"]
    server.guest_says(CHAT, "хлеба нет второй день", edit=number)
    edited = updates(product)[1]["edited_message"]
    assert (edited["message_id"], edited["text"]) == (number, "хлеба нет второй день")
    assert edited["edit_date"] >= edited["date"]


def test_a_blocked_bot_cannot_write_until_it_is_let_in(server, product, hooked, call):
    server.guest_says(CHAT, "x")
    server.guest_says(CHAT, block=True)
    assert updates(product)[1]["my_chat_member"]["new_chat_member"]["status"] == "kicked"
    assert call("sendMessage", json={"chat_id": CHAT, "text": "y"})[0] == 403
    server.guest_says(CHAT, block=False)
    assert call("sendMessage", json={"chat_id": CHAT, "text": "y"})[0] == 200


def test_a_refused_update_comes_again_until_it_is_taken(server, product, hooked):
    product.statuses = [500, 403]
    (delivery,) = server.guest_says(CHAT, "x")
    assert (delivery.statuses, delivery.delivered) == ((500, 403, 200), True)
    assert len({update["update_id"] for update in updates(product)}) == 1


def test_what_was_never_taken_waits_and_is_seen(server, product, hooked, call):
    product.statuses = [500] * 4
    assert not server.guest_says(CHAT, "x")[0].delivered
    info = call("getWebhookInfo")[1]["result"]
    assert (info["pending_update_count"], info["last_error_message"]) == (1, "Wrong response from the webhook: 500")
    assert [delivery.delivered for delivery in server.webhook.redeliver()] == [True]
    assert call("getWebhookInfo")[1]["result"]["pending_update_count"] == 0


def test_kinds_that_were_not_asked_for_are_not_delivered(frame, server, product, call):
    call("setWebhook", json={"url": f"{frame.url}/hook", "allowed_updates": ["message"]})
    call("setWebhook", json={"url": f"{frame.url}/hook"})
    assert server.guest_says(CHAT, "x")[0].wanted
    assert not server.guest_says(CHAT, block=True)[0].wanted
    assert len(updates(product)) == 1


# Call -> status of the answer and the rule it breaks, empty if it is an ordinary refusal.
BROKEN = {
    "text too long": ("sendMessage", {"json": {"chat_id": CHAT, "text": "я" * 4097}}, 400, "4097 characters of text"),
    "text empty": ("sendMessage", {"json": {"chat_id": CHAT, "text": " "}}, 400, "empty text"),
    "text missing": ("sendMessage", {"json": {"chat_id": CHAT}}, 400, "text is missing"),
    "text is a number": ("sendMessage", {"json": {"chat_id": CHAT, "text": 5}}, 400, "text is int"),
    "flag as text": ("sendMessage", {"json": {"chat_id": CHAT, "text": "x", "protect_content": "true"}}, 200, "protect_content is text"),
    "unknown parameter": ("sendMessage", {"json": {"chat_id": CHAT, "text": "x", "txt": "y"}}, 200, "unknown parameter txt"),
    "unknown method": ("sendMesage", {"json": {}}, 404, "no method sendMesage"),
    "unknown chat": ("sendMessage", {"json": {"chat_id": 1, "text": "x"}}, 400, ""),
    "not JSON": ("sendMessage", {"content": b"{", "headers": {"content-type": "application/json"}}, 400, ""),
    "strange body": ("sendMessage", {"content": b"x", "headers": {"content-type": "text/plain"}}, 400, "body of the type text/plain"),
    "caption too long": ("sendPhoto", {"data": {"chat_id": CHAT, "caption": "я" * 1025}, "files": {"photo": PNG}}, 400, "1025 characters"),
    "photo by address": ("sendPhoto", {"json": {"chat_id": CHAT, "photo": "https://example.org/a.png"}}, 400, "without an uploaded file"),
    "photo too big": ("sendPhoto", {"data": {"chat_id": CHAT}, "files": {"photo": PNG + bytes(10 * 1024**2)}}, 413, "at most"),
    "group of one": (
        "sendMediaGroup",
        {"data": {"chat_id": CHAT, "media": json.dumps([{"type": "photo", "media": "attach://a"}])}, "files": {"a": PNG}},
        400,
        "1 items",
    ),
    "group of two kinds": (
        "sendMediaGroup",
        {
            "data": {"chat_id": CHAT, "media": json.dumps([{"type": kind, "media": "attach://a"} for kind in ("photo", "document")])},
            "files": {"a": PNG},
        },
        400,
        "2 items of ['document', 'photo']",
    ),
    "wrong action": ("sendChatAction", {"json": {"chat_id": CHAT, "action": "thinking"}}, 400, "thinking"),
    "unbalanced HTML": ("sendMessage", {"json": {"chat_id": CHAT, "text": "<b>x", "parse_mode": "HTML"}}, 400, ""),
    "balanced HTML": ("sendMessage", {"json": {"chat_id": CHAT, "text": "<b>x</b> &lt;", "parse_mode": "HTML"}}, 200, ""),
}


@pytest.mark.parametrize(("method", "arguments", "status", "rule"), BROKEN.values(), ids=BROKEN)
def test_rules(server, call, method, arguments, status, rule):
    server.guest_says(CHAT, "x")
    answered, body = call(method, **arguments)
    found = [entry["text"] for entry in server.violations.after()]
    assert (answered, body["ok"]) == (status, status == 200)
    assert (rule in found[0] and len(found) == 1) if rule else found == []


@pytest.mark.parametrize(
    ("url", "allowed"),
    [("https://otklik.example:8443/x", True), ("http://otklik.example/x", False), ("https://otklik.example:8000/x", False)],
)
def test_addresses_of_webhooks(call, url, allowed):
    assert call("setWebhook", json={"url": url})[1]["ok"] is allowed


def test_our_own_message_is_edited_and_deleted(server, call):
    server.guest_says(CHAT, "x")
    number = call("sendMessage", json={"chat_id": CHAT, "text": "раз"})[1]["result"]["message_id"]
    place = {"chat_id": CHAT, "message_id": number}
    assert call("editMessageText", json={**place, "text": "два"})[1]["result"]["text"] == "два"
    assert call("editMessageText", json={**place, "text": "два"})[1]["description"] == "Bad Request: message is not modified"
    assert call("deleteMessage", json=place)[1]["result"] is True
    assert call("deleteMessage", json=place)[0] == 400


@pytest.mark.parametrize(("token", "status"), [("700000001:other", 401), ("nonsense", 404)])
def test_tokens(frame, token, status):
    assert httpx.post(f"{frame.url}/bot{token}/getMe").status_code == status


def test_pace_of_the_bot(server, call):
    server.limits = True
    for number in range(31):
        server.guest_says(CHAT + number, "x")
    statuses = [call("sendMessage", json={"chat_id": CHAT + number, "text": "y"})[0] for number in range(31)]
    assert statuses[:30] == [200] * 30
    assert call("sendMessage", json={"chat_id": CHAT + 30, "text": "y"})[1]["parameters"] == {"retry_after": 1}
