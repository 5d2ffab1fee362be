"""A VK API server (https://dev.vk.com/ru/api): checks every call by the schema 5.199, delivers events of the Callback API.

`guest` takes {"text", "name", "id"} and one of: `photo`, `document`, `voice` (bytes, from the control plane base64), `edit` (number of a
message, with `text`), `reply_to` (number), `press` (payload), `staff` (number of who answers, with `text`), `tap` (a label of the
keyboard that is shown), `block` (bool), `comment` (number of a post, with `text`), `edit_comment`,
`delete_comment`, `read` (number of our message).
"""

import contextlib
import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl

import httpx

from tests.providers.faults import Fault, FaultKind
from tests.providers.frame import Reply, Request, json_reply
from tests.providers.social import Event, SocialServer, multipart
from tests.providers.vk_guest import VkGuest
from tests.providers.vk_rules import METHODS, broken_rules

GROUP = 200300
TOKEN = "vk1.a.demo-token-of-the-provider-server"
SECRET = "demovksecret"
CONFIRMATION = "c0ffee42"
VERSION = "5.199"
LONGEST = 9000
KEYBOARD_ERRORS = {911: "Keyboard format is invalid", 912: "This is a chat bot feature, change this status in settings"}
"""https://github.com/VKCOM/vk-api-schema, errors.json: the second where the community's bot abilities are switched off."""


