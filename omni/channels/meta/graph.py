"""Calls of the Graph API (developers.facebook.com/docs/graph-api): the token goes in a header, so no address, log or error can show it."""

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from omni.channels.contract import AccountConfig, Failed, Outgoing, Reason
from omni.channels.http import client_for, connection_of, json_of, pause_of
from omni.channels.json_fields import JsonObject, integer_at, number_at, object_at, objects_at, storable, text_at

BASE = "https://graph.facebook.com"
VERSION = "v24.0"
USAGE_HEADER = "x-business-use-case-usage"

Upload = tuple[str, bytes, str]
"""File name, bytes, MIME type of a multipart field."""


@dataclass(frozen=True)
class Answer:
    """What came back for a call: HTTP status, answer object (None if it was not one), seconds of the pause asked for."""

    status: int
    body: JsonObject | None
    pause: float | None = None

    @property
    def accepted(self) -> bool:
        return self.status < 300 and self.body is not None and "error" not in self.body

    @property
    def error(self) -> JsonObject:
        return object_at(self.body or {}, "error")

    @property
    def code(self) -> int | None:
        return integer_at(self.error, "code")

    @property
    def subcode(self) -> int | None:
        return integer_at(self.error, "error_subcode")

    @property
    def said(self) -> str:
        """The provider's words, fit for a person."""
        details = text_at(object_at(self.error, "error_data"), "details")
        return ": ".join(part for part in (text_at(self.error, "message"), details) if part) or f"HTTP {self.status}"


def address_of(account: AccountConfig) -> str:
    """Base with the version of the API: settings `api_base`, `api_version`."""
    version = str(account.settings.get("api_version") or VERSION)
    return f"/{version}" if re.fullmatch(r"v\d{1,3}\.\d{1,2}", version) else f"/{VERSION}"


def client_of(account: AccountConfig) -> httpx.Client:
    """The account's pooled client; it carries no token by itself. Raises httpx.UnsupportedProtocol, httpx.InvalidURL."""
    return client_for(account, connection_of(account, base=BASE))


def token_of(account: AccountConfig) -> str:
    """The access token; empty for none and for one that a header cannot carry, which is none of Meta's."""
    token = account.secrets.get("access_token", "").strip()
    return token if re.fullmatch(r"[!-~]+", token) else ""


def bearer(account: AccountConfig) -> dict[str, str]:
    return {"Authorization": f"Bearer {token_of(account)}"}


def get(account: AccountConfig, path: str, **query: str) -> Answer:
    """GET of a node or edge, e.g. `/1099`. Raises httpx.HTTPError or httpx.InvalidURL when no answer came."""
    return answer_of(client_of(account).get(address_of(account) + path, params=query, headers=bearer(account)))


def post(account: AccountConfig, path: str, fields: Mapping[str, Any], uploads: Mapping[str, Upload] | None = None) -> Answer:
    """POST to an edge, as JSON, or with uploads as a form whose objects go JSON-serialised. Raises as `get`."""
    client, url, headers = client_of(account), address_of(account) + path, bearer(account)
    if not uploads:
        return answer_of(client.post(url, json=dict(fields), headers=headers))
    form = {name: value if isinstance(value, str) else json.dumps(value) for name, value in fields.items()}
    return answer_of(client.post(url, data=form, files=dict(uploads), headers=headers))


def answer_of(response: httpx.Response) -> Answer:
    body = json_of(response)
    asked = pause_of(response)
    return Answer(response.status_code, body if isinstance(body, dict) else None, usage_pause(response) if asked is None else asked)


def usage_pause(response: httpx.Response) -> float | None:
    """Seconds until calls are let in again: the header's estimated_time_to_regain_access, in minutes (Graph API, rate limits)."""
    try:
        usage = json.loads(response.headers.get(USAGE_HEADER, "{}"))
    except (ValueError, RecursionError):
        return None
    kinds = [kind for name in usage for kind in objects_at(usage, name)] if isinstance(usage, dict) else []
    minutes = max((number_at(kind, "estimated_time_to_regain_access") or 0 for kind in kinds), default=0)
    return math.ceil(minutes * 60) if minutes > 0 else None


def account_refusal(account: AccountConfig) -> Failed | None:
    """Why no call can be made at all, else None."""
    if token_of(account):
        return None
    return Failed("token_missing", "the channel account has no usable access token", Reason.ACCOUNT_REFUSED)


def message_refusal(outgoing: Outgoing, *, text_limit: int, file_limit: int) -> Failed | None:
    """Why this message can never be sent, else None. Texts are refused over the limit, never cut."""
    if not outgoing.recipient.strip():
        return Failed("no_recipient", "nobody to send to")
    if outgoing.template is not None:
        return None
    if len(outgoing.text) > text_limit:
        return Failed("text_too_long", f"{len(outgoing.text)} characters, at most {text_limit} are allowed", Reason.TOO_LONG)
    if storable(outgoing.text) != outgoing.text:
        return Failed("unsendable_text", "the text has NUL or half characters")
    if not outgoing.text.strip() and not outgoing.files:
        return Failed("empty", "neither text nor files")
    for file in outgoing.files:
        if not file.data:
            return Failed("empty_file", f"{file.name}: the file is empty")
        if len(file.data) > file_limit:
            return Failed("file_too_large", f"{file.name}: {len(file.data)} bytes, at most {file_limit} are allowed")
    return None
