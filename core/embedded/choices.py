"""What the environment asks of a start."""

import os
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass

import psycopg2
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from core.embedded.errors import StartError
from core.embedded.waiting import Pause, wait_until

DEFAULT_PORT = 8000
# A database in a container may come up together with the product.
OUTSIDE_SECONDS = 15.0


@dataclass(frozen=True)
class Choices:
    """`outside` holds DATABASE_URL and REDIS_URL when both are given; empty means: start servers of one's own."""

    host: str
    port: int
    demo: bool
    outside: Mapping[str, str]


def choices(environment: Mapping[str, str] = os.environ) -> Choices:
    """Read HOST, PORT, DEMO, DATABASE_URL and REDIS_URL; raises StartError for what does not fit."""
    given = {name: environment[name].strip() for name in ("DATABASE_URL", "REDIS_URL") if environment.get(name, "").strip()}
    if len(given) == 1:
        missing = ({"DATABASE_URL", "REDIS_URL"} - set(given)).pop()
        raise StartError(f"{next(iter(given))} is set but {missing} is not: set both, or none to have both servers started here.")
    demo = not given or environment.get("DEMO", "").strip().lower() in {"1", "true", "yes", "on"}
    return Choices(environment.get("HOST", "").strip() or "127.0.0.1", _port(environment), demo, given)


def require_outside(urls: Mapping[str, str], pause: Pause) -> None:
    """Wait until the servers of others answer; raises StartError, naming the setting and the reason, when one does not."""
    faults: dict[str, str] = {}

    def all_answer() -> bool:
        faults.clear()
        faults.update({name: fault for name, url in urls.items() if (fault := _fault(name, url))})
        return not faults

    if not wait_until(all_answer, seconds=OUTSIDE_SECONDS, pause=pause, step=0.5):
        raise StartError("; ".join(f"{name} does not work: {fault}" for name, fault in sorted(faults.items())))


def _port(environment: Mapping[str, str]) -> int:
    value = environment.get("PORT", "").strip() or str(DEFAULT_PORT)
    if not value.isascii() or not value.isdigit() or not 1 <= int(value) <= 65_534:
        raise StartError(f"PORT must be a number from 1 to 65534, not {value!r}.")
    return int(value)


def _fault(name: str, url: str) -> str:
    try:
        _try_database(url) if name == "DATABASE_URL" else _try_redis(url)
    except (psycopg2.Error, redis.RedisError, ValueError) as error:
        return " ".join(str(error).split()) or type(error).__name__
    return ""


def _try_database(url: str) -> None:
    psycopg2.connect(url, connect_timeout=3).close()


def _try_redis(url: str) -> None:
    once = Retry(NoBackoff(), 0)
    with closing(redis.Redis.from_url(url, socket_connect_timeout=3, socket_timeout=3, retry=once)) as client:
        client.ping()
