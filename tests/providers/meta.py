"""What the servers of WhatsApp and Facebook share: the Graph API's manners (token, version, errors, limits) and signed webhooks.

Commands besides those of `SocialServer`: `push` ({"body": {...}} goes to the webhook, signed), `handshake` (GET of the webhook).
"""

import hashlib
import hmac
import json
import math
import re
import time
from collections.abc import Mapping, Sequence
from typing import Any

import httpx

from tests.providers.faults import Fault, FaultKind
from tests.providers.frame import Reply, Request, json_reply
from tests.providers.social import Event, SocialServer, Upload, multipart
from tests.providers.telegram_webhook import is_loopback

APP_SECRET, VERIFY_TOKEN = "demo-app-secret", "demo-verify-token"


class GraphError(Exception):
    """An error answer of the Graph API."""

    def __init__(self, status: int, code: int, message: str, subcode: int = 0, details: str = "", *, transient: bool = False) -> None:
        super().__init__(message)
        self.status, self.code, self.subcode = status, code, subcode
        self.message, self.details, self.transient = message, details, transient

    def reply(self, headers: Mapping[str, str] | None = None) -> Reply:
        error: dict[str, Any] = {"message": f"(#{self.code}) {self.message}", "type": "OAuthException", "code": self.code}
        if self.subcode:
            error["error_subcode"] = self.subcode
        if self.details:
            error["error_data"] = {"messaging_product": "whatsapp", "details": self.details}
        if self.transient:
            error["is_transient"] = True
        found = json_reply({"error": {**error, "fbtrace_id": "AbCdEf123"}}, self.status)
        return Reply(found.status, found.body, found.content_type, headers or {})


class GraphServer(SocialServer):
    """One app of Meta's. Subclasses give `object`, `perform_call` and the words of their faults."""

    object = ""
    throttled_code = 4
    guest_blocked = GraphError(403, 551, "This person isn't available right now.", 1545041)

    def __init__(
        self,
        access_token: str,
        *,
        app_secret: str = APP_SECRET,
        verify_token: str = VERIFY_TOKEN,
        callback: str = "",
        pauses: Sequence[float] = (1.0, 2.0, 4.0),
    ) -> None:
        super().__init__(callback=callback, pauses=pauses)
        self.access_token, self.app_secret, self.verify_token = access_token, app_secret, verify_token
        self.commands |= {"push": lambda what: self.deliver(self.event(what["body"])), "handshake": lambda what: self.handshake()}

    def method_of(self, path: str) -> str:
        """The edge (`messages`, `media`, `comments`), or `node` for an object itself."""
        parts = path.strip("/").split("/")
        return parts[2] if len(parts) > 2 else "node"

    def perform(self, path: str, request: Request) -> Reply:
        found = re.fullmatch(r"/(v\d+\.\d+)/([^/]+)(?:/([^/]+))?", path)
        try:
            if found is None:
                self.violation(f"{request.method} {path}: no version, or no such path")
                raise GraphError(400, 2500, "Unknown path components")
            self.check_token(request)
            return json_reply(self.perform_call(request, found[2], found[3] or ""))
        except GraphError as error:
            return error.reply()

    def check_token(self, request: Request) -> None:
        if "access_token" in request.query:
            self.violation("the token stands in the address")
        given = request.headers.get("authorization", "")
        if not hmac.compare_digest(given.encode("utf-8", "replace"), f"Bearer {self.access_token}".encode()):
            raise GraphError(401, 190, "Invalid OAuth access token - Cannot parse access token")

    def perform_call(self, request: Request, node: str, edge: str) -> Any:
        raise NotImplementedError

    def fields(self, request: Request) -> tuple[dict[str, Any], dict[str, Upload]]:
        """Fields and files of a call: JSON, or a form whose objects are JSON-serialised."""
        if request.headers.get("content-type", "").startswith("application/json"):
            try:
                value = request.json()
            except ValueError as error:
                raise GraphError(400, 100, "Invalid parameter") from error
            if not isinstance(value, dict):
                raise GraphError(400, 100, "Invalid parameter")
            return value, {}
        parts = multipart(request)
        plain = {name: part.data.decode() for name, part in parts.items() if not part.name}
        return {name: unserialised(text) for name, text in plain.items()}, {name: part for name, part in parts.items() if part.name}

    def broken(self, sentence: str, code: int = 100, details: str = "") -> GraphError:
        """A rule was broken: noted, and to be raised."""
        self.violation(sentence)
        return GraphError(400, code, "Invalid parameter", details=details or sentence)

    def refusal(self, fault: Fault) -> Reply:
        if fault.kind is FaultKind.THROTTLED:
            minutes = math.ceil(fault.seconds / 60) if fault.seconds >= 60 else 0
            usage = {"100200300400": [{"type": "messages", "call_count": 100, "estimated_time_to_regain_access": minutes}]}
            error = GraphError(400, self.throttled_code, "Rate limit hit", details="Message failed to send because of too many messages")
            return error.reply({"X-Business-Use-Case-Usage": json.dumps(usage)})
        if fault.kind is FaultKind.TOKEN_REVOKED:
            return GraphError(401, 190, "Error validating access token: the session was invalidated", 460).reply()
        return self.guest_blocked.reply()

    def event(self, body: Mapping[str, Any]) -> Event:
        """The body signed as Meta does: HMAC-SHA256 over exactly these bytes; Meta escapes what is not ASCII."""
        raw = json.dumps(body).encode()
        signature = hmac.new(self.app_secret.encode(), raw, hashlib.sha256).hexdigest()
        return self.keep(Event(raw, {"X-Hub-Signature-256": f"sha256={signature}", "User-Agent": "facebookexternalua"}))

    def handshake(self, callback: str = "", token: str = "") -> bool:
        """Try the webhook's address as Meta does before it delivers there: the answer must be the challenge, nothing else."""
        address, challenge = callback or self.callback, str(int(time.time() * 1000))
        if not is_loopback(address):
            return False
        query = {"hub.mode": "subscribe", "hub.verify_token": token or self.verify_token, "hub.challenge": challenge}
        try:
            answer = self._client.get(address, params=query)
        except httpx.HTTPError:
            return False
        return answer.status_code == 200 and answer.text == challenge


def unserialised(text: str) -> Any:
    """A field of a form: objects and numbers come JSON-serialised, texts as they are."""
    if text[:1] not in ("{", "["):
        return text
    try:
        return json.loads(text)
    except ValueError:
        return text
