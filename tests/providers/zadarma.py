"""Zadarma's exchange: signed notices, and its API checked by the documented rules (sorted query, MD5, HMAC-SHA1, hexadecimal in base64)."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import httpx

from tests.providers.exchanges import LINE, Post, PostingExchange, Scene
from tests.providers.faults import Fault, FaultKind
from tests.providers.frame import Reply, Request, json_reply, spoil

KEY, SECRET = "demo-zadarma-key", "demo-zadarma-secret"
SOUND = b"ID3\x04demo recording"
PATHS = {"/v1/request/callback/", "/v1/pbx/record/request/", "/v1/info/balance/", "/v1/statistics/pbx/"}
SIGNED = {
    "NOTIFY_ANSWER": ("caller_id", "destination", "call_start"),
    "NOTIFY_OUT_START": ("internal", "destination", "call_start"),
    "NOTIFY_OUT_END": ("internal", "destination", "call_start"),
    "NOTIFY_RECORD": ("pbx_call_id", "call_id_with_rec"),
}
OTHERS = ("caller_id", "called_did", "call_start")


class ZadarmaServer(PostingExchange):
    """One exchange; its clock is Moscow's."""

    name = "zadarma"

    def __init__(self, key: str = KEY, secret: str = SECRET, webhook: str = "") -> None:
        super().__init__(webhook)
        self.key, self.secret = key, secret
        self.url = ""
        self.recordings: dict[str, bytes] = {"rec-1": SOUND}
        self.sounds: set[str] = set()
        """Files uploaded for voice menus."""
        self.places = {"100", "101", "0-1", "0-main"}
        """Extensions, scenarios and menus that a call can be led to."""

    def start(self, base_url: str) -> None:
        self.url = base_url

    def sign(self, text: str) -> str:
        return base64.b64encode(hmac.new(self.secret.encode(), text.encode(), hashlib.sha1).hexdigest().encode()).decode()

    def notice(self, scene: Scene, event: str, **more: str) -> Post:
        begun = f"{datetime.fromtimestamp(scene.began, ZoneInfo('Europe/Moscow')):%Y-%m-%d %H:%M:%S}"
        fields = {"event": event, "call_start": begun, "pbx_call_id": f"in_{scene.key}", **more}
        signed = self.sign("".join(fields.get(name, "") for name in SIGNED.get(event, OTHERS)))
        return Post(urlencode(fields).encode(), {"Signature": signed, "Content-Type": "application/x-www-form-urlencoded"})

    def posts(self, scene: Scene) -> Sequence[Post]:
        talked = str(round(scene.talked))
        if scene.outcome == "outgoing":
            call = {"internal": scene.extension, "destination": scene.number}
            end = {"duration": talked, "disposition": "answered", "status_code": "16", "is_recorded": "0"}
            return [self.notice(scene, "NOTIFY_OUT_START", **call), self.notice(scene, "NOTIFY_OUT_END", **call, **end)]
        parties = {"caller_id": f"+{scene.number}" if scene.number else "Anonymous", "called_did": LINE}
        told = [self.notice(scene, "NOTIFY_START", **parties), self.notice(scene, "NOTIFY_INTERNAL", **parties, internal=scene.extension)]
        if scene.outcome == "missed":
            return [
                *told,
                self.notice(scene, "NOTIFY_END", **parties, duration="0", disposition="no answer", status_code="19", is_recorded="0"),
            ]
        caller = {"caller_id": parties["caller_id"], "destination": scene.extension, "internal": scene.extension}
        end = {
            "duration": talked,
            "disposition": "answered",
            "last_internal": scene.extension,
            "is_recorded": "1",
            "call_id_with_rec": "rec-1",
        }
        told += [self.notice(scene, "NOTIFY_ANSWER", **caller), self.notice(scene, "NOTIFY_END", **parties, **end)]
        return [*told, self.notice(scene, "NOTIFY_RECORD", call_id_with_rec="rec-1")]

    # The voice menu.

    def talk(self, scene: Scene, keys: Mapping[str, str], ask: Callable[[Post], bytes] | None = None) -> list[str]:
        """A caller who presses these keys when this recording is over; all that he hears, and where the call ends."""
        asking = ask or (lambda post: self._client.post(self.webhook, content=post.body, headers=dict(post.headers)).content)
        parties = {"caller_id": f"+{scene.number}", "called_did": LINE}
        heard: list[str] = []
        answer = self.told(asking(self.notice(scene, "NOTIFY_START", **parties)))
        for _turn in range(30):
            if "ivr_play" in answer:
                heard.append(str(answer["ivr_play"]))
            if "wait_dtmf" not in answer:
                break
            wait = answer["wait_dtmf"]
            digits = keys.get(heard[-1] if heard else "", "")[: wait["maxdigits"]]
            pressed = {"wait_dtmf[name]": wait["name"], "wait_dtmf[digits]": digits}
            pressed |= {} if digits else {"wait_dtmf[default_behaviour]": "1"}
            answer = self.told(asking(self.notice(scene, "NOTIFY_IVR", **parties, **pressed)))
        end = "hangup" if answer.get("hangup") else f"redirect {answer['redirect']}" if "redirect" in answer else "own scenario"
        return [*heard, end]

    def told(self, body: bytes) -> Mapping[str, Any]:
        """An answer to a question, checked: the fields of the vendor's own client, in their types."""
        answer: Mapping[str, Any] = json.loads(body or b"{}")
        wait, one_of = answer.get("wait_dtmf"), {"redirect", "hangup"} & set(answer)
        if set(answer) - {"ivr_play", "wait_dtmf", "redirect", "return_timeout", "hangup"}:
            self.violation(f"an answer with {sorted(answer)}")
        if len(one_of) > 1 or (one_of and ("ivr_play" in answer or wait)):
            self.violation(f"an answer that says several things: {sorted(answer)}")
        if "ivr_play" in answer and answer["ivr_play"] not in self.sounds:
            self.violation(f"no uploaded file {answer['ivr_play']}")
        if "redirect" in answer and (answer["redirect"] not in self.places or answer.get("return_timeout") not in (0, *range(3, 3600))):
            self.violation(f"redirect to {answer['redirect']} for {answer.get('return_timeout')}")
        if wait is not None:
            self.check_wait(wait)
        return answer

    def check_wait(self, wait: Mapping[str, Any]) -> None:
        whole = all(type(wait.get(name)) is int and wait[name] > 0 for name in ("timeout", "attempts", "maxdigits"))
        known = wait.get("default") == "hangup" or wait.get("default") in self.places
        if set(wait) != {"timeout", "attempts", "maxdigits", "name", "default"} or not whole or not known or not wait.get("name"):
            self.violation(f"wait_dtmf {dict(wait)}")

    def greet(self) -> str:
        """The handshake: the answer to zd_echo."""
        return httpx.get(self.webhook, params={"zd_echo": "echo-1234"}, timeout=10).text

    # The API.

    def handle(self, request: Request) -> Reply | None:
        if request.path.startswith("/zadarma-file/"):
            data = self.recordings.get(request.path.removeprefix("/zadarma-file/"))
            return Reply(404) if data is None else Reply(200, data, "audio/mpeg")
        if request.path not in PATHS:
            return None
        fault = self.faults.take(request.path)
        return self.perform(request) if fault is None else spoil(fault, lambda: self.perform(request), refusal)

    def perform(self, request: Request) -> Reply:
        if request.method != "GET":
            self.violation(f"{request.method} {request.path}")
        query = urlencode(sorted(request.query.items()))
        expected = f"{self.key}:{self.sign(request.path + query + hashlib.md5(query.encode()).hexdigest())}"
        if not hmac.compare_digest(request.headers.get("authorization", "").encode(), expected.encode()):
            return json_reply({"status": "error", "message": "Not authorized"}, 401)
        if request.path == "/v1/info/balance/":
            return json_reply({"status": "success", "balance": 10.34, "currency": "RUB"})
        if request.path == "/v1/statistics/pbx/":
            return self.statistics(request.query)
        return self.callback(request.query) if "callback" in request.path else self.record(request.query)

    def statistics(self, query: Mapping[str, str]) -> Reply:
        if set(query) != {"start", "end", "version", "skip", "limit"} or query["version"] != "2" or not 1 <= int(query["limit"]) <= 1000:
            self.violation(f"statistics of {dict(query)}")
        found = self.remembered(query["start"], query["end"], "Europe/Moscow")
        rows = [row for scene in found for row in self.rows(scene)][int(query["skip"]) :][: int(query["limit"])]
        return json_reply({"status": "success", "start": query["start"], "end": query["end"], "version": 2, "stats": rows})

    def rows(self, scene: Scene) -> list[dict[str, Any]]:
        """A call to a menu and on to a telephone has a row for each."""
        begun = f"{datetime.fromtimestamp(scene.began, ZoneInfo('Europe/Moscow')):%Y-%m-%d %H:%M:%S}"
        common = {"callstart": begun, "clid": f'"{scene.name}" <{scene.number}>', "pbx_call_id": f"in_{scene.key}", "is_recorded": "false"}
        if scene.outcome == "outgoing":
            talked = {"disposition": "answered", "seconds": round(scene.talked)}
            return [{**common, **talked, "call_id": f"{scene.key}.1", "sip": scene.extension, "destination": int(scene.number)}]
        took = scene.outcome == "answered"
        menu = {"disposition": "answered", "seconds": 2, "call_id": f"{scene.key}.1", "sip": scene.number, "destination": int(LINE)}
        desk = {"disposition": "answered" if took else "no answer", "seconds": round(scene.talked) if took else 0}
        return [
            {**common, **menu},
            {**common, **desk, "call_id": f"{scene.key}.2", "sip": scene.number, "destination": int(scene.extension)},
        ]

    def callback(self, query: Mapping[str, str]) -> Reply:
        if not query.get("from") or not query.get("to"):
            self.violation(f"callback without from or to: {dict(query)}")
            return json_reply({"status": "error", "message": "from and to are required"}, 400)
        if not query["to"].isdecimal() or len(query["to"]) < 10:
            return json_reply({"status": "error", "message": "Wrong number"}, 400)
        self.accepted.add({"kind": "callback", "extension": query["from"], "number": query["to"]})
        return json_reply({"status": "success", "from": query["from"], "to": query["to"], "time": 1435573082})

    def record(self, query: Mapping[str, str]) -> Reply:
        if query.get("call_id") not in self.recordings:
            return json_reply({"status": "error", "message": "No record"}, 404)
        return json_reply({"status": "success", "link": f"{self.url}/zadarma-file/{query['call_id']}"})


def refusal(fault: Fault) -> Reply:
    """The fault in Zadarma's words."""
    if fault.kind is FaultKind.THROTTLED:
        return Reply(429, b'{"status":"error","message":"Too many requests"}', headers={"Retry-After": str(int(fault.seconds))})
    if fault.kind in (FaultKind.TOKEN_REVOKED, FaultKind.BLOCKED):
        return json_reply({"status": "error", "message": "Not authorized"}, 401)
    if fault.kind is FaultKind.GARBAGE:
        return Reply(fault.status or 200, b"<html>gateway", "text/html")
    return json_reply({"status": "error", "message": "Internal"}, fault.status or 500)
