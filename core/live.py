"""Live events: what an open screen must hear of, numbered per member of staff, with replay after a drop.

A change announces itself inside its transaction (a row), is published right after the commit (one pooled call), and is
published by a sweep if the process died in between. Redis holds each person's log; when Redis is emptied, the log's epoch
changes and every screen reloads its truth from PostgreSQL. Numbers are given at publishing, so a log has no holes.
"""

import json
import time
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cache, partial
from typing import Any, cast

import redis
import redis.asyncio
import structlog
from channels.layers import get_channel_layer
from django.conf import settings
from django.db import connection, transaction
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import NoBackoff

from core.models import LiveEvent
from core.redis import client
from core.statements import insert

log = structlog.get_logger(__name__)
KEPT = timedelta(minutes=15)
LOG_LENGTH = 5000
RELAY_BATCH = 500
# The process that wrote a row publishes it within milliseconds; the sweep takes only what it left behind.
RELAY_AFTER = timedelta(seconds=2)

# Topics are resolved to people at publishing: `staff:7` is person 7, any other topic is whoever watches it.
# ARGV: kept seconds, log length, now, wake message, fresh epoch, topic count, topics..., event.
_PUBLISH = """
local kept, length, now, wake, n = tonumber(ARGV[1]), ARGV[2], tonumber(ARGV[3]), ARGV[4], tonumber(ARGV[6])
redis.call('SET', 'live:epoch', ARGV[5], 'NX')
local people, order = {}, {}
for i = 7, 6 + n do
  local person = string.match(ARGV[i], '^staff:(%d+)$')
  local found = person and {person} or redis.call('ZRANGEBYSCORE', 'live:watch:' .. ARGV[i], now - kept, '+inf')
  for _, who in ipairs(found) do
    if not people[who] then people[who] = true; order[#order + 1] = who end
  end
end
for _, who in ipairs(order) do
  local number = redis.call('INCR', 'live:number:' .. who)
  redis.call('XADD', 'live:log:' .. who, 'MAXLEN', '~', length, '0-' .. number, 'e', ARGV[7 + n])
  redis.call('EXPIRE', 'live:log:' .. who, kept)
  redis.call('PUBLISH', 'asgi__group__live.' .. who, wake)
end
return #order
"""
# Whoever did not watch for this long may have missed events: shorter than KEPT, so that nobody drops out of the watchers unnoticed.
WATCH_GAP = KEPT / 2
# A watch after a gap burns a number: every screen of the person finds the hole and reloads, whichever comes back first.
# ARGV: person, now, kept seconds, gap seconds, fresh epoch, topics...
_WATCH = """
local person, now, kept = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
redis.call('SET', 'live:epoch', ARGV[5], 'NX')
for i = 6, #ARGV do
  local key = 'live:watch:' .. ARGV[i]
  redis.call('ZADD', key, now, person)
  redis.call('ZREMRANGEBYSCORE', key, '-inf', now - kept)
  redis.call('EXPIRE', key, kept)
end
if not redis.call('SET', 'live:watched:' .. person, '1', 'EX', ARGV[4], 'GET') then
  redis.call('INCR', 'live:number:' .. person)
end
return {redis.call('GET', 'live:epoch'), tonumber(redis.call('GET', 'live:number:' .. person) or '0')}
"""
# ARGV: person, number of the last event seen, most events to return, fresh epoch.
_READ = """
redis.call('SET', 'live:epoch', ARGV[4], 'NX')
local number = tonumber(redis.call('GET', 'live:number:' .. ARGV[1]) or '0')
local events = redis.call('XRANGE', 'live:log:' .. ARGV[1], '(0-' .. ARGV[2], '+', 'COUNT', ARGV[3])
return {redis.call('GET', 'live:epoch'), number, events}
"""
READ_BATCH = 1000
# Losing this commit in a crash publishes an event again, which screens take for what it is: so it need not wait for the disk.
_TAKE_OWN = """
set local synchronous_commit to off;
delete from core_liveevent where id = any(%s) returning id, kind, payload, topics
"""
_TAKE_LEFT = """
delete from core_liveevent where id in (
    select id from core_liveevent where created_at < now() - %s order by id limit %s for update skip locked
) returning id, kind, payload, topics
"""


@dataclass(frozen=True)
class Position:
    """How far a screen has read: the log's epoch and the number of the last event."""

    epoch: str
    number: int


@dataclass(frozen=True)
class Reading:
    """What came after a position. `resync` = the log cannot tell what was missed, so the screen reloads its truth."""

    position: Position
    events: Sequence[tuple[int, dict[str, Any]]]
    resync: bool
    more: bool = False


def announce(*, kind: str, payload: dict[str, Any], topics: Iterable[str]) -> None:
    """Tell the watchers of `topics`, after commit. Call inside the transaction of the change."""
    row = insert(LiveEvent(kind=kind, payload=payload, topics=sorted(set(topics))))
    _publish_after_commit(row.pk)


def _publish_after_commit(row_id: int) -> None:
    """One publication for all events of a transaction, whatever savepoints came and went in between."""
    hooks = (entry[1] for entry in connection.run_on_commit)
    pending = next((hook.args[0] for hook in hooks if isinstance(hook, partial) and hook.func is _publish_own), None)
    if pending is not None:
        pending.append(row_id)
    else:
        transaction.on_commit(partial(_publish_own, [row_id]))


