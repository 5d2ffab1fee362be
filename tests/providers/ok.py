"""A graph API server of Odnoklassniki (https://apiok.ru/dev/graph_api/): checks every call, delivers events to the webhook.

`guest` takes {"text", "name", "id"} and one of: `photo`, `document`, `voice` (bytes, from the control plane base64), `reply_to` (message
id), `press` (payload, with `reply_to`), `tap` (the text of a button under `reply_to`), `block` (bool: the group may not write any more),
`system` (bool: the chat is opened by a link).

`comment` writes under a topic: {"topic", "text", "author", "name"}; `topic` {"id", "text"} publishes one. The classic methods that read
them (https://apiok.ru/dev/methods/) are checked with their signature.
"""

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, parse_qsl, unquote, urlsplit
from zoneinfo import ZoneInfo

from tests.providers.faults import Fault, FaultKind
from tests.providers.frame import Reply, Request, json_reply
from tests.providers.social import Check, Event, SocialServer, check_fields, multipart

TOKEN = "tkndemo:OF-THE-PROVIDER-SERVER"
COMMENTS_TOKEN, APPLICATION_KEY, APPLICATION_SECRET, GROUP = "tkn1comments", "CDEMOKEYOFAPP", "SECRETOFTHEAPP", "54000111"
JSON_TYPE = "application/json;charset=utf-8"
PAGE = 100
MOSCOW = ZoneInfo("Europe/Moscow")
ATTACHMENTS = 5


