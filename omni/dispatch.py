"""Calling tasks by name, after commit. A queue that is down loses nothing: the work is a row, and a sweep finds it."""

from typing import Any

import structlog
from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError
from redis import RedisError

log = structlog.get_logger(__name__)


def after_commit(task: str, **arguments: Any) -> None:
    """Send the task when the transaction has committed."""
    transaction.on_commit(lambda: _send(task, arguments))


def _send(task: str, arguments: dict[str, Any]) -> None:
    try:
        current_app.send_task(task, kwargs=arguments, headers={"request_id": _request_id()})
    except (OperationalError, RedisError, OSError):
        log.warning("the queue is away; the sweep will find the work", task=task)


def _request_id() -> str:
    return str(structlog.contextvars.get_contextvars().get("request_id", ""))
