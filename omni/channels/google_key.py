"""Keys of Google's service accounts (RFC 7523, https://developers.google.com/identity/protocols/oauth2/service-account).

The whole JSON file of the service account is the account's secret `service_account`; the setting `token_address` replaces the address
that it names.
"""

import json
import time
from dataclasses import replace

import httpx
import jwt

from omni.channels.asking import Answer, ask
from omni.channels.bearer import Bearer
from omni.channels.contract import AccountConfig
from omni.channels.http import client_for, connection_of
from omni.channels.json_fields import number_at, text_at

TOKEN_ADDRESS = "https://oauth2.googleapis.com/token"  # noqa: S105 - an address
GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
HOUR = 3600


def ask_for_key(account: AccountConfig, *, scope: str) -> Bearer | Answer:
    """A new key for an hour with the rights of `scope`, or the answer with the reason; a key that Google does not know is a 401."""
    address = str(account.settings.get("token_address") or field_of(account, "token_uri") or TOKEN_ADDRESS)
    assertion = signed(account, address, scope)
    if not assertion:
        return Answer(401, {"error": "the service account's JSON has no usable client_email and private_key"})
    url = httpx.URL(address)
    client = client_for(account, connection_of(_at(account, f"{url.scheme}://{url.netloc.decode()}"), base=TOKEN_ADDRESS), name="keys")
    answer = ask(client, "POST", url.raw_path.decode(), data={"grant_type": GRANT, "assertion": assertion})
    token = text_at(answer.object, "access_token")
    if answer.accepted and token:
        return Bearer(token, number_at(answer.object, "expires_in") or HOUR)
    return replace(answer, status=401 if answer.status in (400, 403) else 502 if answer.accepted else answer.status)


def signed(account: AccountConfig, audience: str, scope: str) -> str:
    """The assertion of the service account; empty if its JSON has no usable key."""
    now = int(time.time())
    claims = {"iss": field_of(account, "client_email"), "scope": scope, "aud": audience, "iat": now, "exp": now + HOUR}
    try:
        return jwt.encode(claims, field_of(account, "private_key"), "RS256", headers={"kid": field_of(account, "private_key_id")})
    except (jwt.PyJWTError, ValueError, TypeError):
        return ""


def field_of(account: AccountConfig, name: str) -> str:
    """A text of the service account's JSON; empty if there is none."""
    try:
        value = json.loads(account.secrets.get("service_account", ""))
    except (ValueError, RecursionError):
        return ""
    return text_at(value, name) if isinstance(value, dict) else ""


def _at(account: AccountConfig, base: str) -> AccountConfig:
    return AccountConfig(account.id, account.kind, {**account.settings, "api_base": base}, account.secrets)
