"""HTTP towards providers: one pooled client for each account, time-outs, capped downloads, no way into our own network."""

import ipaddress
import os
import socket
import ssl
import threading
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Any

import httpx

from omni.channels.contract import AccountConfig, AttachmentGone, AttachmentTooLarge, Retry
from omni.channels.trust import web_authorities, web_authorities_and

CONNECT_SECONDS, READ_SECONDS, UPLOAD_SECONDS = 5.0, 30.0, 120.0
NOT_WRITTEN = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError, httpx.UnsupportedProtocol, httpx.InvalidURL)
"""Faults before the first byte of a request: the provider cannot have it."""
REDIRECTS = 3


@dataclass(frozen=True)
class Connection:
    """Everything that makes one account's client differ from another's. `base` has no slash at its end; `read_seconds` of silence."""

    base: str
    headers: tuple[tuple[str, str], ...] = ()
    proxy: str | None = None
    read_seconds: float = READ_SECONDS
    ca_file: str = ""
    """Certificates to be believed besides the usual ones."""
    secret_query: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    """Keys that a provider wants in the address: added on the wire only, to its own host, so that no log or error shows them."""


class SecretQuery(httpx.BaseTransport):
    """Adds the secret part of the query to requests for the provider's own host, below the client and all that it tells of itself."""

    def __init__(self, inner: httpx.BaseTransport, host: str, secrets: Mapping[str, str]) -> None:
        self.inner, self.host, self.secrets = inner, host, dict(secrets)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        url = request.url.copy_merge_params(self.secrets) if request.url.host == self.host else request.url
        return self.inner.handle_request(
            httpx.Request(request.method, url, headers=request.headers, stream=request.stream, extensions=request.extensions)
        )

    def close(self) -> None:
        self.inner.close()


def connection_of(
    account: AccountConfig, *, base: str, headers: Mapping[str, str] | None = None, secret_query: Mapping[str, str] | None = None
) -> Connection:
    """The account's connection: its settings `api_base` (instead of `base`), `proxy`, `read_timeout` in seconds, `ca_file`."""
    settings = account.settings
    return Connection(
        base=str(settings.get("api_base") or base).rstrip("/"),
        headers=tuple((headers or {}).items()),
        proxy=str(settings["proxy"]) if settings.get("proxy") else None,
        read_seconds=float(settings.get("read_timeout") or READ_SECONDS),
        ca_file=str(settings.get("ca_file") or ""),
        secret_query=tuple((secret_query or {}).items()),
    )


_clients: dict[str, tuple[Connection, httpx.Client]] = {}
_lock = threading.Lock()
# A forked worker must not write into its parent's sockets.
os.register_at_fork(after_in_child=_clients.clear)


def client_for(account: AccountConfig, connection: Connection, *, name: str = "") -> httpx.Client:
    """The account's pooled client, thread-safe; a new one after its settings changed. `name` tells several hosts of one account apart.

    Raises httpx.UnsupportedProtocol or httpx.InvalidURL for a base that is no address or a file that holds no certificates.
    """
    key = f"{account.id}:{name}"
    with _lock:
        known = _clients.get(key)
        if known is None or known[0] != connection:
            # The old one is not closed: another thread may be in the middle of a call.
            known = _clients[key] = connection, _opened(connection)
        return known[1]


def _opened(connection: Connection) -> httpx.Client:
    base = httpx.URL(connection.base)
    if base.scheme not in ("http", "https") or not base.host:
        raise httpx.UnsupportedProtocol("the address of the provider must be http or https")
    timeout = httpx.Timeout(connect=CONNECT_SECONDS, read=connection.read_seconds, write=UPLOAD_SECONDS, pool=CONNECT_SECONDS)
    headers = dict(connection.headers)
    verify = _believed(connection.ca_file)
    if not connection.secret_query:
        proxy = proxy_at(connection.proxy)
        return httpx.Client(base_url=base, proxy=proxy, headers=headers, timeout=timeout, verify=verify)
    inner = transport_of(connection.proxy, verify)
    return httpx.Client(
        base_url=base, transport=SecretQuery(inner, base.host, dict(connection.secret_query)), headers=headers, timeout=timeout
    )


def proxy_at(address: str | None) -> httpx.Proxy | None:
    """The proxy of an account's settings. Raises httpx.UnsupportedProtocol for what is none that we can use."""
    if not address:
        return None
    try:
        proxy = httpx.Proxy(address)
    except (ValueError, httpx.InvalidURL) as error:
        raise httpx.UnsupportedProtocol("the address of the proxy cannot be right") from error
    if proxy.url.scheme.startswith("socks") and find_spec("socksio") is None:
        raise httpx.UnsupportedProtocol("SOCKS proxies need the package socksio")
    if not proxy.url.host:
        raise httpx.UnsupportedProtocol("the address of the proxy cannot be right")
    return proxy


def transport_of(proxy: str | None, verify: ssl.SSLContext) -> httpx.HTTPTransport:
    """The transport below a client of ours. Raises httpx.UnsupportedProtocol."""
    return httpx.HTTPTransport(proxy=proxy_at(proxy), verify=verify)


def _believed(ca_file: str) -> ssl.SSLContext:
    if not ca_file:
        return web_authorities()
    try:
        return web_authorities_and(ca_file)
    except (OSError, ssl.SSLError) as error:
        raise httpx.UnsupportedProtocol("the file of the certificate authority cannot be read") from error


