"""Calling tasks by name, after commit. A queue that is down loses nothing: the work is a row, and a sweep finds it."""

from typing import Any

import structlog
from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError
from redis import RedisError

log = structlog.get_logger(__name__)


def after_commit(task: str, *, delay: float = 0, expires: float | None = None, **arguments: Any) -> None:
    """Send the task when the transaction has committed.

    `delay` in seconds, far below the broker's visibility time-out; after `expires` seconds in the queue it is dropped.
    """
    transaction.on_commit(lambda: _send(task, arguments, delay, expires))


def _send(task: str, arguments: dict[str, Any], delay: float = 0, expires: float | None = None) -> None:
    try:
        current_app.send_task(task, kwargs=arguments, headers={"request_id": _request_id()}, countdown=delay or None, expires=expires)
    except (OperationalError, RedisError, OSError):
        log.warning("the queue is away; the sweep will find the work", task=task)


def _request_id() -> str:
    return str(structlog.contextvars.get_contextvars().get("request_id", ""))
