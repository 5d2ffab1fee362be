"""What the servers of VK, OK and MAX share: delivery to a webhook, files of guests, uploads, multipart bodies, the guest command.

Commands besides the shared ones: `guest` ({"text", "name", "id", ...}, see each server), `redeliver`, `callback` ({"url", ...}).
"""

import hashlib
import itertools
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from email.parser import BytesParser
from email.policy import HTTP
from typing import Any

import httpx

from omni.channels.trust import web_authorities
from tests.providers.faults import GARBAGE_BODY, Fault, FaultKind
from tests.providers.frame import Journal, Provider, Reply, Request, spoil
from tests.providers.telegram_webhook import is_loopback


@dataclass(frozen=True)
class Event:
    """An event as it goes over the wire: exact body and the vendor's headers."""

    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    query: str = ""


@dataclass(frozen=True)
class Upload:
    name: str
    mime: str
    data: bytes

    def as_json(self) -> dict[str, Any]:
        return {"name": self.name, "mime": self.mime, "size": len(self.data), "sha256": hashlib.sha256(self.data).hexdigest()}


class SocialServer(Provider):
    """`callback` is the product's webhook ("" = events are only kept), `pauses` the seconds between its tries.

    Subclasses give `prefix` (their paths begin with it), `perform` (a request's answer), `refusal` (a fault in the vendor's words)
    and `acceptable` (whether the webhook's answer satisfies the vendor).
    """

    prefix = ""

    def __init__(self, *, callback: str = "", pauses: Sequence[float] = (1.0, 2.0, 4.0)) -> None:
        super().__init__()
        self.callback = callback
        self.pauses = tuple(pauses)
        self.base_url = "http://127.0.0.1"
        self.files: dict[str, Upload] = {}
        self.names: dict[int, str] = {}
        self.blocked: set[int] = set()
        self.known: set[int] = set()
        self.events: list[Event] = []
        self.deliveries = Journal()
        self.lock = threading.RLock()
        # Behind those of an earlier run: the product keeps its base and knows them.
        self.numbers = itertools.count(int(time.time()))
        self._stopping = threading.Event()
        self._client = httpx.Client(verify=web_authorities(), timeout=30)
        self.commands |= {
            "guest": lambda what: [self.deliver(event) for event in self.guest_says(**what)],
            "redeliver": lambda _: [self.deliver(event) for event in list(self.events)],
            "callback": self.change_callback,
        }

    def handle(self, request: Request) -> Reply | None:
        if not request.path.startswith(self.prefix + "/"):
            return None
        path = request.path.removeprefix(self.prefix)
        if path.startswith("/files/"):
            return self._file(path.removeprefix("/files/"))
        method = self.method_of(path)
        fault = self.faults.take(method)
        if fault is None:
            return self.perform(path, request)
        return spoil(fault, lambda: self.perform(path, request), self.refused)

    def method_of(self, path: str) -> str:
        """The name that faults call this request by."""
        return path.strip("/")

    def perform(self, path: str, request: Request) -> Reply:
        raise NotImplementedError

    def refused(self, fault: Fault) -> Reply:
        """A fault that accepts nothing; what the vendor has no words for is the gateway's."""
        if fault.kind is FaultKind.SERVER_ERROR:
            return Reply(fault.status or 500, b"<html>Internal Server Error</html>", "text/html")
        if fault.kind is FaultKind.GARBAGE:
            return Reply(fault.status or 200, GARBAGE_BODY, "text/html")
        return self.refusal(fault)

    def refusal(self, fault: Fault) -> Reply:
        raise NotImplementedError

    def guest_says(self, text: str = "", **what: Any) -> list[Event]:
        raise NotImplementedError

    def _file(self, name: str) -> Reply:
        fault = self.faults.take("download")
        stored = self.files.get(name)
        whole = Reply(body=stored.data, content_type=stored.mime) if stored else Reply(404)
        return spoil(fault, lambda: whole, self.refused) if fault else whole

    def store(self, data: bytes, name: str, mime: str) -> str:
        """Keep a guest's file; returns its address."""
        key = f"{next(self.numbers)}-{hashlib.sha256(data).hexdigest()[:12]}"
        self.files[key] = Upload(name, mime, data)
        return f"{self.base_url}{self.prefix}/files/{key}"

    def keep(self, event: Event) -> Event:
        self.events.append(event)
        return event

    def emit(self, event: Event) -> None:
        """An event of the provider's own (an echo, a status): kept, and delivered in the background where a webhook is known."""
        self.keep(event)
        if self.callback:
            threading.Thread(target=self.deliver, args=(event,), daemon=True).start()

    def deliver(self, event: Event) -> dict[str, Any]:
        """Post an event until the webhook's answer satisfies; returns the statuses of the tries (0 = no answer)."""
        statuses: list[int] = []
        if is_loopback(self.callback):
            for pause in (0.0, *self.pauses):
                if self._stopping.wait(pause) or self._post(event, statuses):
                    break
        fate = {"event": event.body.decode(), "statuses": statuses}
        self.deliveries.add(fate)
        return fate

    def _post(self, event: Event, statuses: list[int]) -> bool:
        headers = {"Content-Type": "application/json", **event.headers}
        try:
            answer = self._client.post(self.callback, content=event.body, headers=headers)
        except httpx.HTTPError:
            statuses.append(0)
            return False
        statuses.append(answer.status_code)
        return self.acceptable(answer)

    def acceptable(self, answer: httpx.Response) -> bool:
        return answer.status_code == 200

    def change_callback(self, what: Mapping[str, Any]) -> dict[str, Any]:
        self.callback = what["url"]
        return {"url": self.callback}

    def start(self, base_url: str) -> None:
        self.base_url = base_url

    def stop(self) -> None:
        self._stopping.set()
        self._client.close()

    def reset(self) -> None:
        super().reset()
        with self.lock:
            for held in (self.files, self.names, self.blocked, self.known, self.events):
                held.clear()
        self.deliveries.clear()


def multipart(request: Request) -> dict[str, Upload]:
    """The fields of a multipart body (RFC 7578) by name. Raises ValueError for anything else."""
    content_type = request.headers.get("content-type", "")
    if not content_type.startswith("multipart/form-data"):
        raise ValueError(f"multipart/form-data expected, not {content_type}")
    parsed = BytesParser(policy=HTTP).parsebytes(f"Content-Type: {content_type}\r\n\r\n".encode() + request.body)
    found: dict[str, Upload] = {}
    for part in parsed.iter_parts():
        name = str(part.get_param("name", "", "content-disposition"))
        data = part.get_payload(decode=True)
        found[name] = Upload(part.get_filename() or "", part.get_content_type(), data if isinstance(data, bytes) else b"")
    return found


Check = Callable[[Any], bool]


def check_fields(what: str, given: Mapping[str, Any], rules: Mapping[str, tuple[bool, Check]], complain: Callable[[str], None]) -> bool:
    """Compare named values with name -> (required, check); every deviation is a complaint. Whether there was none."""
    wrong = [f"{what}: unknown field {name}" for name in sorted(set(given) - set(rules))]
    wrong += [f"{what}: {name} is missing" for name, (required, _) in rules.items() if required and name not in given]
    wrong += [
        f"{what}: {name} is wrong: {given[name]!r}"[:300] for name, (_, check) in rules.items() if name in given and not check(given[name])
    ]
    for sentence in wrong:
        complain(sentence)
    return not wrong
