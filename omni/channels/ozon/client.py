"""Calls of the Ozon Seller API (https://docs.ozon.ru/api/seller): all are POST with the cabinet's number and key."""

import httpx

from omni.channels.asking import Answer, ask
from omni.channels.contract import AccountConfig
from omni.channels.http import client_for, connection_of
from omni.channels.json_fields import JsonObject

BASE = "https://api-seller.ozon.ru"
NAMES = ("client_id", "api_key")


def keys_of(account: AccountConfig) -> dict[str, str]:
    """The headers that open the API."""
    return {"Client-Id": account.secrets.get("client_id", ""), "Api-Key": account.secrets.get("api_key", "")}


def client(account: AccountConfig) -> httpx.Client:
    """Raises httpx.UnsupportedProtocol, httpx.InvalidURL."""
    return client_for(account, connection_of(account, base=BASE, headers=keys_of(account)))


def call(account: AccountConfig, path: str, body: JsonObject) -> Answer:
    """Raises httpx.HTTPError, httpx.InvalidURL."""
    return ask(client(account), "POST", path, json=dict(body))
