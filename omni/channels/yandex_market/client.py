"""Calls of the Yandex Market partner API (https://yandex.ru/dev/market/partner-api)."""

from dataclasses import replace
from typing import Any

import httpx

from omni.channels.asking import Answer, ask
from omni.channels.contract import AccountConfig
from omni.channels.http import client_for, connection_of

BASE = "https://api.partner.market.yandex.ru"


def keys_of(account: AccountConfig) -> dict[str, str]:
    """The header that opens the API."""
    return {"Api-Key": account.secrets.get("api_key", "")}


def business_of(account: AccountConfig) -> str:
    """The number of the business, empty if none is set."""
    number = str(account.settings.get("business_id") or "")
    return number if number.isascii() and number.isdecimal() else ""


def call(account: AccountConfig, method: str, path: str, **request: Any) -> Answer:
    """A call below the business's chats. Raises httpx.HTTPError, httpx.InvalidURL."""
    client: httpx.Client = client_for(account, connection_of(account, base=BASE, headers=keys_of(account)))
    answer = ask(client, method, f"/v2/businesses/{business_of(account)}/chats{path}", **request)
    # An answer may say that it is an error without saying so in HTTP.
    is_error = answer.accepted and answer.object.get("status") == "ERROR"
    return replace(answer, status=400) if is_error else answer
