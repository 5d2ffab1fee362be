"""The sweeps over clocks."""

from celery import shared_task
from django.utils import timezone

from sla.services import changes, clocks


@shared_task
def mark_breaches(**_kwargs: object) -> None:
    """Write down what ran out of time, until nothing is left."""
    while clocks.mark_breaches(now=timezone.now()) == 500:
        pass


@shared_task
def apply_changes(**_kwargs: object) -> None:
    """Apply changed policies and calendars to the clocks that run, for a while."""
    for change_id in changes.unfinished():
        changes.carry_on(change_id, now=timezone.now())
