"""Calls of the graph API of Odnoklassniki (https://apiok.ru/dev/graph_api/): the key goes in the address, added on the wire only."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from omni.channels.contract import AccountConfig
from omni.channels.http import client_for, connection_of, json_of, pause_of
from omni.channels.json_fields import integer_at, text_at

DEFAULT_BASE = "https://api.ok.ru"
JSON_TYPE = "application/json;charset=utf-8"
"""What all POST requests must say of themselves."""


@dataclass(frozen=True)
class Answer:
    """What came back: HTTP status, the JSON object (None = it was none), the error's number (0 = none) and sentence, the pause."""

    status: int
    body: Mapping[str, Any] | None = None
    code: int = 0
    said: str = ""
    after: float | None = None

    @property
    def accepted(self) -> bool:
        return self.status == 200 and self.body is not None and not self.code and self.body.get("success") is not False


def call(
    account: AccountConfig, method: str, path: str, *, query: Mapping[str, str] | None = None, body: Mapping[str, Any] | None = None
) -> Answer:
    """One call below /graph. Raises httpx.HTTPError or httpx.InvalidURL when no answer came."""
    key = {"access_token": account.secrets.get("access_token", "")}
    client = client_for(account, connection_of(account, base=DEFAULT_BASE, secret_query=key))
    headers = {"Content-Type": JSON_TYPE} if method == "POST" else {}
    return answer_of(client.request(method, f"/graph/{path}", params=dict(query or {}), json=body, headers=headers))


def answer_of(response: httpx.Response) -> Answer:
    """The answer inside a response. Errors come with HTTP 200, the header `invocation-error` and {error_code, error_msg}."""
    body, pause = json_of(response), pause_of(response)
    if not isinstance(body, dict):
        return Answer(response.status_code, code=_header_code(response), after=pause)
    code = integer_at(body, "error_code") or _header_code(response)
    return Answer(response.status_code, body, code, text_at(body, "error_msg"), pause)


def _header_code(response: httpx.Response) -> int:
    written = response.headers.get("invocation-error", "").strip()
    return int(written) if written.lstrip("-").isdecimal() and len(written) < 8 else 0
