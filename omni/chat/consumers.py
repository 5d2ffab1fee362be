"""A visitor's socket: woken by changes, it reads what is new from the database, so a lost wake loses nothing.

Frames to the visitor: {"type", "seq", "data"} with the types ready, message, state, typing, seen, operator_joined, queue_position,
session_closed, error, ping. From the visitor: {"type": "hello" (or "resume"), "token", "last_seq"} first, then
{"type": "typing", "data": {"text_length"}}, {"type": "seen", "seq"}, {"type": "pong"}.
"""

import asyncio
import contextlib
import json
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

import redis
import structlog
from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from django.utils import timezone

from core.middleware import DATABASE_AWAY
from core.refusal import Refusal
from omni.chat import feed, limits, sites, tokens
from omni.chat.entry import PROTECTED_BY
from omni.chat.feed import News
from omni.models import ChatToken
from omni.services import webchat

log = structlog.get_logger(__name__)
HELLO_SECONDS = 10
PING_SECONDS = 25
TYPING_SECONDS = 1.0
FRAME_LIMIT = 8 * 1024
# Close codes of our own (RFC 6455, 7.4.2): a frame we cannot read, no live token, too many.
BAD_FRAME, NO_TOKEN, TOO_MANY = 4400, 4401, 4429
# Database work of all sockets of a process; each thread keeps one connection.
THREADS = ThreadPoolExecutor(max_workers=4, thread_name_prefix="chat-socket")


def _in_thread(work: Any) -> Any:
    return database_sync_to_async(work, thread_sensitive=False, executor=THREADS)


def _enter(text: str, address: str, now: datetime) -> ChatToken:
    row = tokens.find(text, now=now)
    if row is None:
        raise Refusal("token", "", status=401)
    site = sites.site_of(row.account)
    limits.take(f"sockets:{row.account_id}:{address}", limit=site.limit("sockets_per_address"), now=now)
    return row


def _read(row: ChatToken, after: int, now: datetime) -> News | None:
    """What is new for the visitor; None when the token has ended."""
    if not tokens.is_live(row.pk, now=now):
        return None
    return feed.read_news(site=sites.site_of(row.account), token=row, after=after, now=now)


def _mark_seen(row: ChatToken, up_to: int, now: datetime) -> None:
    identity = feed.identity_of(row)
    if identity is not None:
        feed.mark_seen(identity=identity, account=row.account, up_to=up_to, now=now)


