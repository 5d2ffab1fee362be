"""A MAX server on loopback and an account of its bot."""

import itertools

import pytest

from omni.channels.contract import AccountConfig, Outgoing, OutgoingFile
from tests.providers.frame import Frame
from tests.providers.max import DIALOGUES, SECRET, TOKEN, MaxServer

GUEST = 808
CHAT = str(DIALOGUES + GUEST)
ACCOUNTS = itertools.count()


@pytest.fixture(scope="session")
def max_frame():
    with Frame(MaxServer(pauses=(0.01, 0.01))) as running:
        yield running


@pytest.fixture
def server(max_frame):
    """The server with one guest, who has written."""
    (found,) = max_frame.providers
    found.reset()
    found.callback, found.secret = "", SECRET
    found.guest_says("здравствуйте", id=GUEST, name="Анна Демо")
    found.events.clear()
    yield found
    found.reset()


@pytest.fixture
def account(max_frame, server):
    return account_of(max_frame)


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch):
    """The vendor's seconds of patience, shortened."""
    monkeypatch.setattr("omni.channels.max.sending.READY_PAUSES", (0.0, 0.0, 0.0))


def settings_of(frame, **changes):
    return {"api_base": f"{frame.url}/max", "read_timeout": 5} | changes


def account_of(frame, *, settings=None, secrets=None) -> AccountConfig:
    held = {"bot_token": TOKEN, "webhook_secret": SECRET} | (secrets or {})
    return AccountConfig(f"max-{next(ACCOUNTS)}", "max", settings_of(frame, **(settings or {})), held)


def outgoing(text="", *files, **changes) -> Outgoing:
    return Outgoing(**{"key": "k1", "recipient": CHAT, "text": text, "files": files, **changes})


def photo(name="полка.png"):
    return OutgoingFile(name, "image/png", b"\x89PNG\r\n\x1a\n" + bytes(100))


def pdf(name="чек «1».pdf", data=b"%PDF-1.7 demo\r\n--x"):
    return OutgoingFile(name, "application/pdf", data)
