"""The frame: control plane, pages, stopping, and the whole as a process."""

import base64
import subprocess
import sys
import threading
from pathlib import Path

import httpx
import pytest

from tests.providers.__main__ import built, parsed
from tests.providers.frame import Frame
from tests.providers.telegram import TOKEN, TelegramServer
from tests.providers.web import WebPages

CHAT = 555000333
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def running():
    telegram = TelegramServer(pauses=())
    with Frame(telegram, WebPages(telegram, "http://127.0.0.1:8123/x", 'k"1')) as frame:
        yield frame


@pytest.fixture
def control(running):
    """The control plane of the Telegram server, reset."""
    with httpx.Client(base_url=f"{running.url}/_control/telegram/", timeout=10) as client:
        assert client.post("reset").status_code == 200
        yield client


def say(control, **what):
    return control.post("guest", json={"chat_id": CHAT, **what}).json()["result"]


def send(running, text: str) -> httpx.Response:
    return httpx.post(f"{running.url}/bot{TOKEN}/sendMessage", json={"chat_id": CHAT, "text": text})


def test_a_guest_is_played_from_another_process(control, running):
    (delivery,) = say(control, text="привет", first_name="Вера")
    assert delivery["update"]["message"]["from"]["first_name"] == "Вера"
    (photo,) = say(control, photo=base64.b64encode(b"\xff\xd8\xff").decode(), caption="вот")
    file_id = photo["update"]["message"]["photo"][-1]["file_id"]
    assert httpx.get(f"{running.url}/phone/file", params={"id": file_id}).content == b"\xff\xd8\xff"
    send(running, "ответ")
    texts = [message.get("text") for message in httpx.get(f"{running.url}/phone/chat", params={"chat_id": CHAT}).json()["messages"]]
    assert texts == ["привет", None, "ответ"]


def test_accepted_messages_are_waited_for(control, running):
    say(control, text="x")
    threading.Timer(0.05, send, (running, "ответ")).start()
    (entry,) = control.get("accepted", params={"after": 0, "wait": 5}).json()
    assert (entry["n"], entry["text"], entry["method"]) == (1, "ответ", "sendMessage")
    assert control.get("accepted", params={"after": 1}).json() == []


def test_faults_and_violations_from_outside(control, running):
    say(control, text="x")
    control.post("faults", json={"kind": "throttled", "seconds": 17, "times": 2})
    assert len(control.get("faults").json()) == 2
    assert [send(running, "y").status_code for _ in range(3)] == [429, 429, 200]
    send(running, "")
    assert control.get("violations").json() == [{"n": 1, "text": "sendMessage: empty text"}]


WRONG = {
    "unknown fault": ("faults", {"kind": "earthquake"}, 400),
    "no kind": ("faults", {}, 400),
    "nothing said": ("guest", {"chat_id": CHAT}, 400),
    "not base64": ("guest", {"chat_id": CHAT, "photo": "%%%"}, 400),
    "unknown message": ("guest", {"chat_id": CHAT, "text": "x", "edit": 1}, 400),
    "no update": ("push", {}, 400),
    "array": ("push", [], 400),
    "unknown command": ("dance", {}, 404),
}


@pytest.mark.parametrize(("command", "body", "status"), WRONG.values(), ids=WRONG)
def test_a_wrong_command_is_told(control, command, body, status):
    response = control.post(command, json=body)
    assert response.status_code == status
    assert response.json()["error"]


@pytest.mark.parametrize(
    "path", ["/_control/post/accepted", "/_control/telegram/secrets", "/static/../web.py", "/static/phone.html", "/nope"]
)
def test_no_such_page(running, path):
    assert httpx.get(running.url + path).status_code == 404


def test_the_shop_lets_in_only_itself_and_the_product(running):
    response = httpx.get(f"{running.url}/shop/")
    policy = dict(part.split(" ", 1) for part in response.headers["content-security-policy"].split("; "))
    for name in ("script-src", "style-src", "frame-src"):
        assert policy[name] == "'self' http://127.0.0.1:8123"
    assert policy["default-src"] == "'none'"
    assert '<script async src="http://127.0.0.1:8123/widget/loader.js" data-site="k&quot;1"></script>' in response.text
    assert "style=" not in response.text


@pytest.mark.parametrize("path", ["/", "/static/phone.js", "/static/phone.css", "/static/shop.css"])
def test_pages_and_their_files(running, path):
    assert httpx.get(running.url + path).status_code == 200


def test_a_stop_frees_the_port_and_cuts_connections():
    frame = Frame(TelegramServer())
    frame.start()
    with httpx.Client(base_url=frame.url) as client:
        assert client.get("/_control/telegram/faults").status_code == 200
        frame.stop()
        with pytest.raises(httpx.TransportError):
            client.get("/_control/telegram/faults")


@pytest.mark.parametrize(
    "arguments",
    [["--product", "nonsense"], ["--telegram-webhook", "http://otklik.example/"], ["--port", "99999"]],
    ids=lambda value: value[0],
)
def test_a_wrong_option_is_one_sentence(arguments):
    with pytest.raises(SystemExit, match="Wrong option"):
        built(parsed(arguments))


def test_a_port_in_use_is_one_sentence(running):
    with pytest.raises(SystemExit, match="cannot be used"):
        built(parsed(["--port", running.url.rpartition(":")[2]]))


def test_as_a_process():
    command = [sys.executable, "-m", "tests.providers", "--port", "0", "--site-key", "shop-1"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            address = process.stdout.readline().split("ready at ")[1].split("/ ")[0]
            assert 'data-site="shop-1"' in httpx.get(f"{address}/shop/").text
        finally:
            process.terminate()
        assert process.wait(10) == 0
