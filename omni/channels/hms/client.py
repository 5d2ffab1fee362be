"""Calls of Huawei's Push Kit v1 with a key by client credentials (RFC 6749, 4.4)."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import httpx

from omni.channels.asking import Answer, ask
from omni.channels.bearer import Bearer, Bearers
from omni.channels.contract import AccountConfig
from omni.channels.http import client_for, connection_of
from omni.channels.json_fields import JsonObject, identifier_at, number_at, text_at

BASE = "https://push-api.cloud.huawei.com"
TOKEN_ADDRESS = "https://oauth-login.cloud.huawei.com/oauth2/v3/token"  # noqa: S105 - an address
HOUR = 3600
KEY_REFUSED = frozenset({"80200001", "80200003"})
"""Wrong key, key that is over; told with HTTP 200 too."""


def app_of(account: AccountConfig) -> str:
    """The app's number; empty if it is none."""
    found = str(account.settings.get("app_id") or "").strip()
    return found if found.isascii() and found.isdecimal() else ""


def call(account: AccountConfig, body: Mapping[str, Any]) -> Answer:
    """messages:send of the app. Raises httpx.HTTPError, httpx.InvalidURL when the send itself was not answered."""
    client = client_for(account, connection_of(account, base=BASE))

    def once(token: str) -> Answer:
        headers = {"Authorization": f"Bearer {token}"}
        answer = ask(client, "POST", f"/v1/{app_of(account)}/messages:send", json=dict(body), headers=headers)
        return replace(answer, status=401) if code_of(answer) in KEY_REFUSED else answer

    return _bearers.with_token(account, once)


def code_of(answer: Answer) -> str:
    return identifier_at(answer.object, "code")


def told_in(answer: Answer) -> JsonObject:
    """The JSON that a partly successful answer carries as text in `msg`; empty if there is none."""
    try:
        found = json.loads(text_at(answer.object, "msg"))
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _key(account: AccountConfig) -> Bearer | Answer:
    """A key for an hour; a fault on the way to one is no fault of the send, which has not begun."""
    address = httpx.URL(str(account.settings.get("token_address") or TOKEN_ADDRESS))
    base = f"{address.scheme}://{address.netloc.decode()}"
    settings = AccountConfig(account.id, account.kind, {**account.settings, "api_base": base}, account.secrets)
    form = {"grant_type": "client_credentials", "client_id": app_of(account), "client_secret": account.secrets.get("app_secret", "")}
    try:
        client = client_for(settings, connection_of(settings, base=base), name="keys")
        answer = ask(client, "POST", address.raw_path.decode(), data=form)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return Answer(503, {"msg": f"no key: {type(error).__name__}"})
    token = text_at(answer.object, "access_token")
    if answer.accepted and token:
        return Bearer(token, number_at(answer.object, "expires_in") or HOUR)
    return replace(answer, status=401 if answer.status in (400, 403) else 502 if answer.accepted else answer.status)


_bearers = Bearers(_key)
