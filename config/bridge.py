"""Pages between the event loop and their threads (docs/adr/0002): a request goes over once, and its answer comes back once."""

import asyncio
import contextvars
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, cast

from a2wsgi import WSGIMiddleware
from a2wsgi.wsgi import Body, WSGIResponder, build_environ

Event = Mapping[str, Any]
Receive = Callable[[], Awaitable[Event]]
Send = Callable[[Event], Awaitable[None]]
# Bytes of a body that are waited for outside the threads; the rest is read from there, as the page asks for it.
AHEAD = 256 * 1024


class Pages(WSGIMiddleware):
    """A WSGI application as an ASGI one. Each crossing costs two switches of threads, and a2wsgi makes four for a page."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            await _Responder(self.app, self.executor, self.send_queue_size).answer(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)


class _Gone(OSError):
    """Who asked went away in the middle of the body: Django says so to the page that reads it."""


class _Body(Body):
    """What the page reads. Begun on the event loop, where waiting holds no thread."""

    async def begin(self) -> bool:
        """Take what is there, up to AHEAD; False when who asked is gone."""
        while self._has_more and len(self.buffer) < AHEAD:
            message = await self.receive()
            if message["type"] == "http.disconnect":
                return False
            self.buffer.extend(self._content(message))
        return True

    def _receive_more_data(self) -> bytes:
        if not self._has_more:
            return b""
        message: Any = asyncio.run_coroutine_threadsafe(cast(Any, self.receive()), self.loop).result()
        if message["type"] == "http.disconnect":
            raise _Gone
        return self._content(message)

    def _content(self, message: Event) -> bytes:
        self._has_more = message.get("more_body", False)
        return cast(bytes, message.get("body", b""))


class _Responder(WSGIResponder):
    """One request. What is whole comes back as the thread's result; only files and other streams are handed over part by part."""

    async def answer(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        body = _Body(self.loop, cast(Any, receive))
        if not await body.begin():
            return
        self.begun: list[Event] = []
        self.to_client = send
        environ = build_environ(cast(Any, scope), body)
        run = contextvars.copy_context().run
        for message in await self.loop.run_in_executor(self.executor, run, self._page, environ):
            await send(message)

    def _page(self, environ: Any) -> list[Event]:
        answer: Any = self.app(environ, self.start_response)
        try:
            if not getattr(answer, "streaming", True):
                return [*self.begun, {"type": "http.response.body", "body": b"".join(answer)}]
            for message in self.begun:
                self._hand_over(message)
            for part in answer:
                self._hand_over({"type": "http.response.body", "body": part, "more_body": True})
            return [{"type": "http.response.body", "body": b""}]
        finally:
            getattr(answer, "close", lambda: None)()

    def send(self, message: Any) -> None:
        """The beginning, from `start_response`: it waits for the first part."""
        self.begun.append(message)

    def _hand_over(self, message: Event) -> None:
        asyncio.run_coroutine_threadsafe(cast(Any, self.to_client(message)), self.loop).result()
