"""The frame of the provider servers: wire-true doubles of the outside world on one loopback port, with a control plane.

A provider answers its own paths as its vendor documents them, records what it accepted and every request that breaks
the vendor's rules, and misbehaves on demand. Other processes steer it under `/_control/<provider>/`:

    GET  accepted?after=N&wait=S   what was accepted after number N; waits up to S seconds for the first
    GET  violations                broken rules, as sentences
    POST faults                    {"kind": ..., ...} queues a fault (see faults.py); GET lists those waiting
    POST clear_faults              forget the faults that wait
    POST reset                     forget everything
    POST <command>                 the provider's own commands
"""

import json
import socket
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Protocol
from urllib.parse import parse_qsl, urlsplit

from tests.providers.faults import ACCEPTING, GARBAGE_BODY, Fault, FaultKind, FaultQueue

CONTROL = "/_control/"
BODY_BYTES = 80 * 1024 * 1024
LONGEST_WAIT = 30.0


@dataclass(frozen=True)
class Request:
    """A request as it came: lower-case header names, decoded query, exact body."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    def json(self) -> Any:
        """The body as JSON, an empty one as an empty object. Raises ValueError."""
        return json.loads(self.body or b"{}")


@dataclass(frozen=True)
class Reply:
    """An answer, or the lack of one: `delay` seconds first, then `drop` closes the connection without a byte."""

    status: int = 200
    body: bytes = b""
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    delay: float = 0.0
    drop: bool = False


def json_reply(value: Any, status: int = 200) -> Reply:
    return Reply(status, json.dumps(value).encode())


def spoil(fault: Fault, accept: Callable[[], Reply], refuse: Callable[[Fault], Reply]) -> Reply:
    """The reply under a fault. `accept` performs the call; `refuse` words the fault as the vendor does and performs nothing."""
    if fault.kind not in ACCEPTING:
        return refuse(fault)
    reply = accept()
    if fault.kind is FaultKind.LATE:
        return replace(reply, delay=fault.seconds)
    if fault.kind is FaultKind.GARBAGE_AFTER_ACCEPTING:
        return replace(reply, body=GARBAGE_BODY, content_type="text/html")
    delay = fault.seconds if fault.kind is FaultKind.TIMEOUT_AFTER_ACCEPTING else 0.0
    return replace(reply, delay=delay, drop=True)


class Journal:
    """A numbered list that threads append to and wait on. Entries are JSON objects with their number under `n`, from 1."""

    def __init__(self) -> None:
        self._entries: list[dict[str, Any]] = []
        self._grown = threading.Condition()

    def add(self, entry: Mapping[str, Any]) -> None:
        with self._grown:
            self._entries.append({"n": len(self._entries) + 1, **entry})
            self._grown.notify_all()

    def after(self, number: int = 0, *, wait: float = 0.0) -> list[dict[str, Any]]:
        """Entries after `number`; if there are none yet, those that come within `wait` seconds."""
        with self._grown:
            self._grown.wait_for(lambda: len(self._entries) > number, min(wait, LONGEST_WAIT))
            return self._entries[number:]

    def wait_for(self, count: int, *, seconds: float = 5.0) -> list[dict[str, Any]]:
        """All entries once there are `count` of them. Raises AssertionError when time is up."""
        with self._grown:
            complete = self._grown.wait_for(lambda: len(self._entries) >= count, seconds)
            assert complete, f"{len(self._entries)} of {count} entries after {seconds} s: {self._entries}"
            return list(self._entries)

    def clear(self) -> None:
        with self._grown:
            self._entries.clear()


class Provider:
    """What all providers share: their records, their faults and the commands of the control plane."""

    name = ""

    def __init__(self) -> None:
        self.accepted = Journal()
        self.violations = Journal()
        self.faults = FaultQueue()
        self.commands: dict[str, Callable[[Mapping[str, Any]], Any]] = {
            "reset": lambda _: self.reset(),
            "faults": self.faults.add_json,
            "clear_faults": lambda _: self.faults.clear(),
        }

    def handle(self, request: Request) -> Reply | None:
        """The answer to a request to one of this provider's paths; None for any other path."""
        raise NotImplementedError

    def violation(self, text: str) -> None:
        self.violations.add({"text": text})

    def reset(self) -> None:
        self.accepted.clear()
        self.violations.clear()
        self.faults.clear()

    def start(self, base_url: str) -> None:
        """The frame listens at `base_url`."""

    def stop(self) -> None:
        """The frame is going away: end what is under way."""


