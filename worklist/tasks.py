"""The sweep over counters."""

from celery import shared_task

from worklist.services import counters


@shared_task
def fold_counters(**_kwargs: object) -> None:
    """Keep the deltas few, so that reading a counter stays quick."""
    counters.fold()
