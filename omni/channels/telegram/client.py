"""Calls of the Bot API: one pooled client per channel account; the token is added on the wire only, so no log or error can show it."""

import os
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import quote

import httpx

from omni.channels.contract import AccountConfig
from omni.channels.http import transport_of
from omni.channels.trust import web_authorities

DEFAULT_BASE = "https://api.telegram.org"
CONNECT_SECONDS, READ_SECONDS, UPLOAD_SECONDS = 5.0, 30.0, 120.0

Upload = tuple[str, bytes, str]
"""File name, bytes, MIME type of a multipart field."""


@dataclass(frozen=True)
class Answer:
    """What came back for a call: HTTP status, `Retry-After` header, answer object (None if it was not one of the Bot API)."""

    status: int
    body: Mapping[str, Any] | None
    retry_after: str = ""

    @property
    def accepted(self) -> bool:
        return self.body is not None and self.body["ok"] is True

    @property
    def result(self) -> Any:
        return self.body.get("result") if self.body else None

    @property
    def description(self) -> str:
        return str(self.body.get("description", "")) if self.body else ""

    @property
    def parameters(self) -> Mapping[str, Any]:
        found = self.body.get("parameters") if self.body else None
        return found if isinstance(found, dict) else {}


class TokenTransport(httpx.BaseTransport):
    """Puts `bot<token>` in front of the path below the client: httpx logs and its exceptions carry the address without it."""

    def __init__(self, inner: httpx.BaseTransport, token: str, prefix: str) -> None:
        self.inner = inner
        self.token = quote(token, safe=":")
        self.prefix = prefix

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        path = request.url.raw_path.decode("ascii").removeprefix(self.prefix)
        is_file = path.startswith("/file/")
        signed = f"{self.prefix}/file/bot{self.token}{path.removeprefix('/file')}" if is_file else f"{self.prefix}/bot{self.token}{path}"
        url = request.url.copy_with(raw_path=signed.encode("ascii"))
        return self.inner.handle_request(
            httpx.Request(request.method, url, headers=request.headers, stream=request.stream, extensions=request.extensions)
        )

    def close(self) -> None:
        self.inner.close()


@dataclass(frozen=True)
class Connection:
    """Everything that makes one client differ from another."""

    base: str
    token: str
    proxy: str | None
    read_seconds: float


def connection_of(account: AccountConfig) -> Connection:
    """Settings `api_base` (http or https address), `proxy` (address), `read_timeout` (seconds); secret `bot_token`."""
    settings = account.settings
    return Connection(
        base=str(settings.get("api_base") or DEFAULT_BASE).rstrip("/"),
        token=account.secrets.get("bot_token", ""),
        proxy=str(settings["proxy"]) if settings.get("proxy") else None,
        read_seconds=float(settings.get("read_timeout") or READ_SECONDS),
    )


def open_client(connection: Connection) -> httpx.Client:
    """Raises httpx.InvalidURL or httpx.UnsupportedProtocol for an address that is none."""
    base = httpx.URL(connection.base)
    if base.scheme not in ("http", "https") or not base.host:
        raise httpx.UnsupportedProtocol("api_base must be an http or https address")
    prefix = base.raw_path.decode("ascii").rstrip("/")
    transport = TokenTransport(transport_of(connection.proxy, web_authorities()), connection.token, prefix)
    timeout = httpx.Timeout(connect=CONNECT_SECONDS, read=connection.read_seconds, write=UPLOAD_SECONDS, pool=CONNECT_SECONDS)
    return httpx.Client(base_url=base, transport=transport, timeout=timeout, headers={"Accept-Encoding": "identity"})


_clients: dict[str, tuple[Connection, httpx.Client]] = {}
_lock = threading.Lock()
# A forked worker must not write into its parent's sockets.
os.register_at_fork(after_in_child=_clients.clear)


def client_for(account: AccountConfig) -> httpx.Client:
    """The account's pooled client, thread-safe; a new one after its settings changed.

    The old one is not closed: another thread may be in the middle of a call.
    """
    connection = connection_of(account)
    with _lock:
        known = _clients.get(account.id)
        if known is None or known[0] != connection:
            known = _clients[account.id] = connection, open_client(connection)
        return known[1]


def call(account: AccountConfig, method: str, fields: Mapping[str, Any], uploads: Sequence[tuple[str, Upload]] = ()) -> Answer:
    """One call of a Bot API method. Raises httpx.HTTPError or httpx.InvalidURL when no answer came."""
    post = partial(client_for(account).post, f"/{method}")
    response = post(data=dict(fields), files=list(uploads)) if uploads else post(json=dict(fields))
    return answer_of(response)


def answer_of(response: httpx.Response) -> Answer:
    """The answer inside a response; a body that is not the Bot API's (a gateway's page, cut JSON) leaves `body` None."""
    try:
        body = response.json()
    except ValueError:
        body = None
    if not isinstance(body, dict) or not isinstance(body.get("ok"), bool):
        body = None
    return Answer(response.status_code, body, response.headers.get("retry-after", ""))
