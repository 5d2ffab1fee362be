"""Firebase Cloud Messaging, HTTP v1, for one project, and the address that gives keys to service accounts (RFC 7523).

Commands besides the shared ones: `uninstall` ({"token"}: the app is gone from the device), `install` ({"token"}).
Every token is taken until it was uninstalled; those that begin with "foreign" belong to another project.
"""

import json
import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any
from urllib.parse import parse_qs

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.providers.faults import Fault, FaultKind
from tests.providers.frame import Reply, Request, json_reply
from tests.providers.polled import ApiError, ApiServer, Perform

PROJECT, EMAIL = "lukoshko-app", "otklik@lukoshko-app.iam.example"
SCOPE = "https://www.googleapis.com/auth/firebase.messaging"
FCM_ERROR = "type.googleapis.com/google.firebase.fcm.v1.FcmError"
SHORTEST_TOKEN = 8
WORDS = {
    "UNREGISTERED": (404, "NOT_FOUND", "Requested entity was not found."),
    "SENDER_ID_MISMATCH": (403, "PERMISSION_DENIED", "SenderId mismatch"),
    "QUOTA_EXCEEDED": (429, "RESOURCE_EXHAUSTED", "Quota exceeded."),
    "UNAVAILABLE": (503, "UNAVAILABLE", "The service is currently unavailable."),
    "INTERNAL": (500, "INTERNAL", "Internal error encountered."),
    "THIRD_PARTY_AUTH_ERROR": (401, "UNAUTHENTICATED", "APNs certificate or web push auth key was invalid or missing."),
    "INVALID_ARGUMENT": (400, "INVALID_ARGUMENT", "The registration token is not a valid FCM registration token"),
}


