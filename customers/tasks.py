"""What is done for guests by night."""

from celery import shared_task
from django.utils import timezone

from customers.services import segments


@shared_task
def count_segments(**_kwargs: object) -> None:
    """Which segment each guest belongs to as of today."""
    segments.count_all(now=timezone.now())
