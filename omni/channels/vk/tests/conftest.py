"""A VK server on loopback and an account of its community."""

import itertools

import pytest

from omni.channels.contract import AccountConfig, Outgoing, OutgoingFile
from tests.providers.frame import Frame
from tests.providers.vk import GROUP, SECRET, TOKEN, VkServer

GUEST = 700800
ACCOUNTS = itertools.count()


@pytest.fixture(scope="session")
def vk_frame():
    with Frame(VkServer(pauses=(0.01, 0.01))) as running:
        yield running


@pytest.fixture
def server(vk_frame):
    """The server with one guest, who has written."""
    (found,) = vk_frame.providers
    found.reset()
    found.callback = ""
    found.secret = SECRET
    found.guest_says("здравствуйте", id=GUEST, name="Анна Демо")
    found.events.clear()
    yield found
    found.reset()


@pytest.fixture
def account(vk_frame, server):
    return account_of(vk_frame)


def settings_of(frame, **changes):
    return {"api_base": f"{frame.url}/vk", "group_id": str(GROUP), "read_timeout": 5} | changes


def account_of(frame, *, settings=None, secrets=None) -> AccountConfig:
    held = {"access_token": TOKEN, "secret": SECRET} | (secrets or {})
    return AccountConfig(f"vk-{next(ACCOUNTS)}", "vk", settings_of(frame, **(settings or {})), held)


def outgoing(text="", *files, **changes) -> Outgoing:
    return Outgoing(**{"key": "k1", "recipient": str(GUEST), "text": text, "files": files, **changes})


def photo(name="полка.png"):
    return OutgoingFile(name, "image/png", b"\x89PNG\r\n\x1a\n" + bytes(100))


def pdf(name="чек «1».pdf", data=b"%PDF-1.7 demo\r\n--x"):
    return OutgoingFile(name, "application/pdf", data)
