"""The sweep over closed tickets that are not counted yet."""

import time

import structlog
from celery import shared_task
from django.core.cache import cache
from django.utils import timezone
from redis import RedisError

from core.locks import only_one
from reports.services import facts

log = structlog.get_logger(__name__)
# Below the task's time limit; what is left is done in the next round.
ROUND_SECONDS = 200
WHOLE_HISTORY_EVERY = 3600
WHOLE_HISTORY = "reports.whole_history"


@shared_task
def count_closed(**_kwargs: object) -> None:
    """Count what was closed lately and missed; once an hour look through the whole history."""
    with only_one("reports.count_closed") as mine:
        if not mine:
            return
        while missing := facts.find_missing(closed_since=timezone.now() - facts.RECENT):
            facts.count(case_ids=missing, now=timezone.now())
        if _is_turn() and not _count_history():
            _again_next_round()


def _count_history() -> bool:
    """Whether the end was reached within the round."""
    stop = time.monotonic() + ROUND_SECONDS
    facts.drop_reopened()
    for missing in facts.walk_missing():
        facts.count(case_ids=missing, now=timezone.now())
        if time.monotonic() > stop:
            return False
    return True


def _is_turn() -> bool:
    try:
        return bool(cache.add(WHOLE_HISTORY, 1, timeout=WHOLE_HISTORY_EVERY))
    except RedisError:  # counting is due, not urgent
        return False


def _again_next_round() -> None:
    try:
        cache.delete(WHOLE_HISTORY)
    except RedisError:
        log.info("the rest of the history is counted in an hour")