def _publish_own(row_ids: list[int]) -> None:
    try:
        _publish(_TAKE_OWN, [row_ids])
    except redis.RedisError:
        log.warning("live events wait for Redis", rows=len(row_ids))


def staff_topic(staff_id: int) -> str:
    return f"staff:{staff_id}"


def socket_group(staff_id: int) -> str:
    """The channel layer's group of a person's sockets."""
    return f"live.{staff_id}"


def stand_by(staff_id: int, topics: Iterable[str]) -> Position | None:
    """Count the person among the watchers of `topics`, before a page reads what it shows: where the page's screen goes on from.

    What changes after this call is in the log behind the returned position. None while Redis is away: the screen then reloads.
    """
    try:
        epoch, number = cast(Any, client().eval(_WATCH, 0, *_watch_arguments(staff_id, topics)))
    except redis.RedisError:
        log.warning("a page is shown without live events: Redis is away")
        return None
    return Position(epoch.decode(), int(number))


def _watch_arguments(staff_id: int, topics: Iterable[str]) -> list[str]:
    spans = (int(span.total_seconds()) for span in (KEPT, WATCH_GAP))
    return [str(staff_id), str(int(time.time())), *(str(span) for span in spans), uuid.uuid4().hex, *topics]


def tell_now(group: str, data: dict[str, Any]) -> None:
    """Pass on what is true only for seconds (a draft, somebody typing) to the sockets of a channel-layer group. May be lost."""
    message = _serialised({"type": "live.ephemeral", "data": data})
    try:
        client().publish(f"asgi__group__{group}", message)
    except redis.RedisError:
        log.warning("a fleeting event is lost: Redis is away", group=group)


@cache
def _wake_message() -> bytes:
    return _serialised({"type": "live.wake"})


def _serialised(message: dict[str, Any]) -> bytes:
    """The message as the layer's own group_send would publish it."""
    return cast(bytes, cast(Any, get_channel_layer()).serialize(message))


def _publish(take: str, parameters: list[Any]) -> int:
    """Take rows out and publish them in one round trip; they come back if that fails. Raises redis.RedisError."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(take, parameters)
        rows = sorted(cursor.fetchall())
        if rows:
            _send(rows)
        return len(rows)


def _send(rows: Sequence[tuple[int, str, Any, Sequence[str]]]) -> None:
    pipe = client().pipeline(transaction=False)
    kept, now, fresh = int(KEPT.total_seconds()), int(time.time()), uuid.uuid4().hex
    for _row_id, kind, payload, topics in rows:
        data = json.loads(payload) if isinstance(payload, str) else payload
        event = json.dumps({"kind": kind, "data": data}, ensure_ascii=False)
        pipe.eval(_PUBLISH, 0, kept, LOG_LENGTH, now, _wake_message(), fresh, len(topics), *topics, event)
    pipe.execute()


def relay() -> int:
    """Publish rows that their own process did not; returns how many. Raises redis.RedisError."""
    return _publish(_TAKE_LEFT, [RELAY_AFTER, RELAY_BATCH])


class LiveLog:
    """One process's asynchronous reader of the logs; sockets share its connections."""

    def __init__(self) -> None:
        pool = redis.asyncio.BlockingConnectionPool.from_url(
            settings.REDIS_URL, max_connections=32, timeout=10, socket_connect_timeout=2, socket_timeout=5, retry=AsyncRetry(NoBackoff(), 1)
        )
        self._client: redis.asyncio.Redis = redis.asyncio.Redis(connection_pool=pool)

    async def read(self, staff_id: int, since: Position | None) -> Reading:
        """Events after `since`; None = from now on. Raises redis.RedisError."""
        last = since.number if since else 0
        found = await self._client.eval(_READ, 0, staff_id, last, READ_BATCH, uuid.uuid4().hex)
        epoch, number = found[0].decode(), int(found[1])
        here = Position(epoch, number)
        if since is None:
            return Reading(here, (), resync=False)
        events = [(int(entry[0].decode().split("-")[1]), json.loads(entry[1][1])) for entry in found[2]]
        reached = events[-1][0] if events else last
        holes = reached - last != len(events)
        if since.epoch != epoch or last > number or holes or (not events and last < number):
            return Reading(here, (), resync=True)
        return Reading(Position(epoch, reached), events, resync=False, more=reached < number)

    async def watch(self, staff_id: int, topics: Iterable[str]) -> None:
        """Count the person among the watchers of `topics`; to be repeated within WATCH_GAP, or the person's screens reload.

        Raises redis.RedisError.
        """
        await self._client.eval(_WATCH, 0, *_watch_arguments(staff_id, topics))

    async def unwatch(self, staff_id: int, topics: Iterable[str]) -> None:
        """No longer count the person among the watchers. Raises redis.RedisError."""
        async with self._client.pipeline(transaction=False) as pipe:
            for topic in topics:
                pipe.zrem(f"live:watch:{topic}", str(staff_id))
            await pipe.execute()
