"""The desk's socket: numbered live events in order, fleeting news of colleagues, the person's sign of life.

Frames to the server: {type: hello, epoch, last} | {type: watch|unwatch, topics} | {type: typing, guest_id, state} |
{type: viewing, guest_id} (null = nothing) | {type: ping}.
Frames to the client: {type: welcome, staff, epoch, number, now} | {type: event, number, kind, data} | {type: resync, epoch, number} |
{type: ephemeral, kind, ...} | {type: pong, now}. Close codes: 4401 signed out, 4403 not allowed.
"""

import asyncio
import contextlib
import json
from typing import Any
from weakref import WeakKeyDictionary

import structlog
from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncJsonWebsocketConsumer
from django.db import DatabaseError, InterfaceError
from django.utils import timezone
from redis import RedisError

from accounts.models import Staff
from accounts.rights import Right
from accounts.selectors import find_staff
from core.live import LiveLog, Position, socket_group, staff_topic
from workstation.entrances import may_enter
from workstation.selectors import allowed_topics, list_topics_of
from workstation.services import presence

log = structlog.get_logger(__name__)
HEARTBEAT_SECONDS = 20
# A screen watches its lists and one open dialogue; more than this is not a screen of ours.
MOST_TOPICS = 200
SIGNED_OUT, FORBIDDEN = 4401, 4403


_logs: WeakKeyDictionary[asyncio.AbstractEventLoop, LiveLog] = WeakKeyDictionary()


def live_log() -> LiveLog:
    """The reader that the sockets of this event loop share; a connection of Redis belongs to one loop."""
    return _logs.setdefault(asyncio.get_running_loop(), LiveLog())


class Desk(AsyncJsonWebsocketConsumer):
    """One tab of one person."""

    right = Right.DESK
    or_right = Right.CASES_READ
    public_because = None
    staff: Staff
    log: LiveLog

    async def connect(self) -> None:
        self.beat: asyncio.Task[None] | None = None
        self.reading = asyncio.Lock()
        self.position: Position | None = None
        self.topics: set[str] = set()
        self.guests: set[int] = set()
        self.viewing: int | None = None
        await self.accept()  # a close code reaches the browser only after the handshake
        staff: Any = self.scope.get("user")
        if not isinstance(staff, Staff):
            await self.close(SIGNED_OUT)
        elif not await database_sync_to_async(may_enter)(staff):
            await self.close(FORBIDDEN)
        else:
            self.staff = staff
            self.log = live_log()
            await self.channel_layer.group_add(socket_group(staff.pk), self.channel_name)

    async def disconnect(self, code: int) -> None:
        if self.beat is not None:
            self.beat.cancel()
        for guest in self.guests:
            await self.channel_layer.group_discard(guest_group(guest), self.channel_name)
        if hasattr(self, "staff"):
            await self._leave_view()
            await self.channel_layer.group_discard(socket_group(self.staff.pk), self.channel_name)

    async def receive_json(self, content: Any, **_rest: Any) -> None:
        if not hasattr(self, "staff") or not isinstance(content, dict):
            return
        frame = {
            "hello": self._hello,
            "watch": self._watch,
            "unwatch": self._unwatch,
            "typing": self._typing,
            "viewing": self._viewing,
            "ping": self._ping,
        }.get(str(content.get("type")))
        if frame is not None:
            await frame(content)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None, **_rest: Any) -> None:
        with contextlib.suppress(ValueError):  # a frame that is no JSON says nothing to us
            await self.receive_json(json.loads(text_data or "null"))

    async def _hello(self, content: dict[str, Any]) -> None:
        """Begin, or go on after a drop: watch first, then read what came since."""
        self.position = _position(content)
        if not await self._sign_of_life():
            return
        self.topics.update(await database_sync_to_async(list_topics_of)(self.staff))
        with contextlib.suppress(RedisError):
            await self._renew()
        await self.send_json({"type": "welcome", "staff": self.staff.pk, "number": self._number(), "epoch": self._epoch(), "now": _now()})
        await self._read()
        if self.beat is None:
            self.beat = asyncio.create_task(self._beat())

    async def _watch(self, content: dict[str, Any]) -> None:
        fresh = [topic for topic in _topics(content) if topic not in self.topics]
        allowed = await database_sync_to_async(_allowed_now)(self.staff.pk, fresh)
        self.topics.update(allowed[: max(0, MOST_TOPICS - len(self.topics))])
        for guest in _guests(allowed):
            self.guests.add(guest)
            await self.channel_layer.group_add(guest_group(guest), self.channel_name)
        with contextlib.suppress(RedisError):
            await self.log.watch(self.staff.pk, allowed)
        await self._read()

    async def _unwatch(self, content: dict[str, Any]) -> None:
        """This tab looks away. Another tab of the person may still look, so the watch itself runs out by its time."""
        await self._look_away(set(_topics(content)))

    async def _look_away(self, topics: set[str]) -> None:
        for guest in _guests(topics) & self.guests:
            await self.channel_layer.group_discard(guest_group(guest), self.channel_name)
            self.guests.discard(guest)
        self.topics -= topics

    async def _typing(self, content: dict[str, Any]) -> None:
        guest = self._shown_guest(content)
        if guest is not None:
            await self._tell_colleagues(guest, kind="typing", state="on" if content.get("state") == "on" else "off")

    async def _viewing(self, content: dict[str, Any]) -> None:
        guest = self._shown_guest(content)
        arrived = guest != self.viewing
        if arrived:
            await self._leave_view()
        if guest is not None:
            self.viewing = guest
            await self._tell_colleagues(guest, kind="viewing", state="on", arrived=arrived)

    def _shown_guest(self, content: dict[str, Any]) -> int | None:
        """The named guest, if this screen may and does watch the guest."""
        guest = content.get("guest_id")
        return guest if isinstance(guest, int) and guest in self.guests else None

    async def _leave_view(self) -> None:
        if self.viewing is not None:
            gone, self.viewing = self.viewing, None
            await self._tell_colleagues(gone, kind="viewing", state="off")

    async def _tell_colleagues(self, guest: int, **data: Any) -> None:
        said = {"guest_id": guest, "staff_id": self.staff.pk, "name": self.staff.full_name, **data}
        with contextlib.suppress(RedisError):
            await self.channel_layer.group_send(guest_group(guest), {"type": "live.ephemeral", "data": said})

    async def _ping(self, _content: dict[str, Any]) -> None:
        await self.send_json({"type": "pong", "now": _now()})

    async def live_wake(self, _message: dict[str, Any]) -> None:
        await self._read()

    async def live_ephemeral(self, message: dict[str, Any]) -> None:
        data = message.get("data") or {}
        if data.get("staff_id") == self.staff.pk:
            return
        here = self.viewing
        if here is not None and data.get("kind") == "viewing" and data.get("arrived") and data.get("guest_id") == here:
            # Whoever has just come learns at once who is here already.
            await self._tell_colleagues(here, kind="viewing", state="on")
        await self.send_json({"type": "ephemeral", **data})

    async def _read(self) -> None:
        """Send everything after the position. A wake during a reading reads again: nothing depends on one PUBLISH."""
        if self.position is None:
            return
        async with self.reading:
            more = True
            while more:
                try:
                    found = await self.log.read(self.staff.pk, self.position)
                except RedisError:
                    return
                self.position, more = found.position, found.more
                if found.resync:
                    await self._resync(found.position)
                for number, event in found.events:
                    await self.send_json({"type": "event", "number": number, **event})

    async def _resync(self, position: Position) -> None:
        await self.send_json({"type": "resync", "epoch": position.epoch, "number": position.number})

    async def _beat(self) -> None:
        """Every 20 s: the person is alive, the watches are renewed, the log is read whether or not a wake came."""
        while True:
            await asyncio.sleep(HEARTBEAT_SECONDS)
            try:
                if not await self._sign_of_life():
                    return
                await self._renew()
                await self._read()
            except (RedisError, DatabaseError, InterfaceError):
                # A server restarts; a heartbeat that ended here would leave an open screen deaf for good.
                log.warning("a heartbeat is missed: a server is away", staff=self.staff.pk, exc_info=True)

    async def _renew(self) -> None:
        """Stay among the watchers; a screen without a place in the log gets one and loads everything. Raises RedisError."""
        await self.log.watch(self.staff.pk, self.topics)
        if self.position is None:
            here = (await self.log.read(self.staff.pk, None)).position
            self.position = here
            await self._resync(here)

    async def _sign_of_life(self) -> bool:
        """Whether the person may go on, with the rights of this moment. Raises RedisError."""
        session, asked = self.scope.get("session"), sorted(self.topics)
        try:
            found = await database_sync_to_async(_still_here)(self.staff.pk, session, asked)
        except (DatabaseError, InterfaceError):
            return True  # the database restarts; the next beat asks again
        if found is None:
            await self.close(SIGNED_OUT)
            return False
        self.staff, allowed = found
        if lost := set(asked) - set(allowed):
            await self._lose(lost)
        return True

    async def _lose(self, topics: set[str]) -> None:
        """The person may not watch these any more, in no tab. Raises RedisError; the next beat then tries again."""
        await self.log.unwatch(self.staff.pk, topics)
        if self.viewing in _guests(topics):
            await self._leave_view()
        await self._look_away(topics)

    def _number(self) -> int:
        return self.position.number if self.position else 0

    def _epoch(self) -> str:
        return self.position.epoch if self.position else ""