def control(provider: Provider, command: str, request: Request) -> Reply:
    """One request to the control plane. What the caller got wrong is told in a 400."""
    if request.method == "GET":
        reader = READERS.get(command)
        return json_reply(reader(provider, request.query)) if reader else json_reply({"error": f"nothing to read at {command}"}, 404)
    if command not in provider.commands:
        return json_reply({"error": f"no command {command}; there are {', '.join(sorted(provider.commands))}"}, 404)
    try:
        return json_reply({"result": provider.commands[command](request.json())})
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        return json_reply({"error": f"{type(error).__name__}: {error}"}, 400)


READERS: Mapping[str, Callable[[Provider, Mapping[str, str]], Any]] = {
    "accepted": lambda provider, query: provider.accepted.after(int(query.get("after", 0)), wait=float(query.get("wait", 0))),
    "violations": lambda provider, query: provider.violations.after(int(query.get("after", 0))),
    "faults": lambda provider, _: provider.faults.waiting(),
}


class Router(Protocol):
    def __call__(self, request: Request) -> Reply: ...


class Frame:
    """Providers on one loopback port. `with Frame(provider) as frame: frame.url` or `start()` and `stop()`."""

    def __init__(self, *providers: Provider, port: int = 0) -> None:
        self.providers = providers
        self.server = LoopbackServer(port, self.route)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        self._thread = threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True, name="providers")

    def route(self, request: Request) -> Reply:
        if request.path.startswith(CONTROL):
            name, _, command = request.path.removeprefix(CONTROL).partition("/")
            provider = next((provider for provider in self.providers if provider.name == name), None)
            return control(provider, command, request) if provider else json_reply({"error": f"no provider {name}"}, 404)
        replies = (provider.handle(request) for provider in self.providers)
        return next((reply for reply in replies if reply is not None), json_reply({"error": "no such page"}, 404))

    def start(self) -> None:
        self._thread.start()
        for provider in self.providers:
            provider.start(self.url)

    def stop(self) -> None:
        """Refuse new connections and cut the open ones."""
        for provider in self.providers:
            provider.stop()
        self.server.stopping.set()
        self.server.shutdown()
        self.server.server_close()
        self.server.cut()
        self._thread.join(5)

    def __enter__(self) -> "Frame":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


class LoopbackServer(ThreadingHTTPServer):
    """A thread per connection on 127.0.0.1; remembers open sockets so that a stop is a stop."""

    daemon_threads = True
    request_queue_size = 256

    def __init__(self, port: int, route: Router) -> None:
        self.route = route
        self.stopping = threading.Event()
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        super().__init__(("127.0.0.1", port), Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._lock:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def cut(self) -> None:
        with self._lock:
            still_open = list(self._open)
        for connection in still_open:
            disconnect(connection)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is its own business; a bug of a provider is answered with 500 by the handler."""


def disconnect(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # the other side was faster


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = 64 * 1024
    timeout = 120
    server: LoopbackServer

    def do_GET(self) -> None:
        self.answer()

    def do_POST(self) -> None:
        self.answer()

    def do_PUT(self) -> None:
        self.answer()

    def do_PATCH(self) -> None:
        self.answer()

    def answer(self) -> None:
        body = self.read_body()
        if body is None:
            return
        parts = urlsplit(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.write(self.routed(Request(self.command, parts.path, dict(parse_qsl(parts.query)), headers, body)))

    def routed(self, request: Request) -> Reply:
        try:
            return self.server.route(request)
        except Exception as error:  # noqa: BLE001 - a bug of a provider must reach the test that met it
            return json_reply({"error": f"bug in the provider server: {error!r}"}, 599)

    def read_body(self) -> bytes | None:
        """The body; None after a refusal was written (no length, absurd length)."""
        length = int(self.headers.get("content-length") or 0)
        status = 411 if "transfer-encoding" in self.headers else 413 if length > BODY_BYTES else 0
        if status:
            self.close_connection = True
            self.write(json_reply({"error": "the body needs a length within the limit"}, status))
            return None
        return bytes(self.rfile.read(length))

    def write(self, reply: Reply) -> None:
        self.server.stopping.wait(reply.delay)
        if reply.drop or self.server.stopping.is_set():
            self.close_connection = True
            disconnect(self.connection)
            return
        self.send_response(reply.status)
        headers = {"Content-Type": reply.content_type, "Content-Length": str(len(reply.body)), **reply.headers}
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(reply.body)
        self.wfile.flush()

    def log_message(self, format: str, *args: Any) -> None:
        """Silent: tests read the journals."""
