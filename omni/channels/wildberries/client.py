"""The two hosts of Wildberries and the key that opens them."""

import httpx

from omni.channels.asking import Answer, ask
from omni.channels.contract import AccountConfig
from omni.channels.http import client_for, connection_of

CHATS = "https://buyer-chat-api.wildberries.ru"
FEEDBACKS = "https://feedbacks-api.wildberries.ru"
PAUSE_HEADER = "x-ratelimit-retry"


def chats(account: AccountConfig) -> httpx.Client:
    """Raises httpx.UnsupportedProtocol, httpx.InvalidURL."""
    return client_for(account, connection_of(account, base=CHATS, headers=keys_of(account)), name="chats")


def feedbacks(account: AccountConfig) -> httpx.Client:
    """Raises httpx.UnsupportedProtocol, httpx.InvalidURL."""
    address = str(account.settings.get("feedbacks_base") or FEEDBACKS)
    settings = {**account.settings, "api_base": address}
    asked = AccountConfig(account.id, account.kind, settings, account.secrets)
    return client_for(account, connection_of(asked, base=FEEDBACKS, headers=keys_of(account)), name="feedbacks")


def call(client: httpx.Client, method: str, path: str, **request: object) -> Answer:
    """Raises httpx.HTTPError, httpx.InvalidURL."""
    return ask(client, method, path, pause_header=PAUSE_HEADER, **request)


def keys_of(account: AccountConfig) -> dict[str, str]:
    """The header that opens both hosts."""
    return {"Authorization": account.secrets.get("token", "")}
