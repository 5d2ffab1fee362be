"""Events: how a lower app tells higher ones what happened, after the transaction has committed.

A handler may be lost with its process, so what must not be lost is also found by a sweep over rows, or is done inside the
transaction through a registry that the lower app declares.
"""

from collections import defaultdict
from collections.abc import Callable
from typing import Any, TypeVar

import structlog
from django.db import transaction

log = structlog.get_logger(__name__)
E = TypeVar("E")
_handlers: dict[type, list[Callable[[Any], None]]] = defaultdict(list)


def on(event: type[E]) -> Callable[[Callable[[E], None]], Callable[[E], None]]:
    """Register a handler of an event type. Handlers live in an app's handlers.py, imported by AppConfig.ready."""

    def register(handler: Callable[[E], None]) -> Callable[[E], None]:
        if handler not in _handlers[event]:
            _handlers[event].append(handler)
        return handler

    return register


def publish(event: object) -> None:
    """Deliver the event to its handlers when the current transaction commits; never when it rolls back."""
    transaction.on_commit(lambda: _deliver(event))


def _deliver(event: object) -> None:
    for handler in _handlers[type(event)]:
        try:
            handler(event)
        except Exception:  # one handler's fault must not take the others' news
            log.exception("event handler failed", event_type=type(event).__name__, handler=handler.__qualname__)
