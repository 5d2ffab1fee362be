"""Not faster than a provider allows: a place in the account's and in the guest's queue is taken before each send.

The places are kept in Redis, so that all workers together keep the limit. While it is away each process keeps a part of the limit
by itself: slower than allowed, never faster.
"""

import time
from typing import Any, cast

import redis
import structlog

from core.redis import client
from omni.channels.contract import Capabilities
from omni.channels.registry import adapter_for
from omni.models import Attempt, ChannelAccount
from omni.pace import Limit, reserve

log = structlog.get_logger(__name__)
# What each process may use alone: as many run as this leaves room for.
SAFE_SHARE = 0.125
# Providers bear a few messages in a row to one guest and count the long run.
CHAT_BURST = 5
# A place that nobody came for is forgotten.
KEPT = 3600
_LOCAL_MOST = 10_000
# The same arithmetic as omni.pace.reserve, for all workers by the clock of Redis. KEYS: the place taken, then a bucket for each limit.
# ARGV: kept seconds, then rate and burst of each limit. Answer: microseconds to wait; 0 = go.
_RESERVE = """
if redis.call('DEL', KEYS[1]) == 1 then return 0 end
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local start = now
for i = 2, #KEYS do
  local interval = 1000000 / tonumber(ARGV[2 * i - 2])
  local burst = tonumber(ARGV[2 * i - 1])
  local begins = math.max(tonumber(redis.call('GET', KEYS[i]) or '0'), now)
  start = math.max(start, begins - (burst - 1) * interval)
  local full = begins + interval
  redis.call('SET', KEYS[i], string.format('%.0f', full), 'PX', math.ceil((full - now) / 1000) + 1000)
end
local wait = math.ceil(start - now)
if wait > 0 then redis.call('SET', KEYS[1], '1', 'EX', ARGV[1] + math.ceil(wait / 1000000)) end
return wait
"""
_local: dict[str, float] = {}


def limits_of(account: ChannelAccount) -> tuple[Limit | None, Limit | None]:
    """The account's limit and the one for each guest; None = none. Own settings win over what the channel's provider allows."""
    can: Capabilities = adapter_for(account.kind).capabilities
    whole, chat = account.per_second or can.per_second, account.per_chat_per_second or can.per_chat_per_second
    return (Limit.of(whole) if whole else None, Limit(chat, max(CHAT_BURST, int(chat))) if chat else None)


def wait_for(attempt: Attempt) -> float:
    """Seconds until this attempt may go: 0 = now. Its place is kept, so that it is asked again only when its time has come."""
    whole, chat = limits_of(attempt.account)
    buckets = {f"pace:account:{attempt.account_id}": whole, f"pace:chat:{attempt.session_id}": chat}
    known = {name: limit for name, limit in buckets.items() if limit is not None}
    if not known:
        return 0.0
    try:
        return _shared(attempt, known)
    except redis.RedisError:
        log.warning("sends go slowly: Redis is away", account=attempt.account_id)
        return _alone(attempt, known, now=time.monotonic())


def _shared(attempt: Attempt, limits: dict[str, Limit]) -> float:
    numbers = [part for limit in limits.values() for part in (limit.rate, limit.burst)]
    keys = [f"pace:place:{attempt.pk}", *limits]
    waited = cast(Any, client().eval(_RESERVE, len(keys), *keys, KEPT, *numbers))
    return int(waited) / 1_000_000


def _alone(attempt: Attempt, limits: dict[str, Limit], *, now: float) -> float:
    place = f"pace:place:{attempt.pk}"
    if _local.pop(place, None) is not None:
        return 0.0
    if len(_local) > _LOCAL_MOST:
        _local.clear()
    start = now
    for name, limit in limits.items():
        free, _local[name] = reserve(_local.get(name, 0.0), limit.slower(SAFE_SHARE), now=now)
        start = max(start, free)
    if start > now:
        _local[place] = start
    return start - now
