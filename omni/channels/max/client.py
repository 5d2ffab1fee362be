"""Calls of the MAX Bot API (https://dev.max.ru/docs-api): the token goes in a header, and only to the API's own host."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from omni.channels.contract import AccountConfig
from omni.channels.http import client_for, connection_of, json_of, pause_of
from omni.channels.json_fields import text_at

DEFAULT_BASE = "https://platform-api2.max.ru"
"""Since July 2026 (https://dev.max.ru/docs-api/changelog-api); its certificate comes from the authority of the Ministry of Digital
Development, which browsers' lists do not have: the setting `ca_file` names its file."""


@dataclass(frozen=True)
class Answer:
    """What came back: HTTP status, the JSON object (None = it was none), the error's key and sentence, the pause asked for in seconds."""

    status: int
    body: Mapping[str, Any] | None = None
    code: str = ""
    said: str = ""
    after: float | None = None

    @property
    def accepted(self) -> bool:
        """Some methods answer 200 with `success` false."""
        return self.status == 200 and self.body is not None and self.body.get("success") is not False


def call(
    account: AccountConfig, method: str, path: str, *, query: Mapping[str, str] | None = None, body: Mapping[str, Any] | None = None
) -> Answer:
    """One call. Raises httpx.HTTPError or httpx.InvalidURL when no answer came."""
    headers = {"Authorization": account.secrets.get("bot_token", "")}
    client = client_for(account, connection_of(account, base=DEFAULT_BASE, headers=headers))
    return answer_of(client.request(method, path, params=dict(query or {}), json=body))


def answer_of(response: httpx.Response) -> Answer:
    """The answer inside a response; errors are {code, message} beside the HTTP status."""
    body = json_of(response)
    if not isinstance(body, dict):
        return Answer(response.status_code, after=pause_of(response))
    code, said = text_at(body, "code"), text_at(body, "message") or text_at(body, "error")
    return Answer(response.status_code, body, code, said, pause_of(response))
