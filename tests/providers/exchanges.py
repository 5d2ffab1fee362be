"""Telephone exchanges that post their events: the base, the one that posts our own signed form, and UIS with our templates.

A guest calls by `POST /_control/<name>/guest` {"id": number, "name": ..., "text": "answered" | "missed" | "outgoing",
"extension": "101", "twice": bool, "shuffled": bool, "lost": bool}; lost = no notice is sent; an empty id is a withheld number.
The answer tells the statuses of the deliveries.
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
from urllib.parse import parse_qsl
from zoneinfo import ZoneInfo

import httpx

from omni.channels.trust import web_authorities
from omni.channels.uis.template import body_of
from tests.providers.faults import Fault, FaultKind
from tests.providers.frame import Provider, Reply, Request, json_reply, spoil
from tests.providers.telegram_webhook import is_loopback

GUEST, LINE, EXTENSION = "79001112233", "74950001122", "101"
OUTCOMES = ("answered", "missed", "outgoing")
SIGNING_KEY = "demo-signing-key-of-the-exchange"
UIS_SECRET, DATA_TOKEN = "demo-uis-secret", "demo-data-api-token"
VOXIMPLANT, VOXIMPLANT_KEY = "1", "demo-voximplant-key"
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
        self.history: list[Scene] = []
        """All calls, also those whose notices were lost: what the exchange itself remembers."""
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
        lost: bool = False,
    ) -> list[int]:
        """Play a call; the HTTP statuses of its deliveries, 0 = no answer."""
        outcome = text if text in OUTCOMES else "answered"
        scene = Scene(number=id.lstrip("+"), name=name, outcome=outcome, extension=extension)
        self.history.append(scene)
        posts = [] if lost else list(self.posts(scene))
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

    def remembered(self, start: str, end: str, zone: str, form: str = "%Y-%m-%d %H:%M:%S") -> list[Scene]:
        """The calls that began in this time of the exchange's clock. Raises ValueError for what is no time."""
        since, until = (datetime.strptime(one, form).replace(tzinfo=ZoneInfo(zone)).timestamp() for one in (start, end))
        return [scene for scene in self.history if since <= scene.began <= until]

    def reset(self) -> None:
        super().reset()
        self.history.clear()

    def stop(self) -> None:
        self._client.close()


class VoiceExchange(PostingExchange):
    """Posts our own form, as a Voximplant scenario does."""

    name = "voice"

    def __init__(self, signing_key: str = SIGNING_KEY, webhook: str = "") -> None:
        super().__init__(webhook)
        self.signing_key = signing_key

    # Voximplant's Management API.

    def handle(self, request: Request) -> Reply | None:
        if request.path != "/platform_api/GetCallHistory":
            return None
        fault = self.faults.take("GetCallHistory")
        return self.tell(request) if fault is None else spoil(fault, lambda: self.tell(request), out_of_order)

    def tell(self, request: Request) -> Reply:
        asked = dict(parse_qsl(request.body.decode()))
        if request.method != "POST" or request.query:
            self.violation(f"GetCallHistory: {request.method}, fields in the address: {sorted(request.query)}")
        if (asked.get("account_id"), asked.get("api_key")) != (VOXIMPLANT, VOXIMPLANT_KEY):
            return json_reply({"error": {"code": 100, "msg": "Authorization failed"}})
        if asked.get("with_calls") != "true" or asked.get("timezone") != "Etc/UTC" or not 1 <= int(asked.get("count", "20")) <= 1000:
            self.violation(f"GetCallHistory of {asked}")
        try:
            found = self.remembered(asked["from_date"], asked["to_date"], "UTC")
        except (KeyError, ValueError):
            return json_reply({"error": {"code": 201, "msg": "The 'from_date' parameter is invalid."}})
        rows = [self.session(scene) for scene in found][int(asked.get("offset", "0")) :][: int(asked.get("count", "20"))]
        return json_reply({"result": rows, "count": len(rows), "total_count": len(found), "timezone": "Etc/UTC"})

    def session(self, scene: Scene) -> dict[str, Any]:
        def call(incoming: bool, number: str, kind: str, at: float, seconds: float, successful: bool) -> dict[str, Any]:
            begun = f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M:%S}"
            parties = {"incoming": incoming, "remote_number": number, "remote_number_type": kind, "local_number": LINE}
            return {**parties, "call_id": 1, "start_time": begun, "duration": round(seconds), "successful": successful}

        took = scene.outcome != "missed"
        guest = call(scene.outcome != "outgoing", scene.number or "anonymous", "pstn", scene.began, scene.ended_at - scene.began, True)
        desk = call(False, scene.extension, "user", scene.answered_at, scene.talked if took else 0, took)
        begun = f"{datetime.fromtimestamp(scene.began, UTC):%Y-%m-%d %H:%M:%S}"
        return {"call_session_history_id": scene.key, "start_date": begun, "duration": 1, "calls": [guest, desk]}

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

    # The Data API.

    def handle(self, request: Request) -> Reply | None:
        if request.path != "/v2.0":
            return None
        fault = self.faults.take("get.calls_report")
        return self.report(request) if fault is None else spoil(fault, lambda: self.report(request), out_of_order)

    def report(self, request: Request) -> Reply:
        call = request.json()
        asked = call.get("params", {})
        if call.get("jsonrpc") != "2.0" or call.get("method") != "get.calls_report" or "id" not in call:
            self.violation(f"a call of the Data API: {sorted(call)}")
        if asked.get("access_token") != DATA_TOKEN:
            data = {"mnemonic": "access_token_invalid"}
            return json_reply(
                {"jsonrpc": "2.0", "id": call.get("id"), "error": {"code": -32001, "message": "Access token invalid", "data": data}}
            )
        if (
            set(asked) - {"access_token", "date_from", "date_till", "limit", "offset", "fields"}
            or not 1 <= asked.get("limit", 1000) <= 10000
        ):
            self.violation(f"get.calls_report of {sorted(asked)}")
        found = self.remembered(asked["date_from"], asked["date_till"], "Europe/Moscow")
        rows = [{name: self.row(scene)[name] for name in asked["fields"]} for scene in found]
        rows = rows[asked.get("offset", 0) :][: asked.get("limit", 1000)]
        return json_reply({"jsonrpc": "2.0", "id": call["id"], "result": {"data": rows, "metadata": {"total_items": len(found)}}})

    def row(self, scene: Scene) -> dict[str, Any]:
        def moment(at: float) -> str:
            return f"{datetime.fromtimestamp(at, ZoneInfo('Europe/Moscow')):%Y-%m-%d %H:%M:%S}"

        took = scene.outcome != "missed"
        return {
            "id": scene.key,
            "start_time": moment(scene.began),
            "finish_time": moment(scene.ended_at),
            "finish_reason": "success_finish" if took else "no_operation",
            "direction": "out" if scene.outcome == "outgoing" else "in",
            "is_lost": not took,
            "virtual_phone_number": LINE,
            "contact_phone_number": scene.number,
            "talk_duration": round(scene.talked) if took else 0,
            "wait_duration": round(scene.rang),
            "last_answered_employee_id": int(scene.extension) if took else None,
        }

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


def out_of_order(fault: Fault) -> Reply:
    """A fault on the way to a question about the history."""
    if fault.kind is FaultKind.THROTTLED:
        return Reply(429, b"{}", headers={"Retry-After": str(int(fault.seconds))})
    if fault.kind is FaultKind.GARBAGE:
        return Reply(fault.status or 200, b"<html>gateway", "text/html")
    return json_reply({}, fault.status or 500)
