"""Telephone exchanges that post their events: the base, the one that posts our own signed form, and UIS with our templates.

A guest calls by `POST /_control/<name>/guest` {"id": number, "name": ..., "text": "answered" | "missed" | "outgoing",
"extension": "101", "twice": bool, "shuffled": bool}; an empty id is a withheld number. The answer tells the statuses of the deliveries.
"""

import hashlib
import hmac
import itertools
import json
import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import httpx

from omni.channels.trust import web_authorities
from omni.channels.uis.template import body_of
from tests.providers.frame import Provider, Reply, Request
from tests.providers.telegram_webhook import is_loopback

GUEST, LINE, EXTENSION = "79001112233", "74950001122", "101"
OUTCOMES = ("answered", "missed", "outgoing")
SIGNING_KEY = "demo-signing-key-of-the-exchange"
UIS_SECRET = "demo-uis-secret"
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Post:
    """One delivery: what stands behind the webhook's address, the body, the headers."""

    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    tail: str = ""


@dataclass(frozen=True)
class Scene:
    """A call to be played. Seconds since 1970; `key` is new for each call, also of another run."""

    number: str = GUEST
    name: str = ""
    outcome: str = "answered"
    extension: str = EXTENSION
    began: float = field(default_factory=time.time)
    key: str = field(default_factory=lambda: f"{int(time.time())}-{next(_numbers)}")
    rang: float = 2.0
    talked: float = 12.0

    @property
    def answered_at(self) -> float:
        return self.began + self.rang

    @property
    def ended_at(self) -> float:
        return self.answered_at + (self.talked if self.outcome != "missed" else 0)


class PostingExchange(Provider):
    """An exchange with a webhook at `webhook`; loopback only."""

    def __init__(self, webhook: str = "") -> None:
        super().__init__()
        self.webhook = webhook
        self._client = httpx.Client(verify=web_authorities(), timeout=30)
        self.commands |= {"guest": lambda what: self.guest(**what), "webhook": self.register}

    def handle(self, request: Request) -> Reply | None:
        return None

    def posts(self, scene: Scene) -> Sequence[Post]:
        """The events of a call, in their order."""
        raise NotImplementedError

    def register(self, what: Mapping[str, Any]) -> None:
        self.webhook = str(what["url"])

    def guest(
        self,
        id: str = GUEST,
        name: str = "",
        text: str = "answered",
        extension: str = EXTENSION,
        *,
        twice: bool = False,
        shuffled: bool = False,
    ) -> list[int]:
        """Play a call; the HTTP statuses of its deliveries, 0 = no answer."""
        outcome = text if text in OUTCOMES else "answered"
        posts = list(self.posts(Scene(number=id.lstrip("+"), name=name, outcome=outcome, extension=extension)))
        posts = [post for post in posts for _ in range(2 if twice else 1)]
        if shuffled:
            random.Random(len(posts)).shuffle(posts)
        return [self.deliver(post) for post in posts]

    def deliver(self, post: Post) -> int:
        if not is_loopback(self.webhook):
            raise ValueError("the webhook is no address of this machine")
        try:
            status = self._client.post(self.webhook + post.tail, content=post.body, headers=dict(post.headers)).status_code
        except httpx.HTTPError:
            status = 0
        self.accepted.add({"kind": "delivery", "tail": post.tail, "status": status})
        return status

    def stop(self) -> None:
        self._client.close()


