"""Calling tasks by name, after commit. A queue that is down loses nothing: the work is a row, and a sweep finds it."""

from typing import Any

import structlog
from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError
from redis import RedisError

from core.redis import client

log = structlog.get_logger(__name__)
# Milliseconds in the queue after which a wake-up counts as lost.
WAKE_KEPT = 2000


def after_commit(task: str, *, delay: float = 0, expires: float | None = None, **arguments: Any) -> None:
    """Send the task when the transaction has committed.

    `delay` in seconds, far below the broker's visibility time-out; after `expires` seconds in the queue it is dropped.
    """
    transaction.on_commit(lambda: _send(task, arguments, delay, expires))


def wake(task: str, *, delay: float = 0) -> None:
    """Call a draining task, after `delay` seconds, once for all that has come meanwhile: who calls while a call waits spares his own.

    The task begins with `woken`, so work committed before the look is seen by it, and work after it calls anew. A wake-up lost with
    its worker is over after WAKE_KEPT; the sweep is there all the time.
    """
    transaction.on_commit(lambda: _wake(task, delay))


def _wake(task: str, delay: float) -> None:
    try:
        first = client().set(f"wake:{task}", 1, nx=True, px=WAKE_KEPT + round(delay * 1000))
    except RedisError:
        log.warning("the queue is away; the sweep will find the work", task=task)
        return
    if first:
        _send(task, {}, delay)


def woken(task: str) -> None:
    """The draining task has begun: whatever comes from now on calls again."""
    try:
        client().delete(f"wake:{task}")
    except RedisError:
        log.warning("the next wake-up waits for its time-out", task=task)


def _send(task: str, arguments: dict[str, Any], delay: float = 0, expires: float | None = None) -> None:
    try:
        current_app.send_task(task, kwargs=arguments, headers={"request_id": _request_id()}, countdown=delay or None, expires=expires)
    except (OperationalError, RedisError, OSError):
        log.warning("the queue is away; the sweep will find the work", task=task)


def _request_id() -> str:
    return str(structlog.contextvars.get_contextvars().get("request_id", ""))
