"""SMS Aero's API v2 for one account: sms/send, sms/testsend, sms/status, auth, and the callback to the address of each send.

Commands besides the shared ones: `status` ({"id", "status", "extendStatus"?, "silent"?}: an SMS gets on and its address is told).
Nobody can write here: `guest` says so.
"""

import base64
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx

from omni.channels.trust import web_authorities
from tests.providers.frame import Reply, Request, json_reply
from tests.providers.polled import LOOPBACK, ApiError, ApiServer, Perform

EMAIL, API_KEY, SIGN = "otklik@shop.example", "demo-aero-key", "Lukoshko"


@dataclass
class Sms:
    id: int
    phone: str
    text: str
    callback: str
    status: int = 0
    extended: str = "queue"


class SmsAeroServer(ApiServer):
    """`signs` are the registered senders, `blacklist` telephones that want nothing."""

    name = "smsaero"

    def __init__(
        self, email: str = EMAIL, api_key: str = API_KEY, *, signs: Sequence[str] = (SIGN,), blacklist: Sequence[str] = ()
    ) -> None:
        super().__init__()
        self.email, self.api_key = email, api_key
        self.signs, self.blacklist = frozenset(signs), frozenset(blacklist)
        self.money = 1000.0
        self.sent: dict[int, Sms] = {}
        self.commands |= {"status": self.progress}

    def routes(self) -> Sequence[tuple[str, str, str, Perform]]:
        return (
            ("POST", r"/v2/sms/(send|testsend)", "send", self.send),
            ("POST", r"/v2/sms/status", "status", self.status),
            ("POST", r"/v2/auth", "auth", lambda request, found: {"success": True, "data": None, "message": "Successful authorization."}),
        )

    def authorise(self, request: Request) -> None:
        expected = "Basic " + base64.b64encode(f"{self.email}:{self.api_key}".encode()).decode()
        if request.query:
            self.violation("parameters belong into the body")
        if request.headers.get("authorization") != expected:
            raise ApiError(401, "Your request was made with invalid credentials. Auth failed.")

    def error_reply(self, status: int, text: str, code: str = "") -> Reply:
        return json_reply({"success": False, "data": None, "message": text}, status)

    def send(self, request: Request, found: "re.Match[str]") -> Any:
        body = self.body_of(request, "number", "text", "sign")
        if unknown := set(body) - {"number", "text", "sign", "callbackUrl", "callbackFormat", "dateSend"}:
            raise self.broken(f"send: unknown fields {sorted(unknown)}")
        text = self.text_of(request, body["text"], 640, 2)
        if not re.fullmatch(r"\d{11,15}", str(body["number"])):
            raise ApiError(400, f"Incorrect phone number {body['number']}")
        if body["sign"] not in self.signs:
            raise ApiError(400, "Validation error: incorrect sign.")
        if body["number"] in self.blacklist:
            raise ApiError(400, f"Number {body['number']} is in the blacklist")
        if self.money <= 0:
            raise ApiError(402, "No credits.")
        sms = Sms(next(self.numbers) + 1, str(body["number"]), text, str(body.get("callbackUrl", "")))
        self.sent[sms.id] = sms
        dry = found[1] == "testsend"
        self.accepted.add({"id": sms.id, "to": sms.phone, "text": text, "sign": body["sign"], "callback": sms.callback, "dry": dry})
        return {"success": True, "data": self.shown(sms), "message": None}

    def shown(self, sms: Sms) -> dict[str, Any]:
        about = {"id": sms.id, "number": sms.phone, "text": sms.text, "status": sms.status, "extendStatus": sms.extended}
        return {**about, "channel": "FREE SIGN", "cost": 5.49, "from": SIGN}

    def status(self, request: Request, found: "re.Match[str]") -> Any:
        number = self.body_of(request, "id")["id"]
        if number not in self.sent:
            raise ApiError(404, "SMS not found")
        return {"success": True, "data": self.shown(self.sent[number]), "message": None}

    def progress(self, what: Mapping[str, Any]) -> Any:
        """An SMS gets on; the HTTP statuses of the posts to its address."""
        sms = self.sent[int(what["id"])]
        sms.status, sms.extended = int(what["status"]), str(what.get("extendStatus") or f"status {what['status']}")
        if what.get("silent") or urlsplit(sms.callback).hostname not in LOOPBACK:
            return []
        body, headers = self.callback(sms)
        with httpx.Client(verify=web_authorities(), timeout=30) as client:
            return [client.post(sms.callback, content=body, headers=headers).status_code for _ in range(int(what.get("times", 1)))]

    def callback(self, sms: Sms) -> tuple[bytes, dict[str, str]]:
        """The body of a callback and its headers; nothing signs it."""
        return json.dumps(self.shown(sms)).encode(), {"Content-Type": "application/json"}

    def guest(self, text: str = "", name: str = "Анна", id: str = "", **what: Any) -> Any:
        raise ValueError("nobody can write through SMS Aero: it only takes notices")

    def reset(self) -> None:
        super().reset()
        self.sent.clear()
        self.money = 1000.0
