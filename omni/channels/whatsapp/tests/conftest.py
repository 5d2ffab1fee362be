"""A Cloud API server on loopback and an account of its number."""

import itertools
import socket

import pytest

from omni.channels.contract import AccountConfig, Outgoing, OutgoingFile
from tests.providers.frame import Frame
from tests.providers.meta import APP_SECRET, VERIFY_TOKEN
from tests.providers.whatsapp import ACCESS_TOKEN, BUSINESS_ID, PHONE_NUMBER_ID, WhatsAppServer

GUEST = "79001112233"
ACCOUNTS = itertools.count()
SECRETS = {"access_token": ACCESS_TOKEN, "app_secret": APP_SECRET, "verify_token": VERIFY_TOKEN}


@pytest.fixture(scope="session")
def whatsapp_frame():
    with Frame(WhatsAppServer(pauses=(0.01, 0.01))) as running:
        yield running


@pytest.fixture
def server(whatsapp_frame):
    """The server with one guest, who has just written."""
    (found,) = whatsapp_frame.providers
    found.reset()
    found.callback, found.receipts, found.verify_token = "", (), VERIFY_TOKEN
    found.guest_says("здравствуйте", id=GUEST)
    found.events.clear()
    yield found
    found.reset()


@pytest.fixture
def account(whatsapp_frame, server):
    return account_of(whatsapp_frame)


@pytest.fixture
def dead_address():
    """An address nobody listens at."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"


def settings_of(frame, **changes):
    own = {"phone_number_id": PHONE_NUMBER_ID, "business_account_id": BUSINESS_ID}
    return {"api_base": f"{frame.url}/whatsapp", "read_timeout": 5, **own} | changes


def account_of(frame, *, settings=None, secrets=None) -> AccountConfig:
    return AccountConfig(f"whatsapp-{next(ACCOUNTS)}", "whatsapp", settings_of(frame, **(settings or {})), SECRETS | (secrets or {}))


def outgoing(text="", *files, **changes) -> Outgoing:
    return Outgoing(**{"key": "k1", "recipient": GUEST, "text": text, "files": files, **changes})


def photo(name="полка.png", size=200):
    return OutgoingFile(name, "image/png", b"\x89PNG\r\n\x1a\n" + b"\r\n--" * (size // 4))


def pdf(name="чек «1».pdf", data=b"%PDF-1.7 demo\r\n--x"):
    return OutgoingFile(name, "application/pdf", data)
