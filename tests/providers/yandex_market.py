"""Yandex Market's partner API as far as chats go (yandex.ru/dev/market/partner-api), with its notifications.

`guest` plays a buyer: {"text", "name", "id": chat number, "file": base64, "sender": "CUSTOMER"}; a registered address is notified.
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
from tests.providers.multipart import fields_of
from tests.providers.polled import ApiError, ApiServer, Perform

API_KEY, BUSINESS = "demo-market-key", 700100
CHAT = 55
STATUSES = {"NEW", "WAITING_FOR_CUSTOMER", "WAITING_FOR_PARTNER", "WAITING_FOR_ARBITER", "WAITING_FOR_MARKET", "FINISHED"}


@dataclass
class Chat:
    id: int
    name: str = ""
    status: str = "NEW"
    updated: str = ""
    messages: list[dict[str, Any]] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        context = {"type": "ORDER", "orderId": 9000 + self.id}
        return {
            "chatId": self.id,
            "context": context,
            "type": "CHAT",
            "status": self.status,
            "createdAt": self.updated,
            "updatedAt": self.updated,
        }


class YandexMarketServer(ApiServer):
    """One business. `page` bounds the pages of the list (the vendor's most is 20) and of histories."""

    name = "yandex_market"
    throttled = 420

    def __init__(self, api_key: str = API_KEY, business: int = BUSINESS, *, page: int = 20) -> None:
        super().__init__()
        self.api_key, self.business, self.page = api_key, business, page
        self.chats: dict[int, Chat] = {}
        self.files: dict[str, bytes] = {}
        self.base = ""
        self.ids = itertools.count(int(time.time()) - 1_750_000_000)
        self.moments = itertools.count(1)
        self.commands |= {"notify": lambda what: self.notify(what.pop("notificationType"), **what)}

    def start(self, base_url: str) -> None:
        self.base = base_url

    def routes(self) -> Sequence[tuple[str, str, str, Perform]]:
        chats = rf"/v2/businesses/{self.business}/chats"
        return (
            ("POST", chats, "list", self.list_chats),
            ("POST", f"{chats}/history", "history", self.history),
            ("POST", f"{chats}/message", "message", self.take_message),
            ("POST", f"{chats}/file/send", "file", self.take_file),
            ("GET", r"/chat-files/([\w.-]+)", "download", self.download),
        )

    def authorise(self, request: Request) -> None:
        if request.headers.get("api-key") != self.api_key:
            raise ApiError(401, "Api key is wrong", "UNAUTHORIZED")

    def error_reply(self, status: int, text: str, code: str = "") -> Reply:
        return json_reply({"status": "ERROR", "errors": [{"code": code or "BAD_REQUEST", "message": text}]}, status)

    def chat_for(self, request: Request) -> Chat:
        number = request.query.get("chatId", "")
        if not number.isdecimal():
            raise self.broken(f"{request.path}: chatId is a number, not {number!r}")
        if int(number) not in self.chats:
            raise ApiError(404, "no such chat", "NOT_FOUND")
        return self.chats[int(number)]

    def list_chats(self, request: Request, found: "re.Match[str]") -> Any:
        wanted = self.body_of(request).get("statuses", [])
        limit = int(request.query.get("limit", 20))
        if set(wanted) - STATUSES or not 1 <= limit <= 20:
            raise self.broken(f"list: {wanted}, limit {limit}")
        chats = [chat for chat in self.chats.values() if not wanted or chat.status in wanted]
        start, size = int(request.query.get("page_token") or 0), min(limit, self.page)
        token = str(start + size) if len(chats) > start + size else ""
        rows = [chat.as_json() for chat in chats[start : start + size]]
        return {"status": "OK", "result": {"chats": rows, "paging": {"nextPageToken": token} if token else {}}}

    def history(self, request: Request, found: "re.Match[str]") -> Any:
        chat, limit = self.chat_for(request), int(request.query.get("limit", 100))
        start = self.body_of(request).get("messageIdFrom", 0)
        if not 1 <= limit <= 100 or not isinstance(start, int):
            raise self.broken(f"history: limit {limit}, messageIdFrom {start!r}")
        messages = [message for message in chat.messages if message["messageId"] >= start]
        size = min(limit, self.page)
        context = {**chat.as_json()["context"], "customer": {"name": chat.name}}
        paging = {"nextPageToken": "more"} if len(messages) > size else {}
        return {"status": "OK", "result": {"context": context, "messages": messages[:size], "paging": paging}}

    def take_message(self, request: Request, found: "re.Match[str]") -> Any:
        text = self.text_of(request, self.body_of(request, "message")["message"], 4096)
        return self.take(self.chat_for(request), {"method": "message", "text": text}, text)

    def take_file(self, request: Request, found: "re.Match[str]") -> Any:
        parts = fields_of(request)
        if [part.name for part in parts] != ["file"] or not 0 < len(parts[0].data) <= 5 * 1024 * 1024:
            raise self.broken(f"file: one file of at most 5 MB is needed, not {[part.name for part in parts]}")
        return self.take(self.chat_for(request), {"method": "file", "name": parts[0].filename, "size": len(parts[0].data)}, "")

    def take(self, chat: Chat, entry: dict[str, Any], text: str) -> Any:
        if chat.status == "FINISHED":
            raise ApiError(400, "chat is closed", "CHAT_IS_CLOSED")
        message = self.say(chat, "PARTNER", text, [])
        chat.status = "WAITING_FOR_CUSTOMER"
        self.accepted.add({**entry, "chat": chat.id, "message_id": message["messageId"]})
        return {"status": "OK"}

    def download(self, request: Request, found: "re.Match[str]") -> Any:
        if found[1] not in self.files:
            raise ApiError(404, "no such file", "NOT_FOUND")
        return Reply(body=self.files[found[1]], content_type="application/octet-stream")

    def say(self, chat: Chat, sender: str, text: str, payload: list[dict[str, Any]]) -> dict[str, Any]:
        written = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime())
        chat.updated = f"{written}.{next(self.moments):06d}Z"
        message = {"messageId": next(self.ids), "createdAt": f"{written}Z", "sender": sender, "message": text, "payload": payload}
        chat.messages.append(message)
        return message

    def guest(self, text: str = "", name: str = "Анна", id: str | int = "", **what: Any) -> Any:
        number = int(id or CHAT)
        is_new = number not in self.chats
        chat = self.chats.setdefault(number, Chat(number))
        chat.name = name
        message = self.say(chat, what.get("sender", "CUSTOMER"), text, [self.store(what["file"])] if what.get("file") else [])
        chat.status = "NEW" if is_new else "WAITING_FOR_PARTNER"
        kind = "CHAT_CREATED" if is_new else "CHAT_MESSAGE_SENT"
        self.notify(kind, chatId=number, messageId=message["messageId"], times=what.get("times", 1))
        return message

    def store(self, data: bytes | str) -> dict[str, Any]:
        name = f"f{next(self.numbers)}.jpg"
        self.files[name] = data if isinstance(data, bytes) else base64.b64decode(data, validate=True)
        return {"name": name, "url": f"{self.base}/chat-files/{name}", "size": len(self.files[name])}

    def notify(self, kind: str, *, times: int = 1, **ids: Any) -> list[int]:
        """A notification with ids only; the vendor puts its own word behind the registered address."""
        return self.deliver(self.notification(kind, **ids), {"Content-Type": "application/json"}, times=times)

    def notification(self, kind: str, **ids: Any) -> bytes:
        written = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        about: Mapping[str, Any] = {"time": written} if kind == "PING" else {"businessId": self.business, "createdAt": written, **ids}
        return json.dumps({"notificationType": kind, **about}).encode()

    def register(self, what: Mapping[str, Any]) -> None:
        self.webhook_url = f"{what['url'].rstrip('/')}/notification"

    def reset(self) -> None:
        super().reset()
        self.webhook_url = ""
        self.chats.clear()
        self.files.clear()
