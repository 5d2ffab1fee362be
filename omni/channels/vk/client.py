"""Calls of the VK API (https://dev.vk.com/ru/api/api-requests): the token goes in the body, never in an address."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from omni.channels.contract import AccountConfig
from omni.channels.http import client_for, connection_of, json_of, pause_of
from omni.channels.json_fields import integer_at, object_at, text_at

DEFAULT_BASE = "https://api.vk.com"
VERSION = "5.199"


@dataclass(frozen=True)
class Answer:
    """What came back: HTTP status, the `response` value, the error's number and sentence (0 = none), the pause asked for in seconds.

    `foreign` = the body was not the API's. Of an error object nothing else is kept: `request_params` repeat what was sent.
    """

    status: int
    response: Any = None
    code: int = 0
    said: str = ""
    after: float | None = None
    foreign: bool = False

    @property
    def accepted(self) -> bool:
        return self.status == 200 and not self.foreign and not self.code


def call(account: AccountConfig, method: str, fields: Mapping[str, Any], *, seconds: float | None = None) -> Answer:
    """One call of a method; `seconds` shortens the account's read time-out. Raises httpx.HTTPError, httpx.InvalidURL without an answer."""
    client = client_for(account, connection_of(account, base=DEFAULT_BASE))
    data = {key: str(value) for key, value in fields.items() if value not in ("", None)}
    data |= {"access_token": account.secrets.get("access_token", ""), "v": VERSION}
    timeout = client.timeout if seconds is None else httpx.Timeout(seconds)
    return answer_of(client.post(f"/method/{method}", data=data, timeout=timeout))


def answer_of(response: httpx.Response) -> Answer:
    """The answer inside a response. Errors come with HTTP 200 and an `error` object; a gateway's page is neither."""
    body = json_of(response)
    pause = pause_of(response)
    if isinstance(body, dict) and isinstance(body.get("error"), dict):
        return refused(response.status_code, object_at(body, "error"), pause)
    if isinstance(body, dict) and "response" in body:
        return Answer(response.status_code, body["response"], after=pause)
    return Answer(response.status_code, after=pause, foreign=True)


def refused(status: int, error: Mapping[str, Any], pause: float | None = None) -> Answer:
    """An error object: `error_code`, `error_msg` of a call, or `code`, `description` of one recipient."""
    code = integer_at(error, "error_code") or integer_at(error, "code") or -1
    return Answer(status, code=code, said=text_at(error, "error_msg") or text_at(error, "description"), after=pause)
