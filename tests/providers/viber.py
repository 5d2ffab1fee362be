"""A Viber REST API server for one bot: checks every call by the documented rules, signs callbacks, fetches published files.

Commands besides those of `SocialServer`: `receipt` ({"token", "kind": "delivered" | "seen" | "failed", "desc"}), `open`
({"id": guest}: opens the chat; returns the welcome), `look` ({"token"}: the guest's telephone fetches the file of a message).
`guest` takes {"text", "name", "id"} and one of `photo`, `document` (bytes), `sticker`, `location`, `contact`, `subscribe` (bool),
`tap` (what a button of the keyboard says that is shown).
"""

import hashlib
import hmac
import json
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx

from tests.providers.faults import Fault, FaultKind
from tests.providers.frame import Reply, Request, json_reply
from tests.providers.social import Event, SocialServer, check_fields
from tests.providers.telegram_guest import octets
from tests.providers.telegram_webhook import is_loopback

AUTH_TOKEN = "demo-viber-token"
GUEST = "pttm25kSGUo1919sBORWyA=="
TEXT_LIMIT, CAPTION_LIMIT, JSON_BYTES = 7000, 768, 30 * 1024
MEGABYTE = 1024 * 1024
EVENTS = frozenset({"delivered", "seen", "failed", "subscribed", "unsubscribed", "conversation_started", "message"})


class ViberError(Exception):
    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status, self.message = status, message


@dataclass
class Guest:
    id: str
    name: str
    subscribed: bool = True
    shown: Sequence[str] = ()
    """What the buttons of the keyboard say, that came with our last message."""


def is_text(low: int, high: int) -> Any:
    return lambda value: isinstance(value, str) and low <= len(value) <= high


def is_address(value: Any) -> bool:
    return isinstance(value, str) and urlsplit(value).scheme in ("http", "https") and len(value) <= 2000 and value.isascii()


def is_size(limit: int) -> Any:
    return lambda value: isinstance(value, int) and 0 < value <= limit


def keyboard_faults(value: Any) -> list[str]:
    """Every rule of https://developers.viber.com/docs/tools/keyboards that a keyboard breaks."""
    buttons = value.get("Buttons") if isinstance(value, dict) and value.get("Type") == "keyboard" else None
    if not isinstance(buttons, list) or not buttons:
        return ["a keyboard has the type keyboard and buttons"]
    wrong = [f"unknown field {name}" for name in sorted(set(value) - {"Type", "DefaultHeight", "BgColor", "Buttons"})]
    # Six columns make a row.
    rows = sum(one.get("Columns", 6) * one.get("Rows", 1) for one in buttons) / 6
    wrong += ["at most 24 rows"] if rows > 24 else []
    for one in buttons:
        wrong += [] if one.get("ActionType") in ("reply", "open-url", "none") else ["ActionType"]
        wrong += [] if is_text(1, 250)(one.get("Text")) and is_text(1, 250)(one.get("ActionBody")) else ["Text and ActionBody"]
        wrong += [] if 1 <= one.get("Columns", 6) <= 6 and 1 <= one.get("Rows", 1) <= 2 else ["Columns 1-6, Rows 1-2"]
        # What looks like HTML is taken for it.
        wrong += ["HTML that is none of the allowed"] if re.search(r"<|&(?!amp;|lt;|gt;)", one.get("Text", "")) else []
    return wrong


SENT_BY_ALL = {
    "receiver": (True, is_text(1, 200)),
    "type": (True, is_text(1, 20)),
    "sender": (True, lambda value: isinstance(value, dict) and 1 <= len(value.get("name", "")) <= 28),
    "tracking_data": (False, is_text(0, 4000)),
    "keyboard": (False, lambda value: not keyboard_faults(value)),
    "min_api_version": (False, lambda value: isinstance(value, int) and value >= 1),
}
RULES: Mapping[str, Mapping[str, Any]] = {
    "text": {"text": (True, is_text(1, TEXT_LIMIT))},
    "picture": {"text": (True, is_text(0, CAPTION_LIMIT)), "media": (True, is_address), "thumbnail": (False, is_address)},
    "video": {"media": (True, is_address), "size": (True, is_size(26 * MEGABYTE)), "duration": (False, is_size(180))},
    "file": {"media": (True, is_address), "size": (True, is_size(50 * MEGABYTE))}
    | {"file_name": (True, lambda value: is_text(3, 256)(value) and "." in value)},
}


