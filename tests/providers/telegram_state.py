"""What the Bot API server remembers: chats, messages, files, pace."""

import itertools
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from tests.providers.telegram_rules import DOWNLOAD_BYTES, BotError, picture_size

# Numbers begin with the seconds since then: behind those of an earlier run, which the product's base knows.
EPOCH = 1_750_000_000


class Membership(StrEnum):
    """What became of a private chat."""

    MEMBER = "member"
    BLOCKED = "blocked"
    DEACTIVATED = "deactivated"


@dataclass
class Chat:
    """A guest's private chat with the bot."""

    id: int
    first_name: str = "Анна"
    last_name: str = ""
    username: str = ""
    state: Membership = Membership.MEMBER
    migrated_to: int | None = None
    messages: dict[int, dict[str, Any]] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        return {"id": self.id, "type": "private", **self.names()}

    def user(self) -> dict[str, Any]:
        return {"id": self.id, "is_bot": False, **self.names(), "language_code": "ru"}

    def names(self) -> dict[str, str]:
        found = {"first_name": self.first_name, "last_name": self.last_name, "username": self.username}
        return {key: value for key, value in found.items() if value}


@dataclass(frozen=True)
class StoredFile:
    file_id: str
    path: str
    name: str
    mime: str
    data: bytes

    def as_json(self) -> dict[str, Any]:
        return {"file_id": self.file_id, "file_unique_id": f"u{self.file_id}", "file_size": len(self.data)}


class Pace:
    """The documented limits: 30 messages a second per bot, one a second per chat."""

    def __init__(self) -> None:
        self._bot: deque[float] = deque()
        self._chats: dict[int, float] = {}

    def check(self, chat_id: int, count: int) -> None:
        """Raises BotError 429 with retry_after, in seconds."""
        now = time.monotonic()
        while self._bot and self._bot[0] <= now - 1:
            self._bot.popleft()
        if len(self._bot) + count > 30 or self._chats.get(chat_id, now - 1) > now - 1:
            raise BotError(429, "Too Many Requests: retry after 1", retry_after=1)
        self._bot.extend([now] * count)
        self._chats[chat_id] = now


class State:
    """One bot's world. `lock` guards everything in it."""

    def __init__(self, bot_id: int) -> None:
        self.lock = threading.RLock()
        self.bot = {"id": bot_id, "is_bot": True, "first_name": "Отклик", "username": "otklik_demo_bot"}
        self.clear()

    def clear(self) -> None:
        with self.lock:
            self.chats: dict[int, Chat] = {}
            self.files: dict[str, StoredFile] = {}
            self.queries: set[str] = set()
            self.pace = Pace()
            # Message numbers never start again: the product has seen the old ones.
            self.numbers = getattr(self, "numbers", itertools.count(int(time.time()) - EPOCH))

    def chat_for_sending(self, chat_id: Any) -> Chat:
        """The chat a bot may write to. Raises BotError as documented for chats it may not."""
        chat = self.chats.get(chat_id)
        if chat is None:
            raise BotError(400, "Bad Request: chat not found")
        if chat.migrated_to is not None:
            raise BotError(400, "Bad Request: group chat was upgraded to a supergroup chat", migrate_to_chat_id=chat.migrated_to)
        if chat.state is Membership.BLOCKED:
            raise BotError(403, "Forbidden: bot was blocked by the user")
        if chat.state is Membership.DEACTIVATED:
            raise BotError(403, "Forbidden: user is deactivated")
        return chat

    def new_message(self, chat: Chat, sender: dict[str, Any], content: dict[str, Any]) -> dict[str, Any]:
        """A stored message of `sender` in `chat`, numbered in one sequence per bot as private chats are."""
        with self.lock:
            number = next(self.numbers)
            message = {"message_id": number, "from": sender, "chat": chat.as_json(), "date": int(time.time()), **content}
            chat.messages[number] = message
            return message

    def store(self, name: str, mime: str, data: bytes, folder: str) -> StoredFile:
        with self.lock:
            number = len(self.files) + 1
            suffix = name.rpartition(".")[2] if "." in name else "bin"
            stored = StoredFile(f"BQAC{number:08d}_{folder}", f"{folder}/file_{number}.{suffix}", name, mime, data)
            self.files[stored.file_id] = stored
            return stored

    def photo_sizes(self, name: str, data: bytes) -> list[dict[str, Any]]:
        """The array of sizes: a thumbnail and the whole picture, smallest first."""
        width, height = picture_size(data) or (1280, 960)
        thumb, whole = self.store("thumb.jpg", "image/jpeg", data[:1024], "thumbnails"), self.store(name, "", data, "photos")
        return [{**thumb.as_json(), "width": 90, "height": 67}, {**whole.as_json(), "width": width, "height": height}]

    def file_to_fetch(self, file_id: str) -> StoredFile:
        """getFile. Raises BotError for unknown files and those over 20 MB."""
        stored = self.files.get(file_id)
        if stored is None:
            raise BotError(400, "Bad Request: wrong file_id or the file is temporarily unavailable")
        if len(stored.data) > DOWNLOAD_BYTES:
            raise BotError(400, "Bad Request: file is too big")
        return stored
