"""Calls of the AppGallery Connect API with an API client's key (https://developer.huawei.com/consumer/en/doc/AppGallery-connect-References)."""

from dataclasses import replace
from typing import Any

from omni.channels.asking import Answer, ask
from omni.channels.bearer import Bearer, Bearers
from omni.channels.contract import AccountConfig
from omni.channels.http import client_for, connection_of
from omni.channels.json_fields import integer_at, number_at, object_at, text_at

BASE = "https://connect-api-dre.cloud.huawei.com"
TOKEN_PATH = "/api/oauth2/v1/token"  # noqa: S105 - a path
REVIEWS_PATH = "/api/reviews/v1/manage/dev/reviews"
NAMES = ("client_id", "client_secret")
REFUSED_KEYS = frozenset({205524993, 205524994, 205524995})
"""Codes that come with HTTP 200 for a key that is not or no longer known."""


def reviews_path(account: AccountConfig) -> str:
    """Where the reviews are: that of Android apps unless the account names another one."""
    path = str(account.settings.get("reviews_path") or REVIEWS_PATH).strip().rstrip("/")
    return path if path.startswith("/") else f"/{path}"


def call(account: AccountConfig, method: str, path: str, **request: Any) -> Answer:
    """Raises httpx.HTTPError, httpx.InvalidURL."""
    client = client_for(account, connection_of(account, base=BASE))

    def once(token: str) -> Answer:
        headers = {"Authorization": f"Bearer {token}", "client_id": account.secrets.get("client_id", "")}
        return meant(ask(client, method, path, headers=headers, **request))

    return _bearers.with_token(account, once)


def meant(answer: Answer) -> Answer:
    """An error that calls itself a success in HTTP as what it is: `rtnCode` or `ret.code` other than 0."""
    code = integer_at(answer.object, "rtnCode")
    code = integer_at(object_at(answer.object, "ret"), "code") if code is None else code
    if not answer.accepted or not code:
        return answer
    return replace(answer, status=401 if code in REFUSED_KEYS else 400)


def ask_for_key(account: AccountConfig) -> Bearer | Answer:
    """A new key, or the answer with the reason; a client that the store does not know is a 401."""
    client = client_for(account, connection_of(account, base=BASE))
    body = {"grant_type": "client_credentials", **{name: account.secrets.get(name, "") for name in NAMES}}
    answer = meant(ask(client, "POST", TOKEN_PATH, json=body))
    token = text_at(answer.object, "access_token")
    if answer.accepted and token.isascii() and token.isprintable() and token:
        return Bearer(token, number_at(answer.object, "expires_in") or 3600)
    return replace(answer, status=401 if answer.status in (400, 403) else 502 if answer.accepted else answer.status)


_bearers = Bearers(ask_for_key)
