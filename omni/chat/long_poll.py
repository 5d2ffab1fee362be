"""Reading the chat by a request that waits: GET /chat/messages?after=seq&wait=seconds is held back until there is something to read.

The waiting costs no thread: it stands in front of the pages, wakes like a visitor's socket, and then lets the request through to the
same view that answers without `wait`. Under a server of pages alone the answer comes at once.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs

import redis
import structlog
from channels.db import database_sync_to_async
from channels.layers import get_channel_layer
from django.utils import timezone

from core.middleware import DATABASE_AWAY
from omni.chat import feed, limits, sites, tokens
from omni.chat.consumers import THREADS
from omni.chat.limits import TooMany
from omni.services import webchat

log = structlog.get_logger(__name__)
PATH = "/chat/messages"
LONGEST = 25.0
Scope = dict[str, Any]
Event = dict[str, Any]
Receive = Callable[[], Awaitable[Event]]
Send = Callable[[Event], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]


def waiting_asked(scope: Scope) -> tuple[int, float]:
    """(after, seconds) that a request asks for; seconds are 0 for a request that does not wait."""
    if scope["type"] != "http" or scope["method"] != "GET" or scope["path"] != PATH:
        return 0, 0.0
    query = {name: values[0] for name, values in parse_qs(scope["query_string"].decode("latin-1")).items()}
    after, wait = query.get("after", "0"), query.get("wait", "")
    if not (after.isascii() and after.isdecimal() and len(after) < 19 and wait.isascii() and wait.isdecimal() and len(wait) < 6):
        return 0, 0.0
    return int(after), min(float(wait), LONGEST)


class LongPolls:
    """An ASGI application in front of the pages'."""

    def __init__(self, pages: Application) -> None:
        self.pages = pages

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        after, seconds = waiting_asked(scope)
        if not seconds:
            await self.pages(scope, receive, send)
            return
        first = await receive()
        leaving = asyncio.ensure_future(receive())
        try:
            await self._wait(_token_of(scope), after, seconds, leaving)
            if not leaving.done():
                await self.pages(scope, _again(first, leaving), send)
        finally:
            leaving.cancel()

    async def _wait(self, token: str, after: int, seconds: float, leaving: "asyncio.Future[Event]") -> None:
        """Until something is there, the time is over or the client has gone. Whatever is wrong is the view's to say."""
        with contextlib.suppress(redis.RedisError, OSError, *DATABASE_AWAY):
            group = await _in_thread(_group_of)(token, timezone.now())
            if not group:
                return
            layer: Any = get_channel_layer()
            channel = await layer.new_channel()
            await layer.group_add(group, channel)
            try:
                # Joined before the first look, so what happens in between wakes us.
                if not await _in_thread(_has_news)(token, after, timezone.now()):
                    woken = asyncio.ensure_future(_woken(layer, channel))
                    either: set[asyncio.Future[Any]] = {woken, leaving}
                    await asyncio.wait(either, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
                    woken.cancel()
                    await asyncio.gather(woken, return_exceptions=True)
            finally:
                await layer.group_discard(group, channel)


async def _woken(layer: Any, channel: str) -> None:
    """A change of the dialogue; somebody typing is none."""
    while True:
        event = await layer.receive(channel)
        if event.get("data", {}).get("kind") == "wake":
            return


def _again(first: Event, rest: "asyncio.Future[Event]") -> Receive:
    """The request's events for whoever comes after us."""
    given = [first]

    async def receive() -> Event:
        return given.pop() if given else await asyncio.shield(rest)

    return receive


def _token_of(scope: Scope) -> str:
    written = next((value for name, value in scope["headers"] if name == b"authorization"), b"").decode("latin-1")
    scheme, _space, token = written.partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _group_of(token: str, now: datetime) -> str:
    """The visitor's group; empty for no live token and for a visitor who waits too often."""
    row = tokens.find(token, now=now)
    if row is None:
        return ""
    try:
        limits.take(f"waits:token:{row.pk}", limit=sites.site_of(row.account).limit("waits_per_visitor"), now=now)
    except TooMany:
        return ""
    return webchat.group_of(row.account.public_id, row.visitor)


def _has_news(token: str, after: int, now: datetime) -> bool:
    row = tokens.find(token, now=now)
    return row is None or feed.has_after(identity=feed.identity_of(row), account=row.account, after=after)


def _in_thread(work: Any) -> Any:
    return database_sync_to_async(work, thread_sensitive=False, executor=THREADS)
