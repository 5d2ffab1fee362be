"""An Odnoklassniki server on loopback and an account of its group."""

import itertools

import pytest

from omni.channels.contract import AccountConfig, Outgoing, OutgoingFile
from tests.providers.frame import Frame
from tests.providers.ok import TOKEN, OkServer, chat_of

GUEST = 600700
CHAT = chat_of(GUEST)
SECRET = "demo-ok-secret"
ACCOUNTS = itertools.count()


@pytest.fixture(scope="session")
def ok_frame():
    with Frame(OkServer(pauses=(0.01, 0.01))) as running:
        yield running


@pytest.fixture
def server(ok_frame):
    """The server with one guest, who has written."""
    (found,) = ok_frame.providers
    found.reset()
    found.callback = ""
    found.guest_says("здравствуйте", id=GUEST, name="Анна Демо")
    found.events.clear()
    yield found
    found.reset()


@pytest.fixture
def account(ok_frame, server):
    return account_of(ok_frame)


def settings_of(frame, **changes):
    return {"api_base": f"{frame.url}/ok", "read_timeout": 5, "upload_pause": 0} | changes


def account_of(frame, *, settings=None, secrets=None) -> AccountConfig:
    held = {"access_token": TOKEN, "webhook_secret": SECRET} | (secrets or {})
    return AccountConfig(f"ok-{next(ACCOUNTS)}", "ok", settings_of(frame, **(settings or {})), held)


def outgoing(text="", *files, **changes) -> Outgoing:
    return Outgoing(**{"key": "k1", "recipient": CHAT, "text": text, "files": files, **changes})


def photo(name="полка.png"):
    return OutgoingFile(name, "image/png", b"\x89PNG\r\n\x1a\n" + bytes(100))


def pdf(name="чек «1».pdf", data=b"%PDF-1.7 demo\r\n--x"):
    return OutgoingFile(name, "application/pdf", data)
