"""The sweep over what was put off."""

from celery import shared_task
from django.utils import timezone

from workstation.services import snoozing


@shared_task
def wake_snoozed(**_kwargs: object) -> None:
    """Bring back dialogues and tickets whose time has come."""
    snoozing.wake_due(now=timezone.now())