def _still_here(staff_id: int, session: Any, topics: list[str]) -> tuple[Staff, list[str]] | None:
    """The person as of now and what of the topics may still be watched; None = signed out or not allowed in."""
    signed_in = session is None or not session.session_key or bool(session.exists(session.session_key))
    staff = presence.sign_of_life(staff_id=staff_id, now=timezone.now()) if signed_in else None
    return None if staff is None else (staff, _allowed(staff, topics))


def _allowed_now(staff_id: int, topics: list[str]) -> list[str]:
    """By the rights of this moment: a socket lives for a whole shift."""
    staff = find_staff(staff_id)
    return [] if staff is None or not staff.is_active else _allowed(staff, topics)


def _allowed(staff: Staff, topics: list[str]) -> list[str]:
    own = staff_topic(staff.pk)
    return [*(topic for topic in topics if topic == own), *allowed_topics(staff=staff, topics=topics)]


def _position(content: dict[str, Any]) -> Position | None:
    epoch, last = content.get("epoch"), content.get("last")
    return Position(epoch, last) if isinstance(epoch, str) and epoch and isinstance(last, int) and last >= 0 else None


def _topics(content: dict[str, Any]) -> list[str]:
    named = content.get("topics")
    return [topic for topic in named if isinstance(topic, str)][:MOST_TOPICS] if isinstance(named, list) else []


def guest_group(guest_id: int) -> str:
    """The channel-layer group of the sockets that show a guest."""
    return f"guest.{guest_id}"


def _guests(topics: Any) -> set[int]:
    return {int(topic[6:]) for topic in topics if topic.startswith("guest:") and topic[6:].isdecimal()}


def _now() -> float:
    return timezone.now().timestamp() * 1000
