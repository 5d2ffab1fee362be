"""The sweep over clocks."""

from celery import shared_task
from django.utils import timezone

from sla.services import clocks


@shared_task
def mark_breaches(**_kwargs: object) -> None:
    """Write down what ran out of time, until nothing is left."""
    while clocks.mark_breaches(now=timezone.now()) == 500:
        pass
