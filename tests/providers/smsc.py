"""SMSC.ru's HTTP API for one account: send, status, balance, and the callback of statuses.

Commands besides the shared ones: `status` ({"id", "phone", "status", "err"?}: an SMS gets on; posts the signed callback, if a webhook
is known; "silent" = the callback is lost), `money` ({"sum"}). Nobody can write here: `guest` says so.
"""

import hashlib
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlencode

from tests.providers.faults import GARBAGE_BODY, Fault, FaultKind
from tests.providers.frame import Reply, Request, json_reply
from tests.providers.polled import ApiError, ApiServer, Perform

API_KEY, CALLBACK_SECRET = "demo-smsc-key", "demo-smsc-callback"
SENDERS = frozenset({"", "Lukoshko"})
KNOWN = frozenset(
    {"apikey", "login", "psw", "fmt", "charset", "phones", "mes", "id", "sender", "op", "err", "cost", "phone", "valid", "translit"}
)


@dataclass
class Sms:
    id: str
    phone: str
    text: str
    status: int = 0
    err: int = 0


class SmscServer(ApiServer):
    """`numbers_out` are telephones that cannot be reached (error 8)."""

    name = "smsc"

    def __init__(self, api_key: str = API_KEY, *, callback_secret: str = CALLBACK_SECRET, numbers_out: Sequence[str] = ()) -> None:
        super().__init__()
        self.api_key, self.callback_secret = api_key, callback_secret
        self.numbers_out = frozenset(numbers_out)
        self.money = 1000.0
        self.sent: dict[tuple[str, str], Sms] = {}
        self.commands |= {"status": self.progress, "money": self.pay}

    def routes(self) -> Sequence[tuple[str, str, str, Perform]]:
        return (
            ("POST", r"/sys/send\.php", "send", self.send),
            ("POST", r"/sys/status\.php", "status", self.status),
            ("POST", r"/sys/balance\.php", "balance", self.balance),
        )

    def fields(self, request: Request) -> dict[str, str]:
        """The form's fields in the charset it says. Raises ApiError."""
        if not request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded") or request.query:
            raise self.broken("parameters belong into a form, keys never into the address")
        form = {name: values[0] for name, values in parse_qs(request.body.decode(), keep_blank_values=True).items()}
        if form.get("fmt") != "3" or form.get("charset") != "utf-8":
            raise self.broken("fmt=3 and charset=utf-8 are needed")
        if unknown := set(form) - KNOWN:
            raise self.broken(f"unknown parameters {sorted(unknown)}")
        if form.get("apikey") != self.api_key:
            raise ApiError(200, "authorise error", "2")
        return form

    def send(self, request: Request, found: "re.Match[str]") -> Any:
        form = self.fields(request)
        phone, text, number = form.get("phones", ""), form.get("mes", ""), form.get("id", "")
        if not re.fullmatch(r"\d{11,15}", phone):
            raise ApiError(200, f"invalid number: {phone}", "7")
        if not 1 <= len(text) <= 1000 or form.get("cost") != "3":
            raise self.broken(f"send: a text of 1-1000 characters and cost=3 are needed, not {len(text)}")
        if not number.isdecimal() or not 1 <= int(number) <= 2**31 - 1:
            raise self.broken(f"send: id is a number from 1 to 2**31-1, not {number}")
        if form.get("sender", "") not in SENDERS:
            raise ApiError(200, "message is denied: sender", "6")
        if self.money <= 0:
            raise ApiError(200, "no money", "3")
        if phone in self.numbers_out:
            raise ApiError(200, f"message for {phone} cannot be delivered", "8")
        self.sent[number, phone] = Sms(number, phone, text)
        self.accepted.add({"id": number, "to": phone, "text": text, "sender": form.get("sender", "")})
        cost = {"cost": "2.4", "balance": str(self.money)}
        return {"id": int(number), "cnt": 1, **cost, "phones": [{"phone": phone, "cost": "2.4", "status": "0"}]}

    def status(self, request: Request, found: "re.Match[str]") -> Any:
        form = self.fields(request)
        sms = self.sent.get((form.get("id", ""), form.get("phone", "")))
        if sms is None:
            return {"status": -3, "last_date": "", "last_timestamp": 0}
        return {"status": sms.status, "err": sms.err, "last_timestamp": int(time.time())}

    def balance(self, request: Request, found: "re.Match[str]") -> Any:
        self.fields(request)
        return {"balance": str(self.money)}

    def error_reply(self, status: int, text: str, code: str = "") -> Reply:
        """Errors come with HTTP 200."""
        return json_reply({"error": text, "error_code": int(code) if code.isdecimal() else 1})

    def refuse(self, fault: Fault) -> Reply:
        codes = {FaultKind.THROTTLED: "9", FaultKind.TOKEN_REVOKED: "2", FaultKind.BLOCKED: "8"}
        if fault.kind in codes:
            return self.error_reply(200, f"{fault.kind} for 79161112233 on demand", codes[fault.kind])
        if fault.kind is FaultKind.GARBAGE:
            return Reply(fault.status or 200, GARBAGE_BODY, "text/html")
        return Reply(fault.status or 500, b"<html>Internal Server Error</html>", "text/html")

    def callback(self, sms: Sms) -> tuple[bytes, dict[str, str]]:
        """The body of a callback, signed, and its headers."""
        told = f"{sms.id}:{sms.phone}:{sms.status}:{self.callback_secret}".encode()
        fields: dict[str, Any] = {"id": sms.id, "phone": sms.phone, "status": sms.status, "err": sms.err, "ts": int(time.time())}
        fields |= {"sha1": hashlib.sha1(told).hexdigest(), "md5": hashlib.md5(told).hexdigest()}
        return urlencode(fields).encode(), {"Content-Type": "application/x-www-form-urlencoded"}

    def progress(self, what: Mapping[str, Any]) -> Any:
        """An SMS gets on; the HTTP statuses of its callbacks."""
        sms = self.sent[str(what["id"]), str(what["phone"])]
        sms.status, sms.err = int(what["status"]), int(what.get("err", 0))
        return [] if what.get("silent") else self.deliver(*self.callback(sms), times=int(what.get("times", 1)))

    def pay(self, what: Mapping[str, Any]) -> float:
        self.money = float(what["sum"])
        return self.money

    def guest(self, text: str = "", name: str = "Анна", id: str = "", **what: Any) -> Any:
        raise ValueError("nobody can write through SMSC: it only takes notices")

    def reset(self) -> None:
        super().reset()
        self.sent.clear()
        self.money = 1000.0