class OkError(Exception):
    """An error of the API: number and sentence."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code, self.text = code, text


def chat_id(value: Any) -> bool:
    return isinstance(value, str) and bool(re.fullmatch(r"chat:C[0-9a-f]+", value))


def recipient(value: Any) -> bool:
    return isinstance(value, dict) and set(value) == {"chat_id"} and chat_id(value["chat_id"])


def address(value: Any) -> bool:
    return isinstance(value, str) and urlsplit(value).scheme in ("http", "https")


def attachments(value: Any) -> bool:
    known = {"IMAGE", "FILE", "VIDEO", "AUDIO", "INLINE_KEYBOARD"}
    if not isinstance(value, list) or not 0 < len(value) <= ATTACHMENTS or not all(one.get("type") in known for one in value):
        return False
    return all(keyboard(one) for one in value if one["type"] == "INLINE_KEYBOARD")


def keyboard(attachment: Mapping[str, Any]) -> bool:
    """Rows of buttons, each with a type, a text and a payload."""
    rows = attachment["payload"].get("keyboard", {}).get("buttons")
    if set(attachment["payload"]) != {"keyboard"} or not isinstance(rows, list) or not rows or not all(rows):
        return False
    return all(one.get("type") == "CALLBACK" and one.get("text") and one.get("payload") for row in rows for one in row)


MESSAGE: Mapping[str, tuple[bool, Check]] = {
    "text": (False, lambda value: isinstance(value, str) and bool(value)),
    "attachments": (False, attachments),
    "reply_to": (False, lambda value: isinstance(value, str) and value.startswith("mid:")),
}


class OkServer(SocialServer):
    """One group."""

    name = "ok"
    prefix = "/ok"

    def __init__(self, *, token: str = TOKEN, callback: str = "", pauses: Sequence[float] = (1.0, 2.0, 4.0)) -> None:
        super().__init__(callback=callback, pauses=pauses)
        self.token = token
        self.subscriptions: dict[str, int] = {}
        self.messages: dict[str, dict[str, Any]] = {}
        self.buttons: dict[str, dict[str, str]] = {}
        self.topics: dict[str, str] = {}
        self.comments: list[dict[str, Any]] = []
        self.commands |= {"topic": lambda what: self.topic(**what), "comment": lambda what: self.comment(**what)}

    def topic(self, id: str, text: str) -> None:
        self.topics[id] = text

    def comment(self, topic: str, text: str, author: str, name: str = "", at: datetime | None = None) -> dict[str, Any]:
        """A comment under a topic; `at` = now."""
        with self.lock:
            if name:
                self.names[int(author)] = name
            date = f"{(at or datetime.now(MOSCOW)).astimezone(MOSCOW):%Y-%m-%d %H:%M:%S}"
            made = {"id": f"MTc{next(self.numbers)}", "text": text, "date": date, "author_id": author, "type": "ACTIVE_MESSAGE"}
            self.comments.append({"topic": topic, "comment": made})
            return made

    def method_of(self, path: str) -> str:
        parts = path.strip("/").split("/")
        if parts == ["fb.do"]:
            return "rest"
        return parts[2] if parts[:2] == ["graph", "me"] and len(parts) > 2 else parts[0]

    def perform(self, path: str, request: Request) -> Reply:
        if path.startswith("/upload/"):
            return self.take_file(path.removeprefix("/upload/"), request)
        try:
            if path == "/fb.do":
                with self.lock:
                    return json_reply(self.classic(request))
            if not hmac.compare_digest(request.query.get("access_token", "").encode(), self.token.encode()):
                raise OkError(103, "PARAM_SESSION_KEY : Invalid access token")
            if request.method == "POST" and request.headers.get("content-type", "").replace(" ", "") != JSON_TYPE:
                self.violation(f"{path}: Content-Type {request.headers.get('content-type')}")
                raise OkError(100, "PARAM : Content-Type")
            with self.lock:
                return json_reply(self.answer(request.method, unquote(path).removeprefix("/graph/"), request))
        except OkError as error:
            return error_reply(error.code, error.text)

    def classic(self, request: Request) -> Any:
        """A signed call of the classic methods: key, application and signature must be right."""
        asked = dict(parse_qsl(request.body.decode(), keep_blank_values=True))
        token, sig = asked.pop("access_token", ""), asked.pop("sig", "")
        if request.method != "POST" or request.query or "format" not in asked:
            self.violation("fb.do: parameters belong into the body of a POST")
            raise OkError(100, "PARAM : format")
        if not hmac.compare_digest(token.encode(), COMMENTS_TOKEN.encode()):
            raise OkError(103, "PARAM_SESSION_KEY : Invalid session key")
        secret = hashlib.md5((token + APPLICATION_SECRET).encode(), usedforsecurity=False).hexdigest()
        whole = "".join(f"{name}={asked[name]}" for name in sorted(asked)) + secret
        if sig != hashlib.md5(whole.encode(), usedforsecurity=False).hexdigest():
            raise OkError(104, "PARAM_SIGNATURE : Invalid signature")
        if asked["application_key"] != APPLICATION_KEY:
            raise OkError(101, "PARAM_API_KEY : Application does not exist")
        handler = CLASSIC.get(asked.get("method", ""))
        if handler is None:
            self.violation(f"no method {asked.get('method')}")
            raise OkError(3, "METHOD : Method does not exist.")
        return handler(self, asked)

    def group_topics(self, asked: Mapping[str, str]) -> Any:
        if asked.get("gid") != GROUP:
            raise OkError(300, "NOT_FOUND : group")
        shown = list(reversed(self.topics.items()))[: int(asked.get("count", "20"))]
        topics = [{"id": name, "media": [{"type": "text", "text": text}], "owner_ref": f"group:{GROUP}"} for name, text in shown]
        return {"media_topics": topics, "has_more": False}

    def topic_comments(self, asked: Mapping[str, str]) -> Any:
        count = int(asked.get("count", "0"))
        if asked.get("discussionType") != "GROUP_TOPIC" or not 0 < count <= PAGE or asked.get("discussionId") not in self.topics:
            raise OkError(100, "PARAM : discussionId, discussionType or count")
        found = [one["comment"] for one in self.comments if one["topic"] == asked["discussionId"]]
        newest = list(reversed(found)) if asked.get("order") == "LAST" else found
        skipped = int(asked.get("anchor", "0"))
        page, rest = newest[skipped : skipped + count], len(newest) > skipped + count
        whole = {"discussionId": asked["discussionId"], "discussionType": "GROUP_TOPIC", "comments": page, "has_more": rest}
        return whole | ({"anchor": str(skipped + count)} if rest else {})

    def people(self, asked: Mapping[str, str]) -> Any:
        numbers = [int(one) for one in asked.get("uids", "").split(",") if one.isdigit()]
        return [{"uid": str(number), "name": self.names[number]} for number in numbers if number in self.names]

    def answer(self, method: str, path: str, request: Request) -> Any:
        for pattern, handler in ROUTES:
            if found := re.fullmatch(pattern, f"{method} {path}"):
                return handler(self, request, *found.groups())
        self.violation(f"no method {method} {path}")
        raise OkError(3, "METHOD : Method does not exist.")

    def checked(self, what: str, found: Mapping[str, Any], rules: Mapping[str, tuple[bool, Check]]) -> None:
        if not check_fields(what, found, rules, self.violation):
            raise OkError(100, f"PARAM : {what}")

    def send(self, request: Request, chat: str) -> Any:
        body = request.json()
        self.checked("me/messages", body, {"recipient": (True, recipient), "message": (True, lambda value: isinstance(value, dict))})
        message = body["message"]
        self.checked("me/messages message", message, MESSAGE)
        if body["recipient"]["chat_id"] != chat or not message:
            self.violation("me/messages: another chat in the address, or an empty message")
            raise OkError(100, "PARAM : recipient")
        guest = guest_of(chat)
        if guest not in self.known:
            raise OkError(300, "NOT_FOUND : chat not found")
        if guest in self.blocked:
            raise OkError(455, "ACTION_BLOCKED : User does not allow messages")
        attached = message.get("attachments", ())
        files = [self.uploaded(one["payload"].get("token", "")) for one in attached if one["type"] != "INLINE_KEYBOARD"]
        rows = [row for one in attached if one["type"] == "INLINE_KEYBOARD" for row in one["payload"]["keyboard"]["buttons"]]
        sent = self.add("group:demo", guest, message.get("text", ""))
        entry = {"method": "me/messages", "chat_id": chat, "mid": sent["message"]["mid"], "text": message.get("text", ""), "files": files}
        self.buttons[entry["mid"]] = {one["text"]: one["payload"] for row in rows for one in row}
        self.accepted.add({**entry, "reply_to": message.get("reply_to"), "choices": list(self.buttons[entry["mid"]])})
        return {"success": True, "message_id": sent["message"]["mid"]}

    def uploaded(self, token: str) -> dict[str, Any]:
        if token not in self.files:
            raise OkError(100, "PARAM : no such attachment token")
        return self.files[token].as_json()

    def upload_address(self, request: Request) -> Any:
        kind = request.query.get("type", "FILE")
        if kind not in ("FILE", "IMAGE", "VIDEO", "AUDIO"):
            self.violation(f"me/fileUploadUrl of the type {kind}")
            raise OkError(100, "PARAM : type")
        ticket = f"{kind}{next(self.numbers)}"
        return {"url": f"{self.base_url}{self.prefix}/upload/{ticket}?sig=x", "token": f"token-{ticket}", "file_id": ticket}

    def take_file(self, ticket: str, request: Request) -> Reply:
        """The upload server: no key, one file, pictures with their true type; only they are named in its answer."""
        file = next(iter(multipart(request).values()), None)
        picture = ticket.startswith("IMAGE")
        if file is None or "access_token" in request.query or (picture and not file.mime.startswith("image/")):
            self.violation("upload: no file, a wrong type, or the key sent along")
            return json_reply({"error_code": 100, "error_msg": "no file"})
        if picture:
            self.files[f"photo-{ticket}"] = file
            return json_reply({"photos": {f"id{ticket}": {"token": f"photo-{ticket}"}}})
        self.files[f"token-{ticket}"] = file
        return Reply(body=b"<retval>1</retval>", content_type="text/xml")

    def subscribe(self, request: Request) -> Any:
        body = request.json()
        self.checked("me/subscribe", body, {"url": (True, address)})
        self.subscriptions[body["url"]] = next(self.numbers)
        self.callback = body["url"]
        return {"success": True}

    def add(self, sender: str, guest: int, text: str) -> dict[str, Any]:
        number = next(self.numbers)
        mid = f"mid:C{guest:x}.{number:x}"
        self.messages[mid] = {"sender": sender, "message": {"text": text, "seq": number << 26, "mid": mid}, "timestamp": number * 1000}
        return self.messages[mid]

    def guest_says(self, text: str = "", **what: Any) -> list[Event]:
        """The event of what a guest does; it is kept, `deliver` posts it. A block has no event: the group finds out when it writes."""
        with self.lock:
            guest = int(what.get("id", 600700))
            if what.get("name"):
                self.names[guest] = what["name"]
            if "block" in what:
                (self.blocked.add if what["block"] else self.blocked.discard)(guest)
                return []
            sender = {"user_id": f"user:{guest}", "name": self.names.get(guest, "Гость")}
            common = {"sender": sender, "recipient": {"chat_id": chat_of(guest)}}
            return [self.keep(Event(json.dumps({**common, **self.done(guest, text, what)}, ensure_ascii=False).encode()))]

    def done(self, guest: int, text: str, what: Mapping[str, Any]) -> dict[str, Any]:
        if "system" in what:
            return {"webhookType": "CHAT_SYSTEM", "timestamp": next(self.numbers) * 1000}
        if "tap" in what:
            what = {**what, "press": self.buttons[what["reply_to"]][what["tap"]]}
        if "press" in what:
            pressed = {"callbackId": f"cb{next(self.numbers)}", "payload": what["press"], "mid": what.get("reply_to", "")}
            return {"webhookType": "MESSAGE_CALLBACK", "timestamp": next(self.numbers) * 1000, **pressed}
        self.known.add(guest)
        said = self.add(f"user:{guest}", guest, text)
        message = said["message"] | ({"attachments": self.attached(what)} if set(what) & {"photo", "document", "voice"} else {})
        message |= {"reply_to": what["reply_to"]} if what.get("reply_to") else {}
        return {"webhookType": "MESSAGE_CREATED", "message": message, "timestamp": said["timestamp"]}

    def attached(self, what: Mapping[str, Any]) -> list[dict[str, Any]]:
        found = []
        for kind, key, name, mime in (
            ("IMAGE", "photo", "photo.jpg", "image/jpeg"),
            ("FILE", "document", "чек.pdf", "application/pdf"),
            ("AUDIO", "voice", "voice.mp3", "audio/mpeg"),
        ):
            if what.get(key):
                data = what[key] if isinstance(what[key], bytes) else base64.b64decode(what[key], validate=True)
                found.append({"type": kind, "payload": {"url": self.store(data, name, mime)}})
        return found

    def refusal(self, fault: Fault) -> Reply:
        code, said = {
            FaultKind.THROTTLED: (11, "LIMIT_REACHED : Limit reached"),
            FaultKind.BLOCKED: (455, "ACTION_BLOCKED : User does not allow messages"),
            FaultKind.TOKEN_REVOKED: (102, "PARAM_SESSION_EXPIRED : Session expired"),
        }[fault.kind]
        return error_reply(code, said)

    def reset(self) -> None:
        super().reset()
        self.subscriptions.clear()
        self.messages.clear()
        self.buttons.clear()
        self.topics.clear()
        self.comments.clear()


def chat_of(guest: int) -> str:
    return f"chat:C{guest:x}"


def guest_of(chat: str) -> int:
    return int(chat.removeprefix("chat:C"), 16)


def error_reply(code: int, text: str) -> Reply:
    """Errors come with HTTP 200, their number once more in a header."""
    body = json.dumps({"error_code": code, "error_data": None, "error_msg": text}).encode()
    return Reply(body=body, headers={"invocation-error": str(code)})


def query_of(server: OkServer) -> str:
    """The query of the registered address: where the product's secret is."""
    found = parse_qs(urlsplit(server.callback).query)
    return "&".join(f"{name}={values[0]}" for name, values in found.items())


Handler = Callable[..., Any]
ROUTES: tuple[tuple[str, Handler], ...] = (
    (r"POST me/messages/(chat:\w+)", OkServer.send),
    (r"GET me/fileUploadUrl", OkServer.upload_address),
    (r"POST me/subscribe", OkServer.subscribe),
    (
        r"GET me/subscriptions",
        lambda server, request: {"subscriptions": [{"url": url, "time": at * 1000} for url, at in server.subscriptions.items()]},
    ),
)
CLASSIC: Mapping[str, Handler] = {
    "mediatopic.getTopics": OkServer.group_topics,
    "discussions.getComments": OkServer.topic_comments,
    "users.getInfo": OkServer.people,
}