class VkError(Exception):
    """An error object of the API."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code, self.text = code, text


class VkServer(SocialServer):
    """One community. Events carry `secret`; `confirmation` is the string it wants from a new address."""

    name = "vk"
    prefix = "/vk"

    def __init__(
        self,
        *,
        group_id: int = GROUP,
        token: str = TOKEN,
        secret: str = SECRET,
        confirmation: str = CONFIRMATION,
        callback: str = "",
        pauses: Sequence[float] = (1.0, 2.0, 4.0),
    ) -> None:
        super().__init__(callback=callback, pauses=pauses)
        self.group_id, self.token, self.secret, self.confirmation = group_id, token, secret, confirmation
        self.servers: dict[int, dict[str, Any]] = {}
        self.conversations: dict[int, list[dict[str, Any]]] = {}
        self.comments: dict[tuple[int, int], dict[str, Any]] = {}
        self.sent: dict[str, Any] = {}
        self.keyboards: dict[int, list[str]] = {}
        self.refuses_keyboards = 0
        self.commands["keyboards"] = self.switch_keyboards

    def method_of(self, path: str) -> str:
        return path.removeprefix("/method/").strip("/")

    def perform(self, path: str, request: Request) -> Reply:
        if path.startswith("/upload/"):
            return self.take_file(path.removeprefix("/upload/"), request)
        method = self.method_of(path)
        fields = dict(parse_qsl(request.body.decode(), keep_blank_values=True))
        # A new address is asked for the confirmation string while it asks us for it.
        with contextlib.nullcontext() if method.startswith("groups.") else self.lock:
            try:
                return json_reply({"response": self.answer(method, request, fields)})
            except VkError as error:
                return error_reply(error.code, error.text, fields)

    def answer(self, method: str, request: Request, fields: dict[str, str]) -> Any:
        if request.query or request.method != "POST":
            self.violation(f"{method}: a token or field in the address, or not a POST")
        if method not in METHODS:
            self.violation(f"no method {method}")
            raise VkError(3, "Unknown method passed")
        if fields.pop("access_token", "") != self.token:
            raise VkError(5, "User authorization failed: invalid access_token (4).")
        if fields.pop("v", "") != VERSION:
            self.violation(f"{method}: no version {VERSION}")
            raise VkError(8, "Invalid request: v is required")
        if broken := broken_rules(method, fields):
            for sentence in broken:
                self.violation(sentence)
            raise VkError(100, f"One of the parameters specified was missing or invalid: {broken[0]}")
        return getattr(self, method.replace(".", "_").lower())(fields)

    def messages_send(self, fields: Mapping[str, str]) -> Any:
        peer = int(fields["peer_ids"])
        if len(fields.get("message", "")) > LONGEST:
            raise VkError(914, "Message is too long")
        if fields["random_id"] in self.sent:
            return self.sent[fields["random_id"]]
        if "keyboard" in fields and self.refuses_keyboards:
            raise VkError(self.refuses_keyboards, KEYBOARD_ERRORS[self.refuses_keyboards])
        if error := self.closed(peer):
            return [{"peer_id": peer, "message_id": 0, "error": error}]
        message = self.add(peer, -self.group_id, {"text": fields.get("message", ""), "random_id": int(fields["random_id"])})
        files = [self.files[name].as_json() for name in filter(None, fields.get("attachment", "").split(","))]
        reply = json.loads(fields["forward"])["conversation_message_ids"][0] if "forward" in fields else None
        number = message["conversation_message_id"]
        entry = {"method": "messages.send", "peer_id": peer, "number": number, "text": message["text"], "files": files, "reply_to": reply}
        if "keyboard" in fields:
            self.keyboards[peer] = [one["action"]["label"] for row in json.loads(fields["keyboard"])["buttons"] for one in row]
        self.accepted.add(entry | ({"choices": self.keyboards[peer]} if "keyboard" in fields else {}))
        self.sent[fields["random_id"]] = [{"peer_id": peer, "message_id": 0, "conversation_message_id": number}]
        self.emit(self.event("message_reply", message))
        return self.sent[fields["random_id"]]

    def switch_keyboards(self, what: Mapping[str, Any]) -> None:
        """{"refused": 911 | 912}: every message with a keyboard is refused so from now on; 0 = taken again."""
        self.refuses_keyboards = int(what.get("refused", 0))

    def closed(self, peer: int) -> dict[str, Any] | None:
        if peer in self.blocked:
            return {"code": 901, "description": "Can't send messages for users without permission"}
        return None if peer in self.known else {"code": 901, "description": "Can't send messages for users without permission"}

    def wall_createcomment(self, fields: Mapping[str, str]) -> Any:
        return {"comment_id": self.comment("wall", fields), "parents_stack": []}

    def photos_createcomment(self, fields: Mapping[str, str]) -> Any:
        return self.comment("photo", fields)

    def board_createcomment(self, fields: Mapping[str, str]) -> Any:
        return self.comment("topic", fields)

    def comment(self, area: str, fields: Mapping[str, str]) -> int:
        """A repeated `guid` is the same comment."""
        key = f"guid:{fields['guid']}"
        if key not in self.sent:
            self.sent[key] = next(self.numbers)
            entry = {name: fields.get(name) for name in ("owner_id", "post_id", "photo_id", "topic_id", "reply_to_comment")}
            self.accepted.add(
                {"method": f"{area}.createComment", "text": fields["message"], "number": self.sent[key], "files": [], **entry}
            )
        return int(self.sent[key])

    def photos_getmessagesuploadserver(self, fields: Mapping[str, str]) -> Any:
        return {"upload_url": f"{self.base_url}{self.prefix}/upload/photo", "album_id": -64, "user_id": 0, "group_id": self.group_id}

    def docs_getmessagesuploadserver(self, fields: Mapping[str, str]) -> Any:
        return {"upload_url": f"{self.base_url}{self.prefix}/upload/doc"}

    def take_file(self, kind: str, request: Request) -> Reply:
        """The upload server: no token, one file under the documented name; a picture that is none becomes no photo."""
        field = {"photo": "photo", "doc": "file"}[kind]
        file = multipart(request).get(field)
        if file is None or "access_token" in request.body.decode("latin-1"):
            self.violation(f"upload of a {kind}: no {field}, or a token sent along")
            return json_reply({"error": "no file"})
        if kind == "photo" and not file.data.startswith((b"\x89PNG", b"\xff\xd8", b"GIF8")):
            return json_reply({"server": 1, "photo": "[]", "hash": "x"})
        ticket = f"ticket{next(self.numbers)}"
        self.files[ticket] = file
        return json_reply({"server": 1, "photo": ticket, "hash": "h"} if kind == "photo" else {"file": ticket})

    def photos_savemessagesphoto(self, fields: Mapping[str, str]) -> Any:
        number = self.saved("photo", fields["photo"])
        return [{"id": number, "owner_id": -self.group_id, "access_key": "demokey", "sizes": []}]

    def docs_save(self, fields: Mapping[str, str]) -> Any:
        return {"type": "doc", "doc": {"id": self.saved("doc", fields["file"]), "owner_id": -self.group_id, "title": fields["title"]}}

    def saved(self, kind: str, ticket: str) -> int:
        if ticket not in self.files:
            raise VkError(100, "Invalid file")
        number = next(self.numbers)
        self.files[f"{kind}{-self.group_id}_{number}" + ("_demokey" if kind == "photo" else "")] = self.files.pop(ticket)
        return number

    def users_get(self, fields: Mapping[str, str]) -> Any:
        number = int(fields["user_ids"])
        first, _, last = self.names.get(number, "").partition(" ")
        return [{"id": number, "first_name": first, "last_name": last}] if first else []

    def groups_getbyid(self, fields: Mapping[str, str]) -> Any:
        return {"groups": [{"id": self.group_id, "name": "Лукошко", "screen_name": "lukoshko"}], "profiles": []}

    def groups_getcallbackconfirmationcode(self, fields: Mapping[str, str]) -> Any:
        return {"code": self.confirmation}

    def groups_getcallbackservers(self, fields: Mapping[str, str]) -> Any:
        return {
            "count": len(self.servers),
            "items": [{key: server[key] for key in server if key != "events"} for server in self.servers.values()],
        }

    def groups_addcallbackserver(self, fields: Mapping[str, str]) -> Any:
        number = len(self.servers) + 1
        self.servers[number] = {"id": number, "title": fields["title"], "creator_id": 1, "events": {}}
        return self.register(number, fields)

    def groups_editcallbackserver(self, fields: Mapping[str, str]) -> Any:
        self.register(int(fields["server_id"]), fields)
        return 1

    def register(self, number: int, fields: Mapping[str, str]) -> Any:
        self.servers[number] |= {"url": fields["url"], "secret_key": fields["secret_key"], "status": "unconfigured"}
        self.secret, self.callback = fields["secret_key"], fields["url"]
        self.servers[number]["status"] = "ok" if self.confirmed(fields["url"]) else "failed"
        return {"server_id": number}

    def confirmed(self, url: str) -> bool:
        """Ask the address for the confirmation string, as VK does without the secret."""
        body = json.dumps({"type": "confirmation", "group_id": self.group_id}).encode()
        try:
            answer = self._client.post(url, content=body, headers={"Content-Type": "application/json"}, timeout=8)
        except (httpx.HTTPError, httpx.InvalidURL):
            return False
        return answer.status_code == 200 and answer.text.strip() == self.confirmation

    def groups_setcallbacksettings(self, fields: Mapping[str, str]) -> Any:
        events = {name: int(value) for name, value in fields.items() if name not in ("group_id", "server_id", "api_version")}
        self.servers[int(fields["server_id"])]["events"] |= events
        return 1

    def groups_getcallbacksettings(self, fields: Mapping[str, str]) -> Any:
        return {"api_version": VERSION, "events": self.servers[int(fields["server_id"])]["events"]}

    def add(self, peer: int, author: int, content: Mapping[str, Any]) -> dict[str, Any]:
        """A message of the conversation, numbered in it."""
        messages = self.conversations.setdefault(peer, [])
        number = next(self.numbers)
        message = {"id": 0, "conversation_message_id": number, "peer_id": peer, "from_id": author, "date": self.now(), "attachments": []}
        messages.append({**message, "out": int(author < 0), **content})
        return messages[-1]

    def now(self) -> int:
        return next(self.numbers)

    def event(self, kind: str, found: Any) -> Event:
        event_id = f"{next(self.numbers):x}"
        body = {"type": kind, "group_id": self.group_id, "event_id": event_id, "v": VERSION, "secret": self.secret, "object": found}
        return Event(json.dumps(body, ensure_ascii=False).encode())

    def guest_says(self, text: str = "", **what: Any) -> list[Event]:
        """The events of what a guest does; they are kept, `deliver` posts them."""
        with self.lock:
            return [self.keep(event) for event in VkGuest(self, int(what.pop("id", 700800)), what.pop("name", "")).does(text, what)]

    def acceptable(self, answer: httpx.Response) -> bool:
        return answer.status_code == 200 and answer.text == "ok"

    def refusal(self, fault: Fault) -> Reply:
        code, text = {
            FaultKind.THROTTLED: (6, "Too many requests per second"),
            FaultKind.BLOCKED: (901, "Can't send messages for users without permission"),
            FaultKind.TOKEN_REVOKED: (5, "User authorization failed: access_token was given to another ip address."),
        }[fault.kind]
        return error_reply(code, text, {})

    def reset(self) -> None:
        super().reset()
        self.refuses_keyboards = 0
        for held in (self.servers, self.conversations, self.comments, self.sent, self.keyboards):
            held.clear()


def error_reply(code: int, text: str, fields: Mapping[str, str]) -> Reply:
    """Errors come with HTTP 200 and repeat the request, as VK does."""
    repeated = [{"key": key, "value": value} for key, value in fields.items()]
    return json_reply({"error": {"error_code": code, "error_msg": text, "request_params": repeated}})