class VoiceExchange(PostingExchange):
    """Posts our own form, as a Voximplant scenario does."""

    name = "voice"

    def __init__(self, signing_key: str = SIGNING_KEY, webhook: str = "") -> None:
        super().__init__(webhook)
        self.signing_key = signing_key

    def posts(self, scene: Scene) -> Sequence[Post]:
        key, desk = scene.key, f"{scene.key}:{scene.extension}"
        if scene.outcome == "outgoing":
            told = [
                ("ringing", key, scene.began, {"operator_ext": scene.extension}),
                ("answered", key, scene.answered_at, {"operator_ext": scene.extension}),
            ]
        else:
            told = [("ringing", key, scene.began, {}), ("ringing", desk, scene.began + 1, {"operator_ext": scene.extension})]
            answer = ("answered", desk, scene.answered_at, {"operator_ext": scene.extension})
            told += [answer] if scene.outcome == "answered" else []
        told.append(("ended", key, scene.ended_at, {"reason": "hangup"}))
        return [self.signed(self.event(scene, number, *one)) for number, one in enumerate(told, 1)]

    def event(self, scene: Scene, number: int, kind: str, leg: str, at: float, more: Mapping[str, Any]) -> dict[str, Any]:
        out = scene.outcome == "outgoing"
        numbers = {"ani": LINE, "dnis": scene.number} if out else {"ani": scene.number or "anonymous", "dnis": LINE}
        common = {"provider": "demo", "type": kind, "call_key": scene.key, "leg_key": leg, "seq": number, "caller_name": scene.name}
        return {
            **common,
            **numbers,
            "direction": "outbound" if out else "inbound",
            "ts": datetime.fromtimestamp(at, UTC).isoformat(),
            **more,
        }

    def signed(self, event: Mapping[str, Any]) -> Post:
        body = json.dumps(event, ensure_ascii=False).encode()
        sign = hmac.new(self.signing_key.encode(), body, hashlib.sha256).hexdigest()
        headers = {"X-Signature": f"sha256={sign}", "X-Event-Id": f"{event['call_key']}/{event['seq']}", "Content-Type": "application/json"}
        return Post(body, headers)


class UisExchange(PostingExchange):
    """Fills the templates that an administrator has pasted; times are Moscow's, as in its account."""

    name = "uis"

    def __init__(self, secret: str = UIS_SECRET, webhook: str = "") -> None:
        super().__init__(webhook)
        self.secret = secret

    def posts(self, scene: Scene) -> Sequence[Post]:
        if scene.outcome == "outgoing":
            told = [("outbound", scene.began), ("answered", scene.answered_at), ("talk_ended", scene.ended_at), ("ended", scene.ended_at)]
        elif scene.outcome == "missed":
            told = [("inbound", scene.began), ("ringing", scene.began + 1), ("missed", scene.ended_at), ("ended", scene.ended_at)]
        else:
            told = [("inbound", scene.began), ("ringing", scene.began + 1), ("answered", scene.answered_at)]
            told += [("talk_ended", scene.ended_at), ("ended", scene.ended_at), ("recording", scene.ended_at + 1)]
        return [self.filled(scene, kind, at) for kind, at in told]

    def filled(self, scene: Scene, kind: str, at: float) -> Post:
        talked = scene.talked if scene.outcome != "missed" else 0
        values = {
            "call_session_id": scene.key,
            "leg_id": f"leg-{scene.key}",
            "notification_time": f"{datetime.fromtimestamp(at, ZoneInfo('Europe/Moscow')):%Y-%m-%d %H:%M:%S}",
            "direction": "out" if scene.outcome == "outgoing" else "in",
            "contact_phone_number": scene.number,
            "contact_full_name": scene.name,
            "virtual_phone_number": LINE,
            "employee_id": scene.extension if kind not in ("inbound", "missed") else "",
            "employee_full_name": "Анна Иванова",
            "scenario_name": "Основной",
            "wait_time_duration": str(round(scene.rang)),
            "talk_time_duration": str(round(talked)),
            "file_link": "https://records.example/1.mp3" if kind == "recording" else "",
        }
        text = body_of(kind)
        for name, value in values.items():
            text = text.replace(f"{{{{{name}}}}}", json.dumps(value, ensure_ascii=False)[1:-1])
        return Post(text.encode(), {"X-Otklik-Secret": self.secret, "Content-Type": "application/json"})
