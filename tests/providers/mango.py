"""Mango Office's exchange: signed notices, and its commands checked by the documented rules (key, sign over the JSON as sent, fields)."""

import hashlib
import json
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qs, urlencode

from tests.providers.exchanges import LINE, Post, PostingExchange, Scene
from tests.providers.faults import Fault, FaultKind
from tests.providers.frame import Reply, Request, json_reply, spoil

API_KEY, SALT = "demokey", "demosalt"
PREFIX = "/vpbx/"
SOUND = b"ID3\x04demo recording"


class MangoServer(PostingExchange):
    """One exchange. `shift` seconds are added to its times: 10800 for one that writes Moscow's clock into its epochs."""

    name = "mango"

    def __init__(self, key: str = API_KEY, salt: str = SALT, webhook: str = "", *, shift: int = 0) -> None:
        super().__init__(webhook)
        self.key, self.salt, self.shift = key, salt, shift
        self.recordings: dict[str, bytes] = {"rec-1": SOUND}
        self.sounds: set[str] = set()
        self.calls_in_menu: set[str] = set()
        self.route_apart, self.routed_at = 0.0, 0.0
        """Seconds that must lie between two routes (the vendor: 2)."""
        self.statistics_made: dict[str, list[dict[str, Any]]] = {}
        self.statistics_asked: set[str] = set()
        self.busy: set[str] = set()
        """Numbers that cannot be reached."""

    def sign(self, text: str) -> str:
        return hashlib.sha256((self.key + text + self.salt).encode()).hexdigest()

    def form(self, notice: Mapping[str, Any]) -> bytes:
        text = json.dumps(notice, ensure_ascii=False)
        return urlencode({"vpbx_api_key": self.key, "sign": self.sign(text), "json": text}).encode()

    def post(self, tail: str, notice: Mapping[str, Any]) -> Post:
        return Post(self.form(notice), {"Content-Type": "application/x-www-form-urlencoded"}, f"events/{tail}")

    def posts(self, scene: Scene) -> Sequence[Post]:
        legs = self.outgoing(scene) if scene.outcome == "outgoing" else self.incoming(scene)
        recorded = [self.recorded(scene)] if scene.outcome == "answered" else []
        return [*(self.post("call", leg) for leg in legs), self.post("summary", self.summary(scene)), *recorded]

    def epoch(self, at: float) -> int:
        return int(at) + self.shift

    def leg(self, scene: Scene, leg: str, seq: int, state: str, location: str, at: float, **more: Any) -> dict[str, Any]:
        caller = {"number": scene.number}
        called: dict[str, Any] = {"number": LINE, "line_number": LINE}
        if scene.outcome == "outgoing":
            caller, called = {"extension": scene.extension, "number": "sip:ivanova@vpbx"}, {"number": scene.number, "line_number": LINE}
        elif location == "abonent":
            called |= {"extension": scene.extension, "number": "sip:ivanova@vpbx"}
            caller["taken_from_call_id"] = f"{scene.key}-1"
        elif location == "queue":
            called["acd_group"] = "700"
        named = {"entry_id": f"E-{scene.key}", "call_id": f"{scene.key}-{leg}", "timestamp": self.epoch(at), "seq": str(seq)}
        return {**named, "call_state": state, "location": location, "from": caller, "to": called, "dct": {"type": 0}, **more}

    def incoming(self, scene: Scene) -> list[dict[str, Any]]:
        told = [
            self.leg(scene, "1", 1, "Appeared", "ivr", scene.began),
            self.leg(scene, "1", 2, "Connected", "ivr", scene.began),
            self.leg(scene, "1", 3, "Appeared", "queue", scene.began),
            self.leg(scene, "2", 1, "Appeared", "abonent", scene.began + 1),
        ]
        if scene.outcome == "answered":
            told.append(self.leg(scene, "2", 2, "Connected", "abonent", scene.answered_at))
        gone = {"disconnect_reason": 1100}
        told.append(self.leg(scene, "2", 3, "Disconnected", "abonent", scene.ended_at, **gone))
        return [*told, self.leg(scene, "1", 4, "Disconnected", "queue", scene.ended_at, **gone)]

    def outgoing(self, scene: Scene) -> list[dict[str, Any]]:
        return [
            self.leg(scene, "1", 1, "Appeared", "abonent", scene.began),
            self.leg(scene, "1", 2, "Connected", "abonent", scene.answered_at),
            self.leg(scene, "1", 3, "Disconnected", "abonent", scene.ended_at, disconnect_reason=1100),
        ]

    def summary(self, scene: Scene) -> dict[str, Any]:
        out, talked = scene.outcome == "outgoing", scene.outcome != "missed"
        guest, desk = {"number": scene.number}, {"extension": scene.extension, "number": "sip:ivanova@vpbx"}
        return {
            "entry_id": f"E-{scene.key}",
            "call_direction": 2 if out else 1,
            "from": desk if out else guest,
            "to": guest if out else desk,
            "line_number": LINE,
            "create_time": self.epoch(scene.began),
            "forward_time": self.epoch(scene.began),
            "talk_time": self.epoch(scene.answered_at) if talked else 0,
            "end_time": self.epoch(scene.ended_at),
            "entry_result": int(talked),
            "disconnect_reason": 1100,
        }

    def recorded(self, scene: Scene) -> Post:
        notice = {"entry_id": f"E-{scene.key}", "recording_id": "rec-1", "product_id": 1, "user_id": 7}
        return self.post("record/added", {**notice, "timestamp": self.epoch(scene.ended_at)})

    # Commands.

    def handle(self, request: Request) -> Reply | None:
        if request.path.startswith("/mango-file/"):
            return self.file(request.path.removeprefix("/mango-file/"))
        if not request.path.startswith(PREFIX):
            return None
        name = request.path.removeprefix(PREFIX).strip("/")
        fault = self.faults.take(name)
        return self.perform(name, request) if fault is None else spoil(fault, lambda: self.perform(name, request), refusal)

    def perform(self, name: str, request: Request) -> Reply:
        fields = {key: values[0] for key, values in parse_qs(request.body.decode()).items()}
        if request.method != "POST" or fields.keys() != {"vpbx_api_key", "sign", "json"}:
            self.violation(f"{name}: {request.method} with {sorted(fields)}")
            return json_reply({"result": 3100}, 400)
        if fields["vpbx_api_key"] != self.key or fields["sign"] != self.sign(fields["json"]):
            return json_reply({"name": "Unauthorized"}, 401)
        performer = self.performers.get(name)
        if performer is None:
            self.violation(f"no command {name}")
            return json_reply({}, 404)
        return performer(json.loads(fields["json"]))

    @property
    def performers(self) -> Mapping[str, Callable[[Mapping[str, Any]], Reply]]:
        return {
            "commands/callback": self.callback,
            "queries/recording/post": self.recording,
            "config/users/request": lambda _: json_reply(
                {"users": [{"general": {"name": "Анна", "user_id": 7}, "telephony": {"extension": "101"}}]}
            ),
            "commands/route": self.route,
            "commands/play/start": self.play,
            "commands/call/hangup": self.hang_up,
            "stats/calls/request": self.ask_statistics,
            "stats/calls/result": self.statistics,
        }

    # The voice menu.

    def dtmf(self, scene: Scene, digits: str, seq: int) -> Post:
        """The exchange's own menu has collected these keys."""
        parties = {"initiator": scene.number, "from_number": scene.number, "to_number": LINE, "line_number": LINE}
        named = {"entry_id": f"E-{scene.key}", "call_id": f"{scene.key}-1", "timestamp": self.epoch(scene.began), "seq": seq}
        return self.post("dtmf", {**named, "dtmf": digits, "location": "ivr/menu", **parties})

    def in_menu(self, scene: Scene) -> Post:
        self.calls_in_menu.add(f"{scene.key}-1")
        return self.post("call", self.leg(scene, "1", 2, "Connected", "ivr", scene.began))

    def command(self, name: str, command: Mapping[str, Any], *fields: str) -> Reply | None:
        """The refusal of a command about a call; None if it may be carried out."""
        if set(command) != {"command_id", "call_id", *fields} or not all(isinstance(one, str) and one for one in command.values()):
            self.violation(f"{name}: {dict(command)}")
            return json_reply({"result": 3100})
        if len(command["command_id"].encode()) > 128:
            self.violation(f"{name}: a command_id over 128 bytes")
        return None if command["call_id"] in self.calls_in_menu else json_reply({"result": 4101, "message": "no such call"})

    def route(self, command: Mapping[str, Any]) -> Reply:
        """At most one in two seconds; the call leaves the menu."""
        if refused := self.command("route", command, "to_number"):
            return refused
        if time.monotonic() - self.routed_at < self.route_apart:
            return json_reply({"name": "Service Unavailable", "message": "Rate limit exceeded.", "code": 0, "status": 429}, 429)
        self.routed_at = time.monotonic()
        self.calls_in_menu.discard(command["call_id"])
        self.accepted.add({"kind": "route", "call": command["call_id"], "to": command["to_number"]})
        return json_reply({"result": 1000})

    def play(self, command: Mapping[str, Any]) -> Reply:
        if refused := self.command("play/start", command, "internal_id"):
            return refused
        if command["internal_id"] not in self.sounds:
            return json_reply({"result": 3310, "message": "no such recording"})
        self.accepted.add({"kind": "play", "call": command["call_id"], "sound": command["internal_id"]})
        return json_reply({"result": 1000})

    def hang_up(self, command: Mapping[str, Any]) -> Reply:
        if refused := self.command("call/hangup", command):
            return refused
        self.calls_in_menu.discard(command["call_id"])
        self.accepted.add({"kind": "hangup", "call": command["call_id"]})
        return json_reply({"result": 1000})

    def ask_statistics(self, command: Mapping[str, Any]) -> Reply:
        """Dates as `dd.mm.yyyy hh:mm:ss`, at most a month; the rows are made while the asker waits."""
        allowed = {"1", "5", "10", "20", "50", "100", "500", "1000", "2000", "5000"}
        if set(command) != {"start_date", "end_date", "limit", "offset"} or str(command["limit"]) not in allowed:
            self.violation(f"stats/calls/request of {dict(command)}")
            return json_reply({"result": 3100})
        found = self.remembered(command["start_date"], command["end_date"], "Europe/Moscow", "%d.%m.%Y %H:%M:%S")
        rows = [self.call(scene) for scene in found][int(command["offset"]) :][: int(command["limit"])]
        key = f"key{len(self.statistics_made)}=="
        self.statistics_made[key] = rows
        return json_reply({"key": key})

    def statistics(self, command: Mapping[str, Any]) -> Reply:
        """Once it is told to wait, then the rows are given."""
        key = str(command.get("key"))
        if key not in self.statistics_made:
            return json_reply({"result": 1000, "status": "not-found"})
        if key not in self.statistics_asked:
            self.statistics_asked.add(key)
            return json_reply({"result": 1000, "status": "work"})
        return json_reply({"result": 1000, "status": "complete", "data": [{"list": self.statistics_made[key], "period": "x"}]})

    def call(self, scene: Scene) -> dict[str, Any]:
        took, out = scene.outcome != "missed", scene.outcome == "outgoing"
        talk = round(scene.talked) if took else 0
        leg = {"call_type": "user", "call_abonent_id": 7, "call_abonent_info": "Анна", "talk_duration": talk, "call_end_reason": 1100}
        leg |= {"recording_id": ["rec-1"] if scene.outcome == "answered" else [], "members": []}
        return {
            "entry_id": f"E-{scene.key}",
            "context_type": 2 if out else 1,
            "context_status": int(took),
            "caller_number": "sip:ivanova@vpbx" if out else scene.number,
            "called_number": scene.number if out else LINE,
            "context_start_time": int(scene.began),
            "duration": round(scene.ended_at - scene.began),
            "talk_duration": talk,
            "context_calls": [leg],
        }

    def callback(self, command: Mapping[str, Any]) -> Reply:
        number, caller = command.get("to_number"), command.get("from")
        if not command.get("command_id") or not isinstance(caller, dict) or not caller.get("extension"):
            self.violation(f"callback without command_id or extension: {dict(command)}")
            return json_reply({"result": 3101})
        if not isinstance(number, str) or not number.isdecimal() or not 10 <= len(number) <= 15:
            return json_reply({"result": 3200, "message": "wrong number"})
        if number in self.busy:
            return json_reply({"result": 4200, "message": "unreachable"})
        self.accepted.add({"kind": "callback", "extension": caller["extension"], "number": number, "line": command.get("line_number", "")})
        return json_reply({"result": 1000})

    def recording(self, command: Mapping[str, Any]) -> Reply:
        name = str(command.get("recording_id"))
        if name not in self.recordings:
            return json_reply({}, 404)
        return Reply(302, headers={"Location": f"/mango-file/{name}?once={int(time.time())}"})

    def file(self, name: str) -> Reply:
        data = self.recordings.get(name)
        return Reply(404) if data is None else Reply(200, data, "audio/mpeg")


def refusal(fault: Fault) -> Reply:
    """The fault in Mango's words."""
    if fault.kind is FaultKind.THROTTLED:
        return Reply(429, b"{}", headers={"Retry-After": str(int(fault.seconds))})
    if fault.kind in (FaultKind.TOKEN_REVOKED, FaultKind.BLOCKED):
        return json_reply({"name": "Unauthorized"}, 401)
    if fault.kind is FaultKind.GARBAGE:
        return Reply(fault.status or 200, b"<html>gateway", "text/html")
    return json_reply({"result": 5000}, fault.status or 500)
