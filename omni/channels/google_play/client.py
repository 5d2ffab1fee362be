"""Calls of the Google Play Developer API with a service account's key (RFC 7523, https://developers.google.com/identity/protocols/oauth2)."""

import json
import time
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import httpx
import jwt

from omni.channels.asking import Answer, ask
from omni.channels.bearer import Bearer, Bearers
from omni.channels.contract import AccountConfig
from omni.channels.http import client_for, connection_of
from omni.channels.json_fields import number_at, text_at

BASE = "https://androidpublisher.googleapis.com"
TOKEN_ADDRESS = "https://oauth2.googleapis.com/token"  # noqa: S105 - an address
SCOPE = "https://www.googleapis.com/auth/androidpublisher"
GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
HOUR = 3600


def package_of(account: AccountConfig) -> str:
    return str(account.settings.get("package") or "").strip()


def call(account: AccountConfig, method: str, path: str, **request: Any) -> Answer:
    """A call below the app's reviews. Raises httpx.HTTPError, httpx.InvalidURL."""
    client = client_for(account, connection_of(account, base=BASE))
    address = f"/androidpublisher/v3/applications/{quote(package_of(account), safe='')}/reviews{path}"

    def once(token: str) -> Answer:
        return ask(client, method, address, headers={"Authorization": f"Bearer {token}"}, **request)

    answer = _bearers.with_token(account, once)
    # An exhausted quota is a 403 in older services and means the same as 429.
    return replace(answer, status=429) if answer.status == 403 and "quota" in answer.said.lower() else answer


def ask_for_key(account: AccountConfig) -> Bearer | Answer:
    """A new key for an hour, or the answer with the reason; a key that Google does not know is a 401."""
    address = str(account.settings.get("token_address") or _field(account, "token_uri") or TOKEN_ADDRESS)
    assertion = signed(account, address)
    if not assertion:
        return Answer(401, {"error": "the service account's JSON has no usable client_email and private_key"})
    url = httpx.URL(address)
    client = client_for(account, connection_of(_at(account, f"{url.scheme}://{url.netloc.decode()}"), base=BASE), name="keys")
    answer = ask(client, "POST", url.raw_path.decode(), data={"grant_type": GRANT, "assertion": assertion})
    token = text_at(answer.object, "access_token")
    if answer.accepted and token:
        return Bearer(token, number_at(answer.object, "expires_in") or HOUR)
    return replace(answer, status=401 if answer.status in (400, 403) else 502 if answer.accepted else answer.status)


def signed(account: AccountConfig, audience: str) -> str:
    """The assertion of the service account; empty if its JSON has no usable key."""
    now = int(time.time())
    claims = {"iss": _field(account, "client_email"), "scope": SCOPE, "aud": audience, "iat": now, "exp": now + HOUR}
    try:
        return jwt.encode(claims, _field(account, "private_key"), "RS256", headers={"kid": _field(account, "private_key_id")})
    except (jwt.PyJWTError, ValueError, TypeError):
        return ""


def _field(account: AccountConfig, name: str) -> str:
    try:
        value = json.loads(account.secrets.get("service_account", ""))
    except (ValueError, RecursionError):
        return ""
    return text_at(value, name) if isinstance(value, dict) else ""


def _at(account: AccountConfig, base: str) -> AccountConfig:
    return AccountConfig(account.id, account.kind, {**account.settings, "api_base": base}, account.secrets)


_bearers = Bearers(ask_for_key)
