"""What the servers of APIs that must be asked share: routes, the vendor's errors, webhooks delivered on demand."""

import re
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

import httpx

from omni.channels.trust import web_authorities
from tests.providers.faults import GARBAGE_BODY, Fault, FaultKind
from tests.providers.frame import Provider, Reply, Request, json_reply, spoil

STATUSES = {FaultKind.THROTTLED: 429, FaultKind.SERVER_ERROR: 500, FaultKind.BLOCKED: 403, FaultKind.TOKEN_REVOKED: 401}
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class ApiError(Exception):
    """A refusal by the vendor's rules: HTTP status and its sentence."""

    def __init__(self, status: int, text: str, code: str = "") -> None:
        super().__init__(text)
        self.status, self.text, self.code = status, text, code


Perform = Callable[[Request, "re.Match[str]"], Any]


class ApiServer(Provider):
    """A vendor's JSON API. `routes` are (method, path pattern, name for faults, what to do); a subclass words errors in `error_reply`.

    `webhook_url` is where `deliver` posts to, loopback only; `webhook_headers` go with it.
    """

    throttled = 429

    def __init__(self) -> None:
        super().__init__()
        self.webhook_url = ""
        self.numbers = iter(range(int(time.time()) - 1_750_000_000, 2**62))
        self.commands |= {"webhook": self.register, "guest": lambda what: self.guest(**what)}

    def routes(self) -> Sequence[tuple[str, str, str, Perform]]:
        raise NotImplementedError

    def guest(self, text: str = "", name: str = "Анна", id: str = "", **what: Any) -> Any:
        """A guest says something."""
        raise NotImplementedError

    def authorise(self, request: Request) -> None:
        """Raises ApiError for a call without the right keys."""

    def error_reply(self, status: int, text: str, code: str = "") -> Reply:
        return json_reply({"message": text}, status)

    def throttle_headers(self, seconds: float) -> Mapping[str, str]:
        return {"Retry-After": str(int(seconds))}

    def handle(self, request: Request) -> Reply | None:
        for method, pattern, name, perform in self.routes():
            if found := re.fullmatch(pattern, request.path):
                if request.method != method:
                    continue
                fault = self.faults.take(name)
                if fault is None:
                    return self.perform(request, found, perform)
                return spoil(fault, lambda found=found, perform=perform: self.perform(request, found, perform), self.refuse)
        return None

    def perform(self, request: Request, found: "re.Match[str]", perform: Perform) -> Reply:
        try:
            self.authorise(request)
            answer = perform(request, found)
        except ApiError as error:
            return self.error_reply(error.status, error.text, error.code)
        return answer if isinstance(answer, Reply) else json_reply(answer)

    def refuse(self, fault: Fault) -> Reply:
        if fault.kind is FaultKind.GARBAGE:
            return Reply(fault.status or 200, GARBAGE_BODY, "text/html")
        status = fault.status or (self.throttled if fault.kind is FaultKind.THROTTLED else STATUSES[fault.kind])
        reply = self.error_reply(status, f"{fault.kind} on demand", str(fault.kind).upper())
        headers = self.throttle_headers(fault.seconds) if fault.kind is FaultKind.THROTTLED else {}
        return Reply(reply.status, reply.body, reply.content_type, {**reply.headers, **headers})

    def broken(self, text: str, status: int = 400) -> ApiError:
        """Note that a request breaks the vendor's rules; the error to raise for it."""
        self.violation(text)
        return ApiError(status, text)

    def body_of(self, request: Request, *required: str) -> dict[str, Any]:
        """The request's JSON object with these fields. Raises ApiError."""
        try:
            body = request.json()
        except ValueError:
            raise self.broken(f"{request.path}: the body is not JSON") from None
        if not isinstance(body, dict) or not request.headers.get("content-type", "").startswith("application/json"):
            raise self.broken(f"{request.path}: a JSON object with its content type is needed")
        if missing := [name for name in required if body.get(name) in (None, "")]:
            raise self.broken(f"{request.path}: no {', '.join(missing)}")
        return body

    def text_of(self, request: Request, text: Any, limit: int, least: int = 1) -> str:
        if not isinstance(text, str) or not least <= len(text) <= limit:
            raise self.broken(f"{request.path}: a text of {least}-{limit} characters is needed, not {len(str(text))}")
        return text

    def register(self, what: Mapping[str, Any]) -> None:
        self.webhook_url = what["url"]

    def deliver(self, body: bytes, headers: Mapping[str, str], *, times: int = 1) -> list[int]:
        """Post an event to the registered address, `times` over; the HTTP statuses."""
        if not self.webhook_url or urlsplit(self.webhook_url).hostname not in LOOPBACK:
            return []
        with httpx.Client(verify=web_authorities(), timeout=30) as client:
            return [client.post(self.webhook_url, content=body, headers=dict(headers)).status_code for _ in range(times)]