class ViberServer(SocialServer):
    """`receipts` = the callbacks that follow every accepted message by themselves, e.g. ("delivered", "seen")."""

    name = "viber"
    prefix = "/viber"

    def __init__(
        self,
        auth_token: str = AUTH_TOKEN,
        *,
        callback: str = "",
        pauses: Sequence[float] = (1.0, 2.0, 4.0),
        receipts: Sequence[str] = (),
    ) -> None:
        super().__init__(callback=callback, pauses=pauses)
        self.auth_token, self.receipts = auth_token, tuple(receipts)
        self.guests: dict[str, Guest] = {}
        self.sent: dict[str, dict[str, Any]] = {}
        self.event_types: list[str] = []
        # Over 2**53, as Viber's own: who keeps them in a double loses digits.
        self.tokens = iter(range(5_741_311_803_571_721_087 + int(time.time()) * 1000, 2**63))
        self.commands |= {
            "receipt": lambda what: self.deliver(self.receipt(**what)),
            "open": lambda what: self.open_chat(str(what.get("id") or GUEST)),
            "look": lambda what: {"bytes": len(self.look(str(what["token"])))},
        }

    def method_of(self, path: str) -> str:
        return path.rpartition("/")[2]

    def perform(self, path: str, request: Request) -> Reply:
        try:
            if request.method != "POST" or path not in METHODS:
                self.violation(f"no method {request.method} {path}")
                raise ViberError(3, "badData")
            given = request.headers.get("x-viber-auth-token", "")
            if not hmac.compare_digest(given.encode("utf-8", "replace"), self.auth_token.encode()):
                raise ViberError(2, "invalidAuthToken")
            return json_reply({"status": 0, "status_message": "ok", **METHODS[path](self, self.fields(request))})
        except ViberError as error:
            return json_reply({"status": error.status, "status_message": error.message})

    def fields(self, request: Request) -> dict[str, Any]:
        if len(request.body) > JSON_BYTES:
            self.violation(f"{len(request.body)} bytes of JSON, at most {JSON_BYTES}")
            raise ViberError(3, "badData")
        try:
            value = request.json()
        except ValueError as error:
            raise ViberError(3, "badData") from error
        if not isinstance(value, dict):
            raise ViberError(3, "badData")
        return value

    def send_message(self, body: dict[str, Any]) -> dict[str, Any]:
        kind = body.get("type")
        rules = RULES.get(str(kind))
        if rules is None or not check_fields(f"send_message {kind}", body, {**SENT_BY_ALL, **rules}, self.violation):
            raise ViberError(3, "badData")
        if kind == "text" and not body["text"].strip():
            self.violation("an empty text")
            raise ViberError(3, "badData")
        guest = self.guests.get(body["receiver"])
        if guest is None:
            raise ViberError(5, "receiverNotRegistered")
        if not guest.subscribed:
            raise ViberError(6, "receiverNotSubscribed")
        return self.accept(body)

    def accept(self, body: Mapping[str, Any]) -> dict[str, Any]:
        with self.lock:
            token = next(self.tokens)
            self.sent[str(token)] = dict(body)
        entry = {"id": str(token), "to": body["receiver"], "type": body["type"], "text": body.get("text", "")}
        shown = [one["ActionBody"] for one in body.get("keyboard", {}).get("Buttons", [])]
        self.guests[body["receiver"]].shown = shown
        entry |= {"choices": shown, "media": body.get("media", ""), "size": body.get("size"), "file_name": body.get("file_name", "")}
        self.accepted.add({**entry, "sender": body["sender"]["name"], "key": body.get("tracking_data", "")})
        for kind in self.receipts:
            self.emit(self.receipt(str(token), kind))
        return {"message_token": token, "chat_hostname": "SN-CHAT-05_", "billing_status": 1}

    def get_account_info(self, body: dict[str, Any]) -> dict[str, Any]:
        return {"id": "pa:1", "name": "Лукошко", "uri": "lukoshko", "webhook": self.callback, "event_types": self.event_types}

    def set_webhook(self, body: dict[str, Any]) -> dict[str, Any]:
        """The address is tried at once, before the answer to this call."""
        url = body.get("url", "")
        if not is_address(url) or (urlsplit(url).scheme != "https" and not is_loopback(url)):
            raise ViberError(1, "invalidUrl")
        if unknown := set(body.get("event_types", [])) - EVENTS:
            self.violation(f"set_webhook: unknown events {sorted(unknown)}")
            raise ViberError(3, "badData")
        before, self.callback = self.callback, url
        fate = self.deliver(self.callback_of("webhook"))
        if is_loopback(url) and 200 not in fate["statuses"]:
            self.callback = before
            raise ViberError(1, "invalidUrl")
        self.event_types = sorted(body.get("event_types", EVENTS))
        return {"event_types": self.event_types}

    def token(self) -> int:
        with self.lock:
            return next(self.tokens)

    def refusal(self, fault: Fault) -> Reply:
        """HTTP 200 for everything: the status in the body tells."""
        status, message = {
            FaultKind.THROTTLED: (12, "tooManyRequests"),
            FaultKind.TOKEN_REVOKED: (2, "invalidAuthToken"),
            FaultKind.BLOCKED: (6, "receiverNotSubscribed"),
        }[fault.kind]
        return json_reply({"status": status, "status_message": message})

    def event(self, body: Mapping[str, Any]) -> Event:
        """A callback signed as Viber does: hex HMAC-SHA256 over exactly these bytes."""
        raw = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
        signature = hmac.new(self.auth_token.encode(), raw, hashlib.sha256).hexdigest()
        return self.keep(Event(raw, {"X-Viber-Content-Signature": signature}))

    def callback_of(self, event: str, **fields: Any) -> Event:
        return self.event({"event": event, "timestamp": now(), "chat_hostname": "SN-CHAT-05_", "message_token": self.token(), **fields})

    def guest_says(self, text: str = "", *, id: Any = GUEST, name: str = "Анна", **what: Any) -> list[Event]:
        """A guest does something; the callback, signed. See the module's docstring."""
        guest = self.guests.setdefault(str(id), Guest(str(id), name))
        guest.name = name
        if what.get("subscribe") is not None:
            guest.subscribed = bool(what["subscribe"])
            if guest.subscribed:
                return [self.callback_of("subscribed", user=self.person(guest))]
            return [self.callback_of("unsubscribed", user_id=guest.id)]
        guest.subscribed = True
        if what.get("tap"):
            if what["tap"] not in guest.shown:
                raise ValueError(f"no button {what['tap']} is shown")
            text = str(what["tap"])
        return [self.callback_of("message", sender=self.person(guest), message=self.content(text, what), silent=False)]

    def person(self, guest: Guest) -> dict[str, Any]:
        return {"id": guest.id, "name": guest.name, "language": "ru", "country": "RU", "api_version": 10}

    def content(self, text: str, what: Mapping[str, Any]) -> dict[str, Any]:
        for kind, wire, name, mime in (("photo", "picture", "p.jpg", "image/jpeg"), ("document", "file", "чек.pdf", "application/pdf")):
            if what.get(kind):
                data, file_name = octets(what[kind]), what.get("file_name") or name
                url = self.store(data, file_name, what.get("mime") or mime)
                return {"type": wire, "media": url, "file_name": file_name, "size": len(data)} | ({"text": text} if text else {})
        for kind in ("location", "contact"):
            if what.get(kind):
                return {"type": kind, kind: what[kind]}
        if what.get("sticker"):
            return {"type": "sticker", "sticker_id": int(what["sticker"])}
        if not text:
            raise ValueError("nothing said: text, photo, document, sticker, location, contact or subscribe is needed")
        return {"type": "text", "text": text}

    def receipt(self, token: str, kind: str = "delivered", desc: str = "failure description") -> Event:
        fields = {"user_id": self.sent[token]["receiver"]} | ({"desc": desc} if kind == "failed" else {})
        return self.event({"event": kind, "timestamp": now(), "message_token": int(token), **fields})

    def started(self, guest_id: str) -> Event:
        guest = self.guests.get(guest_id) or Guest(guest_id, "Анна", subscribed=False)
        return self.callback_of("conversation_started", type="open", user=self.person(guest), subscribed=guest.subscribed)

    def open_chat(self, guest_id: str) -> Any:
        """The welcome that the webhook answers with; None for none."""
        event = self.started(guest_id)
        answer = self._client.post(self.callback, content=event.body, headers={"Content-Type": "application/json", **event.headers})
        return answer.json() or None

    def look(self, token: str) -> bytes:
        """The guest's telephone fetches the file of one of our messages. Raises ValueError for an address that leads nowhere."""
        address = self.sent[token]["media"]
        if not is_loopback(address):
            raise ValueError(f"this server never leaves the machine: {address}")
        answer = httpx.get(address, timeout=30)
        if answer.status_code != 200:
            raise ValueError(f"HTTP {answer.status_code} at {address}")
        return answer.content

    def reset(self) -> None:
        super().reset()
        with self.lock:
            for held in (self.guests, self.sent):
                held.clear()


def now() -> int:
    return int(time.time() * 1000)


METHODS = {
    "/pa/send_message": ViberServer.send_message,
    "/pa/get_account_info": ViberServer.get_account_info,
    "/pa/set_webhook": ViberServer.set_webhook,
}