def unanswered(error: Exception) -> Retry:
    """What a call without an answer means. Only the kind of the fault is told: texts of errors may quote addresses and keys."""
    if isinstance(error, NOT_WRITTEN):
        return Retry("no_connection", type(error).__name__)
    return Retry("no_answer", type(error).__name__, unknown=True)


def json_of(response: httpx.Response) -> Any:
    """The answer's JSON; None for a body that is none (a gateway's page, a cut answer)."""
    try:
        return response.json()
    except ValueError:
        return None


def pause_of(response: httpx.Response) -> float | None:
    """The seconds that `Retry-After` asks for (RFC 9110 10.2.3, the form in seconds), else None."""
    asked = response.headers.get("retry-after", "").strip()
    return float(asked) if asked.isdecimal() and len(asked) < 8 else None


def capped(response: httpx.Response, limit: int) -> bytes:
    """The body of a streamed answer, given up as soon as it is over the limit, whatever its announced length.

    Raises AttachmentTooLarge; httpx.TransportError for a packing that nobody asked for.
    """
    unpack = _unpacking(response)
    data = bytearray()
    for chunk in response.iter_raw(64 * 1024):
        data += unpack(chunk, limit + 1 - len(data))
        if len(data) > limit:
            raise AttachmentTooLarge(f"over {limit} bytes")
    return bytes(data)


def _unpacking(response: httpx.Response) -> Callable[[bytes, int], bytes]:
    """How to read a chunk, as far as so many bytes: a few packed kilobytes may hold gigabytes."""
    packing = response.headers.get("content-encoding", "").strip().lower()
    if packing in ("", "identity"):
        return lambda chunk, _most: chunk
    if packing not in ("gzip", "x-gzip"):
        raise httpx.TransportError("the file comes packed in a way we do not read")
    stream = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)

    def unpack(chunk: bytes, most: int) -> bytes:
        try:
            return stream.decompress(chunk, most)
        except zlib.error as fault:
            raise httpx.TransportError("the file comes badly packed") from fault

    return unpack


def download(
    client: httpx.Client, address: str, *, limit: int, headers: Mapping[str, str] | None = None, allow: "Allow | None" = None
) -> bytes:
    """A file by its address, at most `limit` bytes; redirections are followed to public hosts and where `allow` lets us.

    Raises AttachmentTooLarge, AttachmentGone (404, 410, an address we may not go to), httpx.TransportError (tried again later).
    """
    url = httpx.URL(address)
    for _hop in range(REDIRECTS + 1):
        with visited(client, url, headers, allow=allow) as response:
            if response.is_redirect and response.next_request is not None:
                url, headers = response.next_request.url, None  # the keys are for the first host only
                continue
            if response.status_code in (404, 410):
                raise AttachmentGone(f"HTTP {response.status_code} for a file")
            if response.status_code != 200:
                raise httpx.TransportError(f"HTTP {response.status_code} for a file")
            return capped(response, limit)
    raise AttachmentGone("too many redirections")


Allow = Callable[[httpx.URL], bool]
"""Hosts that we may go to though they are not public."""


@contextmanager
def visited(
    client: httpx.Client, url: httpx.URL, headers: Mapping[str, str] | None = None, *, allow: Allow | None = None
) -> Iterator[httpx.Response]:
    """A streamed GET of an address from a payload: of a public host, or of one that `allow` names. Raises Inside, httpx.TransportError."""
    if allow is not None and allow(url):
        extensions: dict[str, Any] = {}
    elif is_public(url):
        extensions = {"trace": _only_outside(url.host)}
    else:
        raise Inside("the address of the file leads where we do not go")
    wanted = {"Accept-Encoding": "gzip", **(headers or {})}
    with client.stream("GET", url, headers=wanted, extensions=extensions) as response:
        yield response


class Inside(AttachmentGone):
    """The address leads into our own network, or nowhere."""


def _only_outside(host: str) -> Callable[[str, Mapping[str, Any]], None]:
    """Breaks a connection that leads inside after all: between our look and the connection the name may get another address (DNS
    rebinding). A connection to a proxy is left alone: it is the proxy that knows where names lead from there."""
    asked = ""

    def look(event: str, info: Mapping[str, Any]) -> None:
        nonlocal asked
        if event == "connection.connect_tcp.started":
            asked = str(info.get("host", ""))
        if event == "connection.connect_tcp.complete" and asked == host:
            stream = info["return_value"]
            if not _is_outside(str(stream.get_extra_info("server_addr")[0])):
                stream.close()
                raise Inside("the address of the file leads where we do not go")

    return look


def is_public(url: httpx.URL) -> bool:
    """Whether an address from a payload leads to a public host by http(s): a guest must not make us call our own network (OWASP SSRF)."""
    if url.scheme not in ("http", "https") or not url.host:
        return False
    try:
        found = socket.getaddrinfo(url.host, url.port or (443 if url.scheme == "https" else 80), type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return False
    return bool(found) and all(_is_outside(str(entry[4][0])) for entry in found)


def _is_outside(address: str) -> bool:
    """Whether it is an address of the public internet; one of IPv4 inside one of IPv6 counts as what it is."""
    found = ipaddress.ip_address(address.partition("%")[0])
    inner = getattr(found, "ipv4_mapped", None) or getattr(found, "sixtofour", None)
    return found.is_global and not found.is_multicast and (inner is None or inner.is_global)


def own_host(base: str) -> Allow:
    """The provider's own host as the account's settings name it (a local one in tests and behind a gateway)."""
    own = httpx.URL(base)
    return lambda url: (url.scheme, url.host, url.port) == (own.scheme, own.host, own.port)
