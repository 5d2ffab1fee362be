"""One pooled Redis client per process. What is in Redis may be lost: callers keep the truth in PostgreSQL."""

from functools import cache

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry


@cache
def client() -> redis.Redis:
    """The pooled client of this process; faults are redis.RedisError."""
    return redis.Redis.from_url(
        settings.REDIS_URL,
        socket_connect_timeout=2,
        socket_timeout=5,
        # Once more at once: an idle connection may have been closed. Backing off would hold up the page that asks.
        retry=Retry(NoBackoff(), 1),
    )
