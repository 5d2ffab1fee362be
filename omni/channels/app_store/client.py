"""Calls of the App Store Connect API with a signed key (https://developer.apple.com/documentation/appstoreconnectapi)."""

import re
import time
from typing import Any

import jwt

from omni.channels.asking import Answer, ask
from omni.channels.bearer import Bearer, Bearers
from omni.channels.contract import AccountConfig
from omni.channels.http import client_for, connection_of

BASE = "https://api.appstoreconnect.apple.com"
AUDIENCE = "appstoreconnect-v1"
LIFE, KEPT = 20 * 60, 15 * 60
"""Seconds that Apple lets a key live, and that we use it."""
PEM = re.compile(r"(-----BEGIN [A-Z ]+-----)(.*?)(-----END [A-Z ]+-----)", re.DOTALL)


def setting(account: AccountConfig, name: str) -> str:
    return str(account.settings.get(name) or "").strip()


def call(account: AccountConfig, method: str, path: str, **request: Any) -> Answer:
    """Raises httpx.HTTPError, httpx.InvalidURL."""
    client = client_for(account, connection_of(account, base=BASE))

    def once(token: str) -> Answer:
        return ask(client, method, path, headers={"Authorization": f"Bearer {token}"}, **request)

    return _bearers.with_token(account, once)


def signed(account: AccountConfig) -> Bearer | Answer:
    """A key signed by ourselves; a 401 if the private key is none."""
    now = int(time.time())
    claims = {"iss": setting(account, "issuer_id"), "iat": now, "exp": now + LIFE, "aud": AUDIENCE}
    try:
        pem = whole_lines(account.secrets.get("private_key", ""))
        return Bearer(jwt.encode(claims, pem, "ES256", headers={"kid": setting(account, "key_id")}), KEPT)
    except (jwt.PyJWTError, ValueError, TypeError):
        return Answer(401, {"error": "the private key is none"})


def whole_lines(pem: str) -> str:
    """The key in lines again: a field of one line takes the breaks of a pasted file away."""
    found = PEM.search(pem)
    return f"{found[1]}\n{''.join(found[2].split())}\n{found[3]}\n" if found else pem


_bearers = Bearers(signed)
