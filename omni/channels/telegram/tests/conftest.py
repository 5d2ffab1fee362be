"""A Bot API server on loopback and an account of its bot."""

import itertools
import socket
import struct

import pytest

from omni.channels.contract import AccountConfig, Outgoing, OutgoingFile
from tests.providers.frame import Frame
from tests.providers.telegram import TOKEN, TelegramServer

CHAT = 555000111
ACCOUNTS = itertools.count()


@pytest.fixture(scope="session")
def frame():
    with Frame(TelegramServer(pauses=(0.01, 0.01))) as running:
        yield running


@pytest.fixture
def server(frame):
    """The server with one guest, who has written."""
    (found,) = frame.providers
    found.webhook.url = ""
    found.guest_says(CHAT, "здравствуйте")
    found.webhook.forget()
    yield found
    found.reset()


@pytest.fixture
def dead_address():
    """An address nobody listens at."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"


@pytest.fixture
def account(frame, server):
    return account_of(frame)


def account_of(frame, **changes) -> AccountConfig:
    settings = {"api_base": frame.url, "read_timeout": 5} | changes.get("settings", {})
    secrets = {"bot_token": TOKEN, "webhook_secret": "hook-secret"} | changes.get("secrets", {})
    return AccountConfig(f"account-{next(ACCOUNTS)}", "telegram", settings, secrets)


def outgoing(text: str = "", *files: OutgoingFile, **changes) -> Outgoing:
    return Outgoing(**{"key": "k1", "recipient": str(CHAT), "text": text, "files": files, **changes})


def png(width: int = 40, height: int = 30, size: int = 200) -> bytes:
    """The head of a PNG picture with these dimensions, filled up to `size` bytes."""
    head = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + b"IHDR" + struct.pack(">II", width, height)
    return head + (b"\r\n--\x00" * size)[: max(size - len(head), 0)]


def photo(name: str = "полка.png", **changes) -> OutgoingFile:
    return OutgoingFile(name, "image/png", png(**changes))


def pdf(name: str = "чек «1».pdf", data: bytes = b"%PDF-1.7 demo") -> OutgoingFile:
    return OutgoingFile(name, "application/pdf", data)
