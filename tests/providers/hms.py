"""Huawei's Push Kit v1 for one app, and the address that gives keys by client credentials.

Commands besides the shared ones: `uninstall` ({"token"}), `install` ({"token"}).
"""

import json
import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qs

from tests.providers.faults import Fault, FaultKind
from tests.providers.frame import Reply, Request, json_reply
from tests.providers.polled import ApiError, ApiServer, Perform

APP_ID, APP_SECRET = "104000777", "demo-hms-secret"
SHORTEST_TOKEN = 8


class HmsServer(ApiServer):
    """Errors of the API come with HTTP 200 and a code in text; flow control is a 503."""

    name = "hms"
    throttled = 503

    def __init__(self, app_id: str = APP_ID, app_secret: str = APP_SECRET) -> None:
        super().__init__()
        self.app_id, self.app_secret = app_id, app_secret
        self.keys: set[str] = set()
        self.gone: set[str] = set()
        self.commands |= {
            "uninstall": lambda what: self.gone.add(str(what["token"])),
            "install": lambda what: self.gone.discard(str(what["token"])),
        }

    def routes(self) -> Sequence[tuple[str, str, str, Perform]]:
        return (
            ("POST", r"/oauth2/v3/token", "token", self.give_key),
            ("POST", rf"/v1/{self.app_id}/messages:send", "send", self.send),
        )

    def authorise(self, request: Request) -> None:
        if request.path.endswith("/token"):
            return
        if request.headers.get("authorization", "").removeprefix("Bearer ") not in self.keys:
            raise ApiError(200, "Oauth authentication error.", "80200001")

    def error_reply(self, status: int, text: str, code: str = "") -> Reply:
        if code == "1101":
            return json_reply({"error": 1101, "sub_error": 20001, "error_description": text}, 400)
        return json_reply({"code": code or "80100001", "msg": text, "requestId": str(next(self.numbers))}, status if status >= 500 else 200)

    def refuse(self, fault: Fault) -> Reply:
        codes = {FaultKind.TOKEN_REVOKED: "80200003", FaultKind.BLOCKED: "80300007"}
        if fault.kind in codes:
            return self.error_reply(200, f"{fault.kind} on demand", codes[fault.kind])
        if fault.kind is FaultKind.THROTTLED:
            return Reply(503, b"", "text/plain", {"Retry-After": str(int(fault.seconds))})
        if fault.kind is FaultKind.SERVER_ERROR and not fault.status:
            return self.error_reply(200, "The system is wrong inside.", "81000001")
        return super().refuse(fault)

    def give_key(self, request: Request, found: "re.Match[str]") -> Any:
        form = {key: values[0] for key, values in parse_qs(request.body.decode()).items()}
        if form.get("grant_type") != "client_credentials":
            raise self.broken("token: wrong grant_type")
        if (form.get("client_id"), form.get("client_secret")) != (self.app_id, self.app_secret):
            raise ApiError(400, "invalid client", "1101")
        key = f"hms-key-{next(self.numbers)}"
        self.keys.add(key)
        return {"access_token": key, "expires_in": 3600, "token_type": "Bearer"}

    def send(self, request: Request, found: "re.Match[str]") -> Any:
        body = self.body_of(request, "message")
        message = body["message"]
        tokens = message.get("token")
        if body.get("validate_only") is not False or set(message) - {"notification", "android", "token", "data"}:
            raise self.broken("send: validate_only or an unknown field")
        if not isinstance(tokens, list) or not 1 <= len(tokens) <= 1000:
            raise ApiError(200, "The number of tokens is wrong.", "80300010")
        notice, android = message.get("notification", {}), message.get("android", {})
        if (
            not notice.get("title")
            or not notice.get("body")
            or android.get("notification", {}).get("click_action", {}).get("type") not in (1, 3)
        ):
            raise self.broken("send: title, body and click_action are needed")
        if not isinstance(message.get("data", ""), str) or not re.fullmatch(r"\d+s", android.get("ttl", "")):
            raise self.broken("send: data is a text, ttl is seconds with an s")
        if len(json.dumps({**message, "token": []}, ensure_ascii=False).encode()) > 4096:
            raise ApiError(200, "The message is too large.", "80300008")
        return self.take(tokens, message)

    def take(self, tokens: list[str], message: dict[str, Any]) -> Any:
        illegal = [token for token in tokens if token in self.gone or len(token) < SHORTEST_TOKEN or "check" in token]
        for token in tokens:
            if token not in illegal:
                notice = message["notification"]
                told = {"to": token, "title": notice["title"], "text": notice["body"], "data": json.loads(message.get("data", "{}"))}
                self.accepted.add({**told, "thread": message["android"]["notification"].get("tag", "")})
        if len(illegal) == len(tokens):
            raise ApiError(200, "All tokens are invalid.", "80300007")
        if illegal:
            msg = json.dumps({"success": len(tokens) - len(illegal), "failure": len(illegal), "illegal_tokens": illegal})
            return {"code": "80100000", "msg": msg, "requestId": str(next(self.numbers))}
        return {"code": "80000000", "msg": "Success", "requestId": str(next(self.numbers))}

    def guest(self, text: str = "", name: str = "Анна", id: str = "", **what: Any) -> Any:
        raise ValueError("nobody can write through Huawei's push: it only takes notices")

    def reset(self) -> None:
        super().reset()
        self.gone.clear()
