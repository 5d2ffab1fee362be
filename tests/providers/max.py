"""A MAX Bot API server (https://dev.max.ru/docs-api): checks every call by the published schema, delivers updates to the webhook.

`guest` takes {"text", "name", "id"} and one of: `photo`, `document`, `voice`, `video` (bytes, from the control plane base64), `edit`
(message id, with `text`), `delete` (message id), `reply_to` (message id), `press` (payload, with `reply_to`), `tap` (the text of a button
under `reply_to`), `block` (bool).
"""

import base64
import hmac
import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tests.providers.faults import Fault, FaultKind
from tests.providers.frame import Reply, Request, json_reply
from tests.providers.social import Check, Event, SocialServer, check_fields, multipart
from tests.providers.telegram_webhook import is_loopback

TOKEN = "demo-max-token-of-the-provider-server"
SECRET = "demo-max-secret"
BOT = {
    "user_id": 1,
    "first_name": "Лукошко",
    "username": "lukoshko_bot",
    "is_bot": True,
    "last_activity_time": 1772524805000,
    "name": "Лукошко",
}
DIALOGUES = 900_000_000
"""A dialogue's number is not the person's."""


class MaxError(Exception):
    """An error answer: HTTP status, key, sentence."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


def text(value: Any) -> bool:
    return value is None or (isinstance(value, str) and 0 < len(value) <= 4000)


def link(value: Any) -> bool:
    return value is None or (isinstance(value, dict) and value.get("type") in ("reply", "forward") and isinstance(value.get("mid"), str))


def attachments(value: Any) -> bool:
    """A file must be the only attachment of its message."""
    if value is None:
        return True
    kinds = [one.get("type") for one in value]
    if not all(keyboard(one) for one in value if one.get("type") == "inline_keyboard"):
        return False
    return set(kinds) <= {"image", "video", "audio", "file", "inline_keyboard"} and ("file" not in kinds or len(kinds) == 1)


def keyboard(attachment: Mapping[str, Any]) -> bool:
    """30 rows of at most 7 buttons, 210 in all; texts of 128 and payloads of 1024 characters."""
    rows = attachment["payload"].get("buttons")
    if set(attachment["payload"]) != {"buttons"} or not isinstance(rows, list) or not 0 < len(rows) <= 30:
        return False
    return all(1 <= len(row) <= 7 and all(map(button, row)) for row in rows)


def button(found: Mapping[str, Any]) -> bool:
    fit = 0 < len(found.get("text", "")) <= 128 and 0 < len(found.get("payload", "")) <= 1024
    return found.get("type") == "callback" and fit and not set(found) - {"type", "text", "payload", "intent"}


def flag(value: Any) -> bool:
    return isinstance(value, bool)


def address(value: Any) -> bool:
    """https, or a loopback address for a product under test."""
    return isinstance(value, str) and (value.startswith("https://") or is_loopback(value))


def secret(value: Any) -> bool:
    return isinstance(value, str) and bool(re.fullmatch(r"[A-Za-z0-9_-]{5,256}", value))


MESSAGE: Mapping[str, tuple[bool, Check]] = {
    "text": (True, text),
    "attachments": (True, attachments),
    "link": (True, link),
    "notify": (False, flag),
    "format": (False, lambda value: value in ("markdown", "html")),
}
SUBSCRIPTION: Mapping[str, tuple[bool, Check]] = {
    "url": (True, address),
    "update_types": (False, lambda value: isinstance(value, list) and len(set(value)) == len(value)),
    "secret": (False, secret),
}


class MaxServer(SocialServer):
    """One bot. `unready` = how many sends with a fresh upload are answered "not ready yet" first."""

    name = "max"
    prefix = "/max"

    def __init__(
        self, *, token: str = TOKEN, secret: str = SECRET, callback: str = "", pauses: Sequence[float] = (1.0, 2.0, 4.0), unready: int = 0
    ) -> None:
        super().__init__(callback=callback, pauses=pauses)
        self.token, self.secret, self.unready = token, secret, unready
        self.messages: dict[str, dict[str, Any]] = {}
        self.subscriptions: list[dict[str, Any]] = []
        self.waits: dict[str, int] = {}
        self.videos: dict[str, str] = {}
        self.pressed: list[str] = []

    def method_of(self, path: str) -> str:
        return path.strip("/").partition("/")[0]

    def perform(self, path: str, request: Request) -> Reply:
        if path.startswith("/upload/"):
            return self.take_file(path.removeprefix("/upload/"), request)
        try:
            if request.query.get("access_token") or not hmac.compare_digest(
                request.headers.get("authorization", "").encode(), self.token.encode()
            ):
                raise MaxError(401, "verify.token", "Invalid access_token")
            with self.lock:
                return json_reply(self.answer(request.method, path, request))
        except MaxError as error:
            return json_reply({"code": error.code, "message": error.message}, error.status)

    def answer(self, method: str, path: str, request: Request) -> Any:
        if method == "POST" and request.body and not request.headers.get("content-type", "").startswith("application/json"):
            self.violation(f"{path}: a body that is not JSON")
        for pattern, handler in ROUTES:
            if found := re.fullmatch(pattern, f"{method} {path}"):
                return handler(self, request, *found.groups())
        self.violation(f"no method {method} {path}")
        raise MaxError(404, "not.found", "Unknown recipient")

    def checked(self, what: str, request: Request, rules: Mapping[str, tuple[bool, Check]]) -> dict[str, Any]:
        found = request.json()
        if not check_fields(what, found, rules, self.violation):
            raise MaxError(400, "proto.payload", f"{what}: wrong request")
        return dict(found)

    def send(self, request: Request) -> Any:
        body = self.checked("POST /messages", request, MESSAGE)
        if set(request.query) != {"chat_id"}:
            self.violation(f"POST /messages: addressed by {sorted(request.query)}")
        chat = int(request.query.get("chat_id", "0"))
        guest = chat - DIALOGUES
        if guest not in self.known:
            raise MaxError(404, "chat.not.found", f"Chat {chat} not found")
        if guest in self.blocked:
            raise MaxError(403, "chat.denied", "error.dialog.suspended")
        if not body["text"] and not body["attachments"]:
            raise MaxError(400, "proto.payload", "Neither text nor attachments")
        shown = [one for one in body["attachments"] or () if one["type"] == "inline_keyboard"]
        files = [file for one in body["attachments"] or () if one not in shown for file in self.uploaded(one)]
        message = self.add(BOT, guest, {"text": body["text"] or "", "attachments": [{**one, "callback_id": "kb1"} for one in shown]})
        reply = (body["link"] or {}).get("mid")
        entry = {"method": "POST /messages", "chat_id": chat, "mid": message["body"]["mid"], "text": body["text"] or "", "files": files}
        choices = [one["text"] for keys in shown for row in keys["payload"]["buttons"] for one in row]
        self.accepted.add({**entry, "reply_to": reply, "choices": choices})
        return {"message": message}

    def answer_press(self, request: Request) -> Any:
        """A press is answered by a new body of its message, by a note to the guest, or both (methods/POST/answers), and only once."""
        body = self.checked("POST /answers", request, {"notification": (False, text), "message": (False, lambda given: bool(given))})
        if set(request.query) != {"callback_id"} or not body:
            self.violation("POST /answers: callback_id alone in the address, and a message or a notification, are needed")
            raise MaxError(400, "proto.payload", "Must be a message or a notification")
        key = request.query.get("callback_id", "")
        if key not in self.pressed:
            raise MaxError(404, "not.found", f"No such callback {key}")
        self.pressed.remove(key)
        self.accepted.add({"method": "POST /answers", "callback_id": key, "notification": body.get("notification")})
        return {"success": True}

    def payload_of(self, what: Mapping[str, Any]) -> str:
        """Of the button with this text under the message; KeyError if it has none."""
        rows = [row for one in self.messages[what["reply_to"]]["body"]["attachments"] for row in one["payload"]["buttons"]]
        return str({one["text"]: one["payload"] for row in rows for one in row}[what["tap"]])

    def uploaded(self, one: Mapping[str, Any]) -> list[dict[str, Any]]:
        """The files an attachment names by its tokens; too fresh ones are not ready."""
        payload = one.get("payload") or {}
        tokens = [photo["token"] for photo in payload.get("photos", {}).values()] or [payload.get("token")]
        for token in tokens:
            if token not in self.files:
                raise MaxError(400, "proto.payload", f"No such token {token}")
            if self.waits.get(token, 0):
                self.waits[token] -= 1
                raise MaxError(400, "attachment.not.ready", "Key: errors.process.attachment.file.not.processed")
        return [self.files[token].as_json() for token in tokens]

    def add(self, sender: Mapping[str, Any], guest: int, content: Mapping[str, Any]) -> dict[str, Any]:
        number = next(self.numbers)
        mid = f"mid.{guest:016x}{number:016x}"
        recipient = {"chat_id": DIALOGUES + guest, "chat_type": "dialog", "user_id": guest if sender is BOT else BOT["user_id"]}
        body = {"mid": mid, "seq": number << 26, **content}
        self.messages[mid] = {"sender": dict(sender), "recipient": recipient, "timestamp": number * 1000, "body": body}
        return self.messages[mid]

    def upload_address(self, request: Request) -> Any:
        kind = request.query.get("type", "")
        if kind not in ("image", "video", "audio", "file"):
            self.violation(f"POST /uploads of the type {kind}")
            raise MaxError(400, "proto.payload", "type")
        ticket = f"{kind}{next(self.numbers)}"
        early = {"token": f"token-{ticket}"} if kind in ("video", "audio") else {}
        return {"url": f"{self.base_url}{self.prefix}/upload/{ticket}", **early}

    def take_file(self, ticket: str, request: Request) -> Reply:
        """The upload server: no token of the bot, one file under `data`."""
        file = multipart(request).get("data")
        if file is None or "authorization" in request.headers:
            self.violation("upload: no data, or the bot's token sent along")
            return json_reply({"code": "upload.error", "message": "no data"}, 400)
        token = f"token-{ticket}"
        self.files[token], self.waits[token] = file, self.unready
        return json_reply({"photos": {f"id{ticket}": {"token": token}}} if ticket.startswith("image") else {"token": token})

    def video(self, request: Request, token: str) -> Any:
        if token not in self.videos:
            raise MaxError(404, "not.found", "No such video")
        return {"token": token, "urls": {"mp4_1080": None, "mp4_720": self.videos[token]}, "width": 1280, "height": 720, "duration": 3}

    def subscribe(self, request: Request) -> Any:
        body = self.checked("POST /subscriptions", request, SUBSCRIPTION)
        self.subscriptions = [one for one in self.subscriptions if one["url"] != body["url"]]
        self.subscriptions.append({"url": body["url"], "time": next(self.numbers) * 1000, "update_types": body.get("update_types")})
        self.callback, self.secret = body["url"], body.get("secret", "")
        return {"success": True}

    def event(self, kind: str, **content: Any) -> Event:
        body = {"update_type": kind, "timestamp": next(self.numbers) * 1000, **content}
        headers = {"X-Max-Bot-Api-Secret": self.secret} if self.secret else {}
        return Event(json.dumps(body, ensure_ascii=False).encode(), headers)

    def guest_says(self, text: str = "", **what: Any) -> list[Event]:
        """The update of what a guest does; it is kept, `deliver` posts it."""
        with self.lock:
            guest, name = int(what.get("id", 808)), what.get("name", "")
            if name:
                self.names[guest] = name
            first, _, last = (self.names.get(guest) or "Гость").partition(" ")
            person = {"user_id": guest, "first_name": first, "last_name": last, "is_bot": False, "username": None}
            return [self.keep(self.done(guest, person, text, what))]

    def done(self, guest: int, person: Mapping[str, Any], text: str, what: Mapping[str, Any]) -> Event:
        chat = {"chat_id": DIALOGUES + guest}
        if "block" in what:
            (self.blocked.add if what["block"] else self.blocked.discard)(guest)
            return self.event("bot_stopped" if what["block"] else "bot_started", **chat, user=person, user_locale="ru")
        if "delete" in what:
            return self.event("message_removed", message_id=what["delete"], **chat, user_id=guest)
        if "tap" in what:
            what = {**what, "press": self.payload_of(what)}
        if "press" in what:
            self.pressed.append("kb1")
            callback = {"timestamp": next(self.numbers) * 1000, "callback_id": "kb1", "payload": what["press"], "user": person}
            return self.event("message_callback", callback=callback, message=self.messages.get(what.get("reply_to", "")), user_locale="ru")
        if "edit" in what:
            self.messages[what["edit"]]["body"]["text"] = text
            return self.event("message_edited", message=self.messages[what["edit"]])
        self.known.add(guest)
        self.blocked.discard(guest)
        message = self.add(person, guest, {"text": text, "attachments": self.attached(what)})
        if replied := what.get("reply_to"):
            original = self.messages[replied]
            message["link"] = {"type": "reply", "sender": original["sender"], "message": original["body"]}
        return self.event("message_created", message=message, user_locale="ru")

    def attached(self, what: Mapping[str, Any]) -> list[dict[str, Any]]:
        found = []
        for kind, key, name, mime in (
            ("image", "photo", "photo.jpg", "image/jpeg"),
            ("file", "document", str(what.get("title", "чек.pdf")), "application/pdf"),
            ("audio", "voice", "voice.mp3", "audio/mpeg"),
            ("video", "video", "video.mp4", "video/mp4"),
        ):
            if what.get(key):
                data = what[key] if isinstance(what[key], bytes) else base64.b64decode(what[key], validate=True)
                url, token = self.store(data, name, mime), f"{kind}-{next(self.numbers)}"
                self.videos[token] = url
                more = {"filename": name, "size": len(data)} if kind == "file" else {}
                found.append({"type": kind, "payload": {"url": url, "token": token}, **more})
        return found

    def refusal(self, fault: Fault) -> Reply:
        status, code, said = {
            FaultKind.THROTTLED: (429, "too.many.requests", "Too many requests"),
            FaultKind.BLOCKED: (403, "chat.denied", "error.dialog.suspended"),
            FaultKind.TOKEN_REVOKED: (401, "verify.token", "Invalid access_token"),
        }[fault.kind]
        headers = {"Retry-After": str(int(fault.seconds))} if status == 429 else {}
        return Reply(status, json.dumps({"code": code, "message": said}).encode(), headers=headers)

    def reset(self) -> None:
        super().reset()
        self.unready = 0
        for held in (self.messages, self.waits, self.videos):
            held.clear()
        self.subscriptions.clear()
        self.pressed.clear()


class MaxBotServer(MaxServer):
    """Another bot, which the demo has a dialogue answer in; beside the first at a port."""

    name = "max_bot"
    prefix = "/max-bot"


Handler = Callable[..., Any]
ROUTES: tuple[tuple[str, Handler], ...] = (
    (r"POST /messages", MaxServer.send),
    (r"POST /answers", MaxServer.answer_press),
    (r"POST /uploads", MaxServer.upload_address),
    (r"GET /videos/([A-Za-z0-9_-]+)", MaxServer.video),
    (r"GET /me", lambda server, request: BOT),
    (r"GET /subscriptions", lambda server, request: {"subscriptions": server.subscriptions}),
    (r"POST /subscriptions", MaxServer.subscribe),
)
