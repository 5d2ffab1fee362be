"""What the desk put off: items until a time, closings until they cannot be taken back."""

from celery import shared_task
from django.utils import timezone

from workstation.services import held_closings, snoozing


@shared_task
def wake_snoozed(**_kwargs: object) -> None:
    """Bring back dialogues and tickets whose time has come."""
    snoozing.wake_due(now=timezone.now())


@shared_task
def close_held(*, held_id: int, **_kwargs: object) -> None:
    """One closing whose time to be taken back is over."""
    held_closings.carry_out(held_id=held_id, now=timezone.now())


@shared_task
def sweep_held_closings(**_kwargs: object) -> None:
    """Closings whose own call was lost."""
    held_closings.close_due(now=timezone.now())
