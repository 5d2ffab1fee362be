"""Sweeps of the core: what a dead process left unpublished, and journals that have served."""

from datetime import timedelta

import structlog
from celery import shared_task
from django.utils import timezone

from core.live import relay
from core.models import Command, LiveEvent

log = structlog.get_logger(__name__)
COMMANDS_KEPT = timedelta(days=3)


@shared_task
def relay_live_events(**_kwargs: object) -> None:
    """Publish live events whose process died, or that waited for Redis."""
    while relay():
        pass


@shared_task
def purge_journals(**_kwargs: object) -> None:
    """Remove commands older than any client's retry, and live events nobody can use any more."""
    now = timezone.now()
    Command.objects.filter(created_at__lt=now - COMMANDS_KEPT).delete()
    LiveEvent.objects.filter(created_at__lt=now - timedelta(hours=1)).delete()
