"""How much one visitor or one address may do in a minute. Counters live in Redis: when it is away, everybody passes."""

from datetime import datetime

import redis
import structlog
from django.utils.translation import gettext_lazy as _

from core.redis import client
from core.refusal import Refusal

log = structlog.get_logger(__name__)
WINDOW = 60


class TooMany(Refusal):
    """Over the limit; `retry_after` in seconds."""

    def __init__(self, retry_after: int) -> None:
        super().__init__("too_many", _("That is too much at once. Please wait a minute and try again."), status=429)
        self.retry_after = retry_after


def take(bucket: str, *, limit: int, now: datetime, member: str = "") -> None:
    """Count one use of the bucket within the current minute; a repeated `member` counts once. Raises TooMany."""
    second = int(now.timestamp())
    key = f"chat:limit:{bucket}:{second // WINDOW}"
    pipe = client().pipeline(transaction=False)
    if member:
        pipe.sadd(key, member)
        pipe.scard(key)
    else:
        pipe.incr(key)
    pipe.expire(key, WINDOW * 2)
    try:
        used = int(pipe.execute()[-2])
    except redis.RedisError:
        log.warning("limits are not counted: Redis is away", bucket=bucket)
        return
    if used > limit:
        raise TooMany(WINDOW - second % WINDOW)
