"""Calls of the Google Play Developer API with a service account's key."""

from dataclasses import replace
from functools import partial
from typing import Any
from urllib.parse import quote

from omni.channels.asking import Answer, ask
from omni.channels.bearer import Bearers
from omni.channels.contract import AccountConfig
from omni.channels.google_key import ask_for_key
from omni.channels.http import client_for, connection_of

BASE = "https://androidpublisher.googleapis.com"
SCOPE = "https://www.googleapis.com/auth/androidpublisher"


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


_bearers = Bearers(partial(ask_for_key, scope=SCOPE))
