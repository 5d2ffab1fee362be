"""One pooled Redis client per process. What is in Redis may be lost: callers keep the truth in PostgreSQL."""

from functools import cache
from threading import Lock

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

_making = Lock()


def client() -> redis.Redis:
    """The pooled client of this process; faults are redis.RedisError."""
    # Of two made at once one would be dropped, and a dropped client closes its connections under whoever uses them.
    with _making:
        return _client()


@cache
def _client() -> redis.Redis:
    return redis.Redis.from_url(
        settings.REDIS_URL,
        socket_connect_timeout=2,
        socket_timeout=5,
        # Once more at once: an idle connection may have been closed. Backing off would hold up the page that asks.
        retry=Retry(NoBackoff(), 1),
    )
