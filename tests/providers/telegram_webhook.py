"""Delivery of updates as Telegram does it: POST of JSON with the secret header, again after 1, 2, 4 s until a 2xx."""

import json
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx

from omni.channels.trust import web_authorities
from tests.providers.telegram_rules import BY_REQUEST_ONLY, PORTS, UPDATE_KINDS, BotError

SECRET_CHARACTERS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-")
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


@dataclass(frozen=True)
class Delivery:
    """The fate of one update: the HTTP statuses of its tries (0 = no answer); `wanted` is False if allowed_updates leaves it out."""

    update: Mapping[str, Any]
    statuses: tuple[int, ...] = ()
    wanted: bool = True

    @property
    def delivered(self) -> bool:
        return bool(self.statuses) and 200 <= self.statuses[-1] < 300

    def as_json(self) -> dict[str, Any]:
        return {"update": self.update, "statuses": self.statuses, "delivered": self.delivered, "wanted": self.wanted}


class Webhook:
    """The registered address of a bot and what waits for it. Thread-safe."""

    def __init__(self, pauses: Sequence[float]) -> None:
        self.pauses = tuple(pauses)
        self.url = ""
        self.secret = ""
        self.allowed: frozenset[str] = frozenset()
        self.max_connections = 40
        self.pending: list[dict[str, Any]] = []
        self.last_error: tuple[int, str] | None = None
        self.stopping = threading.Event()
        self._lock = threading.Lock()
        self._client = httpx.Client(verify=web_authorities(), timeout=30, limits=httpx.Limits(max_connections=100))

    def register(self, params: Mapping[str, Any]) -> None:
        """setWebhook. Left out `allowed_updates` keep their previous value. Raises BotError."""
        check_address(params["url"])
        secret = params.get("secret_token", "")
        if len(secret) > 256 or not set(secret) <= SECRET_CHARACTERS:
            raise BotError(400, "Bad Request: secret token contains unallowed characters")
        unknown = set(params.get("allowed_updates", ())) - UPDATE_KINDS
        if unknown:
            raise BotError(400, f"Bad Request: unsupported update types {sorted(unknown)}")
        self.url, self.secret = params["url"], secret
        self.allowed = frozenset(params.get("allowed_updates", self.allowed))
        self.max_connections = params.get("max_connections", 40)
        self.drop_or_keep(params)

    def drop_or_keep(self, params: Mapping[str, Any]) -> None:
        if params.get("drop_pending_updates"):
            with self._lock:
                self.pending.clear()

    def info(self) -> dict[str, Any]:
        """getWebhookInfo."""
        found: dict[str, Any] = {"url": self.url, "has_custom_certificate": False, "pending_update_count": len(self.pending)}
        found |= {"max_connections": self.max_connections, "allowed_updates": sorted(self.allowed)}
        if self.last_error:
            found |= {"last_error_date": self.last_error[0], "last_error_message": self.last_error[1]}
        return found

    def wants(self, update: Mapping[str, Any]) -> bool:
        kinds = set(update) - {"update_id"}
        return kinds <= self.allowed if self.allowed else not kinds & BY_REQUEST_ONLY

    def deliver(self, update: dict[str, Any]) -> Delivery:
        """Try until a 2xx or until the pauses are used up; then the update waits for `redeliver`."""
        if not self.wants(update):
            return Delivery(update, wanted=False)
        statuses = self.tries(update) if is_loopback(self.url) else ()
        delivery = Delivery(update, statuses)
        if not delivery.delivered:
            with self._lock:
                self.pending.append(update)
        return delivery

    def tries(self, update: Mapping[str, Any]) -> tuple[int, ...]:
        statuses: list[int] = []
        for pause in (0.0, *self.pauses):
            if self.stopping.wait(pause):
                break
            statuses.append(self.post(update))
            if 200 <= statuses[-1] < 300:
                break
        return tuple(statuses)

    def post(self, update: Mapping[str, Any]) -> int:
        headers = {"Content-Type": "application/json"}
        if self.secret:
            headers["X-Telegram-Bot-Api-Secret-Token"] = self.secret
        try:
            status = self._client.post(self.url, content=json.dumps(update).encode(), headers=headers).status_code
        except httpx.HTTPError as error:
            self.last_error = (int(time.time()), f"Connection failed: {type(error).__name__}")
            return 0
        if not 200 <= status < 300:
            self.last_error = (int(time.time()), f"Wrong response from the webhook: {status}")
        return status

    def redeliver(self) -> list[Delivery]:
        """Deliver what waits, in order of update_id."""
        with self._lock:
            waiting, self.pending = sorted(self.pending, key=lambda update: update["update_id"]), []
        return [self.deliver(update) for update in waiting]

    def forget(self) -> None:
        """Drop what waits and the last error; the address stays registered."""
        with self._lock:
            self.pending.clear()
            self.last_error = None

    def stop(self) -> None:
        self.stopping.set()
        self._client.close()


def is_loopback(url: str) -> bool:
    """Whether this server delivers there at all: it never leaves the machine."""
    return urlsplit(url).hostname in LOOPBACK


def check_address(url: str) -> None:
    """https and one of four ports; a loopback address is let through, as a local Bot API server does. Raises BotError."""
    parts = urlsplit(url)
    if is_loopback(url):
        return
    if parts.scheme != "https":
        raise BotError(400, "Bad Request: bad webhook: An HTTPS URL must be provided for webhook")
    if (parts.port or 443) not in PORTS:
        raise BotError(400, "Bad Request: bad webhook: Webhook can be set up only on ports 80, 88, 443 or 8443")
