"""Calls of the Viber REST API: always POST of JSON, always HTTP 200; the token goes in a header."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from omni.channels.contract import AccountConfig
from omni.channels.http import client_for, connection_of, json_of, pause_of
from omni.channels.json_fields import JsonObject, integer_at, text_at

BASE = "https://chatapi.viber.com"
TOKEN_HEADER = "X-Viber-Auth-Token"  # noqa: S105 - the header's name


@dataclass(frozen=True)
class Answer:
    """What came back for a call: HTTP status, answer object (None if it was not one of this API), pause asked for in seconds."""

    http_status: int
    body: JsonObject | None
    pause: float | None = None

    @property
    def status(self) -> int | None:
        return integer_at(self.body or {}, "status")

    @property
    def accepted(self) -> bool:
        return self.status == 0

    @property
    def said(self) -> str:
        return text_at(self.body or {}, "status_message") or f"HTTP {self.http_status}"


def client_of(account: AccountConfig) -> httpx.Client:
    """The account's pooled client; it carries no token by itself. Raises httpx.UnsupportedProtocol, httpx.InvalidURL."""
    return client_for(account, connection_of(account, base=BASE))


def token_of(account: AccountConfig) -> str:
    """The bot's token; empty for none and for one that a header cannot carry, which is none of Viber's."""
    token = account.secrets.get("auth_token", "").strip()
    return token if re.fullmatch(r"[!-~]+", token) else ""


def call(account: AccountConfig, method: str, fields: Mapping[str, Any]) -> Answer:
    """One call, e.g. `send_message`. Raises httpx.HTTPError or httpx.InvalidURL when no answer came."""
    response = client_of(account).post(f"/pa/{method}", json=dict(fields), headers={TOKEN_HEADER: token_of(account)})
    body = json_of(response)
    known = isinstance(body, dict) and integer_at(body, "status") is not None
    return Answer(response.status_code, body if known else None, pause_of(response))