@cache
def _common_key() -> rsa.RSAPrivateKey:
    """One for all servers of a process: to find its primes takes longer than most tests."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


class FcmServer(ApiServer):
    """`service_account(base)` is the JSON an account needs."""

    name = "fcm"

    def __init__(self, project: str = PROJECT, *, key: rsa.RSAPrivateKey | None = None) -> None:
        super().__init__()
        self.project = project
        self.key = key or _common_key()
        self.keys: set[str] = set()
        self.gone: set[str] = set()
        self.base = ""
        self.commands |= {
            "uninstall": lambda what: self.gone.add(str(what["token"])),
            "install": lambda what: self.gone.discard(str(what["token"])),
        }

    def start(self, base_url: str) -> None:
        self.base = base_url

    def service_account(self, base: str = "") -> str:
        pem = self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
        about = {"type": "service_account", "project_id": self.project, "client_email": EMAIL, "private_key_id": "k1", "private_key": pem}
        return json.dumps({**about, "token_uri": f"{base or self.base}/fcm-keys/token"})

    def routes(self) -> Sequence[tuple[str, str, str, Perform]]:
        return (
            ("POST", r"/fcm-keys/token", "token", self.give_key),
            ("POST", r"/v1/projects/([^/]+)/messages:send", "send", self.send),
        )

    def authorise(self, request: Request) -> None:
        if request.path == "/fcm-keys/token":
            return
        if request.headers.get("authorization", "").removeprefix("Bearer ") not in self.keys:
            raise ApiError(401, "Request had invalid authentication credentials.", "UNAUTHENTICATED")

    def error_reply(self, status: int, text: str, code: str = "") -> Reply:
        if code == "invalid_grant":
            return json_reply({"error": code, "error_description": text}, status)
        if code in WORDS:
            status, name, text = WORDS[code][0], WORDS[code][1], text or WORDS[code][2]
            details = [{"@type": FCM_ERROR, "errorCode": code}]
            return json_reply({"error": {"code": status, "message": text, "status": name, "details": details}}, status)
        return json_reply({"error": {"code": status, "message": text, "status": code or "INVALID_ARGUMENT"}}, status)

    def refuse(self, fault: Fault) -> Reply:
        codes = {FaultKind.THROTTLED: "QUOTA_EXCEEDED", FaultKind.BLOCKED: "UNREGISTERED"}
        if fault.kind is FaultKind.SERVER_ERROR:
            codes[fault.kind] = "UNAVAILABLE" if fault.status == 503 else "INTERNAL"
        if fault.kind not in codes:
            return super().refuse(fault)
        headers = {"Retry-After": str(int(fault.seconds))} if fault.kind is FaultKind.THROTTLED else {}
        reply = self.error_reply(0, "", codes[fault.kind])
        return Reply(reply.status, reply.body, reply.content_type, headers)

    def give_key(self, request: Request, found: "re.Match[str]") -> Any:
        form = {key: values[0] for key, values in parse_qs(request.body.decode()).items()}
        if form.get("grant_type") != "urn:ietf:params:oauth:grant-type:jwt-bearer":
            raise self.broken("token: wrong grant_type")
        try:
            claims = jwt.decode(form.get("assertion", ""), self.key.public_key(), ["RS256"], audience=f"{self.base}/fcm-keys/token")
        except jwt.PyJWTError as error:
            raise ApiError(400, f"Invalid JWT Signature: {error}", "invalid_grant") from None
        if claims["iss"] != EMAIL or claims["scope"] != SCOPE or claims["exp"] - claims["iat"] > 3600:
            raise self.broken("token: iss, scope or exp are wrong")
        key = f"ya29.fcm-{next(self.numbers)}"
        self.keys.add(key)
        return {"access_token": key, "expires_in": 3599, "token_type": "Bearer"}

    def send(self, request: Request, found: "re.Match[str]") -> Any:
        if found[1] != self.project:
            raise ApiError(404, "Requested project was not found.", "NOT_FOUND")
        message = self.body_of(request, "message")["message"]
        if unknown := set(message) - {"token", "notification", "data", "android", "apns"}:
            raise self.broken(f"send: unknown fields {sorted(unknown)}")
        self.check_message(message)
        token = message.get("token", "")
        if not isinstance(token, str) or len(token) < SHORTEST_TOKEN or "check" in token:
            raise ApiError(400, "", "INVALID_ARGUMENT")
        if token in self.gone:
            raise ApiError(404, "", "UNREGISTERED")
        if token.startswith("foreign"):
            raise ApiError(403, "", "SENDER_ID_MISMATCH")
        name = f"projects/{self.project}/messages/0:{next(self.numbers)}"
        notice = message["notification"]
        thread = message["android"]["collapse_key"]
        told = {"id": name, "to": token, "title": notice.get("title", ""), "text": notice["body"], "data": message["data"]}
        self.accepted.add({**told, "thread": thread})
        return {"name": name}

    def check_message(self, message: Mapping[str, Any]) -> None:
        """FCM's rules for what a message may hold. Raises ApiError."""
        data, notice = message.get("data", {}), message.get("notification", {})
        if not all(isinstance(value, str) for value in data.values()):
            raise self.broken("send: values of data are texts")
        if reserved := [name for name in data if name in ("from", "message_type") or name.startswith(("google.", "gcm."))]:
            raise self.broken(f"send: reserved keys in data: {reserved}")
        if set(notice) - {"title", "body", "image"} or not notice.get("body"):
            raise self.broken("send: a notification has title, body, image")
        if len(json.dumps([notice, data], ensure_ascii=False).encode()) > 4096:
            raise self.broken("send: more than 4096 bytes")
        android, headers = message.get("android", {}), message.get("apns", {}).get("headers", {})
        if android.get("priority") not in ("NORMAL", "HIGH") or not re.fullmatch(r"\d+(\.\d+)?s", android.get("ttl", "")):
            raise self.broken("send: android.priority or android.ttl is wrong")
        if not all(isinstance(value, str) for value in headers.values()) or len(headers.get("apns-collapse-id", "").encode()) > 64:
            raise self.broken("send: headers of APNs are texts, its collapse id has at most 64 bytes")

    def guest(self, text: str = "", name: str = "Анна", id: str = "", **what: Any) -> Any:
        raise ValueError("nobody can write through FCM: it only takes notices")

    def reset(self) -> None:
        super().reset()
        self.gone.clear()