class VisitorConsumer(AsyncWebsocketConsumer):
    right = None
    public_because = PROTECTED_BY

    async def connect(self) -> None:
        self.row: ChatToken | None = None
        self.group, self.last_seq, self.typed_at = "", 0, 0.0
        self.state: dict[str, Any] = {}
        self.reading = asyncio.Lock()
        self.clock: asyncio.Task[None] = asyncio.create_task(self._expect_hello())
        await self.accept()

    async def disconnect(self, code: int) -> None:
        self.clock.cancel()
        if self.group:
            with contextlib.suppress(redis.RedisError, OSError):
                await self.channel_layer.group_discard(self.group, self.channel_name)

    async def _expect_hello(self) -> None:
        await asyncio.sleep(HELLO_SECONDS)
        await self.close(NO_TOKEN)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        frame = _frame_of(text_data)
        if frame is None:
            await self.close(BAD_FRAME)
        elif self.row is None:
            await self._hello(frame)
        elif frame["type"] == "typing":
            await self._typing(frame)
        elif frame["type"] == "seen":
            await _in_thread(_mark_seen)(self.row, _seq(frame.get("seq")), timezone.now())

    async def _hello(self, frame: dict[str, Any]) -> None:
        if frame["type"] not in {"hello", "resume"}:
            await self.close(BAD_FRAME)
            return
        address = (self.scope.get("client") or ("",))[0]
        try:
            self.row = await _in_thread(_enter)(str(frame.get("token") or ""), str(address), timezone.now())
        except Refusal as refusal:
            await self._frame("error", 0, {"code": refusal.code})
            await self.close(NO_TOKEN if refusal.status == 401 else TOO_MANY)
            return
        self.clock.cancel()
        self.last_seq = _seq(frame.get("last_seq"))
        self.group = webchat.group_of(self.row.account.public_id, self.row.visitor)
        # Joined before the first look, so what happens in between wakes us again.
        with contextlib.suppress(redis.RedisError, OSError):
            await self.channel_layer.group_add(self.group, self.channel_name)
        await self._look()
        self.clock = asyncio.create_task(self._tick())

    async def _tick(self) -> None:
        """A sign of life for both sides; the look mends whatever wake was lost and the place in the queue."""
        while True:
            await asyncio.sleep(PING_SECONDS)
            await self._frame("ping", 0, {})
            await self._look()

    async def live_ephemeral(self, event: dict[str, Any]) -> None:
        """A message of the channel layer: a wake, or an operator typing."""
        data = event.get("data", {})
        if data.get("kind") == "wake":
            await self._look()
        elif data.get("kind") == "operator_typing":
            await self._frame("typing", 0, {"typing": bool(data.get("typing", True))})

    async def _look(self) -> None:
        async with self.reading:
            try:
                while await self._look_once():
                    pass
            except DATABASE_AWAY:
                log.warning("a visitor's socket waits for the database")

    async def _look_once(self) -> bool:
        """Send what is new; whether there is still more."""
        news: News | None = await _in_thread(_read)(self.row, self.last_seq, timezone.now())
        if news is None:
            await self._frame("error", 0, {"code": "token"})
            await self.close(NO_TOKEN)
            return False
        for message in news.page.messages:
            await self._frame("message", message["seq"], message)
            self.last_seq = message["seq"]
        if news.page.more:
            return True
        await self._tell_state(news.state)
        return False

    async def _tell_state(self, state: dict[str, Any]) -> None:
        before, self.state = self.state, state
        for kind, data in changes(before, state):
            await self._frame(kind, self.last_seq, data)

    async def _typing(self, frame: dict[str, Any]) -> None:
        moment = asyncio.get_running_loop().time()
        length = _seq((frame.get("data") or {}).get("text_length"))
        if length and moment - self.typed_at < TYPING_SECONDS:
            return
        self.typed_at = moment
        await _in_thread(feed.tell_typing)(token=self.row, text_length=length)

    async def _frame(self, kind: str, seq: int, data: dict[str, Any]) -> None:
        await self.send(text_data=json.dumps({"type": kind, "seq": seq, "data": data}, ensure_ascii=False))


def changes(before: dict[str, Any], after: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """The frames that tell a visitor how the state has changed; the first state is one frame `ready`, the whole follows as `state`."""
    if not before:
        return [("ready", after)]
    if before == after:
        return []
    told: list[tuple[str, dict[str, Any]]] = []
    if after["operator"] and after["operator"] != before["operator"]:
        told.append(("operator_joined", {"operator": after["operator"]}))
    if after["queue_position"] is not None and after["queue_position"] != before["queue_position"]:
        told.append(("queue_position", {"queue_position": after["queue_position"]}))
    if after["seen_seq"] != before["seen_seq"]:
        told.append(("seen", {"seen_seq": after["seen_seq"]}))
    if after["status"] == "closed" != before["status"]:
        told.append(("session_closed", {}))
    return [*told, ("state", after)]


def _frame_of(text: str | None) -> dict[str, Any] | None:
    """A frame of the visitor: a JSON object with a type; None = it is none."""
    if text is None or len(text) > FRAME_LIMIT:
        return None
    try:
        frame = json.loads(text)
    except (ValueError, RecursionError):
        return None
    good = isinstance(frame, dict) and isinstance(frame.get("type"), str) and isinstance(frame.get("data") or {}, dict)
    return frame if good else None


def _seq(given: Any) -> int:
    return given if isinstance(given, int) and not isinstance(given, bool) and 0 <= given < 2**63 else 0
