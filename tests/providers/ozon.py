"""Ozon's seller API as far as chats go (docs.ozon.ru/api/seller), with its push notifications.

`guest` plays a buyer: {"text", "name", "id": chat, "image": base64, "type": "Customer"}; with a registered webhook it is pushed, too.
`read` has the buyer read a chat: {"id"}; `edit` changes a message: {"id", "message_id", "text"}; `ping` asks our address.
"""

import base64
import itertools
import json
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.providers.frame import Reply, Request, json_reply
from tests.providers.polled import ApiError, ApiServer, Perform

CLIENT_ID, API_KEY = "100200", "demo-ozon-key"
CHAT = "5b6e3d1c-0001-4c2a-9f00-demo"
# The documentation's sample spells it with a Cyrillic letter, live answers do not always.
CUSTOMER = "\u0421ustomer"
FIRST_ID = 3_000_000_000_118_032_000


@dataclass
class Chat:
    id: str
    kind: str = "Buyer_Seller"
    status: str = "OPENED"
    messages: list[dict[str, Any]] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)


class OzonServer(ApiServer):
    """One cabinet. `page` bounds the pages of the list and of histories."""

    name = "ozon"

    def __init__(self, client_id: str = CLIENT_ID, api_key: str = API_KEY, *, page: int = 100) -> None:
        super().__init__()
        self.client_id, self.api_key, self.page = client_id, api_key, page
        self.chats: dict[str, Chat] = {}
        self.files: dict[str, bytes] = {}
        self.base = ""
        self.ids = itertools.count(FIRST_ID + int(time.time()) % 1_000_000_000 * 1000)
        self.commands |= {"read": lambda what: self.reads(**what), "edit": lambda what: self.edits(**what), "ping": lambda _: self.ping()}

    def start(self, base_url: str) -> None:
        self.base = base_url

    def routes(self) -> Sequence[tuple[str, str, str, Perform]]:
        return (
            ("POST", r"/v3/chat/list", "list", self.list_chats),
            ("POST", r"/v3/chat/history", "history", self.history),
            ("POST", r"/v1/chat/send/message", "message", self.take_message),
            ("POST", r"/v1/chat/send/file", "file", self.take_file),
            ("GET", r"/v2/chat/file/([\w.-]+)", "download", self.download),
        )

    def authorise(self, request: Request) -> None:
        if (request.headers.get("client-id"), request.headers.get("api-key")) != (self.client_id, self.api_key):
            raise ApiError(403, "Invalid Api-Key, please contact support")

    def error_reply(self, status: int, text: str, code: str = "") -> Reply:
        return json_reply({"code": {400: 3, 403: 7, 404: 5, 429: 8}.get(status, 13), "message": text, "details": []}, status)

    def chat_for(self, number: Any) -> Chat:
        if number not in self.chats:
            raise ApiError(404, "chat not found")
        return self.chats[number]

    def list_chats(self, request: Request, found: "re.Match[str]") -> Any:
        body = self.body_of(request, "limit")
        wanted = body.get("filter", {})
        if not 1 <= body["limit"] <= 1000 or wanted.get("chat_status") not in (None, "ALL", "OPENED", "CLOSED"):
            raise self.broken(f"list: {body}")
        chats = [chat for chat in self.chats.values() if wanted.get("chat_status") in (None, "ALL", chat.status)]
        chats = [chat for chat in chats if chat.unread or not wanted.get("unread_only")]
        start = int(body.get("cursor") or 0)
        size = min(self.page, body["limit"])
        page = chats[start : start + size]
        more = len(chats) > start + size
        unread = sum(len(chat.unread) for chat in chats)
        rows = [self.row(chat) for chat in page]
        return {"chats": rows, "total_unread_count": unread, "cursor": str(start + size) if more else "", "has_next": more}

    def row(self, chat: Chat) -> dict[str, Any]:
        about = {"chat_id": chat.id, "chat_status": chat.status, "chat_type": chat.kind, "created_at": chat.messages[0]["created_at"]}
        first = int(chat.unread[0]) if chat.unread else 0
        last = int(chat.messages[-1]["message_id"])
        return {"chat": about, "first_unread_message_id": first, "last_message_id": last, "unread_count": len(chat.unread)}

    def history(self, request: Request, found: "re.Match[str]") -> Any:
        body = self.body_of(request, "chat_id")
        limit = body.get("limit", 100)
        if body.get("direction") not in ("Forward", "Backward") or not 1 <= limit <= 1000:
            raise self.broken(f"history: {body}")
        size = min(self.page, limit)
        start = body.get("from_message_id", 0)
        if not isinstance(start, int):
            raise self.broken("history: from_message_id is a number")
        messages = [message for message in self.chat_for(body["chat_id"]).messages if int(message["message_id"]) >= start]
        return {"messages": messages[:size], "has_next": len(messages) > size}

    def take_message(self, request: Request, found: "re.Match[str]") -> Any:
        body = self.body_of(request, "chat_id", "text")
        text = self.text_of(request, body["text"], 1000)
        return self.take(self.chat_for(body["chat_id"]), {"method": "message", "text": text}, text)

    def take_file(self, request: Request, found: "re.Match[str]") -> Any:
        body = self.body_of(request, "chat_id", "base64_content", "name")
        try:
            data = base64.b64decode(body["base64_content"], validate=True)
        except ValueError:
            raise self.broken("file: base64_content is no base64") from None
        return self.take(self.chat_for(body["chat_id"]), {"method": "file", "name": body["name"], "size": len(data)}, body["name"])

    def take(self, chat: Chat, entry: dict[str, Any], text: str) -> Any:
        if chat.status == "CLOSED":
            raise ApiError(403, "chat is closed")
        chat.unread.clear()
        message = self.add(chat, "Seller", {"data": [text]})
        self.accepted.add({**entry, "chat": chat.id, "message_id": message["message_id"]})
        return {"result": "success"}

    def download(self, request: Request, found: "re.Match[str]") -> Any:
        if found[1] not in self.files:
            raise ApiError(404, "no such file")
        return Reply(body=self.files[found[1]], content_type="image/jpeg")

    def add(self, chat: Chat, kind: str, content: Mapping[str, Any], name: str = "") -> dict[str, Any]:
        written = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime()) + ".123456Z"
        user = {"id": "77", "type": kind, **({"name": name} if name else {})}
        message = {"message_id": str(next(self.ids)), "created_at": written, "user": user, "is_read": False, "is_image": False, **content}
        chat.messages.append(message)
        return message

    def guest(self, text: str = "", name: str = "", id: str = "", **what: Any) -> Any:
        chat = self.chats.setdefault(id or CHAT, Chat(id or CHAT, what.get("chat_type", "Buyer_Seller")))
        content: dict[str, Any] = {"data": [text]}
        if what.get("image"):
            image = what["image"]
            stored = f"f{next(self.numbers)}.jpg"
            self.files[stored] = image if isinstance(image, bytes) else base64.b64decode(image, validate=True)
            content = {"data": [*([text] if text else []), f"![]({self.base}/v2/chat/file/{stored})"], "is_image": True}
        message = self.add(chat, what.get("type", CUSTOMER), {**content, "context": {"order_number": "0001-77", "sku": "77001234"}}, name)
        chat.unread.append(message["message_id"])
        self.push("TYPE_NEW_MESSAGE", chat, message, times=what.get("times", 1))
        return message

    def edits(self, id: str, message_id: str, text: str) -> list[int]:
        chat = self.chat_for(id)
        message = next(message for message in chat.messages if message["message_id"] == message_id)
        message["data"] = [text]
        return self.push("TYPE_UPDATE_MESSAGE", chat, {**message, "updated_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())})

    def reads(self, id: str) -> list[int]:
        """The buyer has read all there is."""
        chat = self.chat_for(id)
        last = chat.messages[-1]
        return self.push(
            "TYPE_MESSAGE_READ", chat, {**last, "user": {"id": "77", "type": CUSTOMER}, "last_read_message_id": last["message_id"]}
        )

    def ping(self) -> list[int]:
        return self.deliver(self.body("TYPE_PING", {"time": "2026-03-03T08:05:00Z"}), {"Content-Type": "application/json"})

    def push(self, kind: str, chat: Chat, message: Mapping[str, Any], *, times: int = 1) -> list[int]:
        body = self.body(kind, {"chat_id": chat.id, "chat_type": chat.kind, "seller_id": self.client_id, **message})
        return self.deliver(body, {"Content-Type": "application/json"}, times=times)

    def body(self, kind: str, fields: Mapping[str, Any]) -> bytes:
        """A notification as it is posted."""
        return json.dumps({"message_type": kind, **fields}, ensure_ascii=False).encode()

    def reset(self) -> None:
        super().reset()
        self.webhook_url = ""
        self.chats.clear()
        self.files.clear()
