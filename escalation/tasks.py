"""Sweeps of escalation: each finds what is due in rows, so a lost call loses nothing."""

from celery import shared_task
from django.utils import timezone

from escalation import subjects
from escalation.services import delivering, dry_run, duty, reviews, tick, watch


@shared_task
def tick_runs(**_kwargs: object) -> None:
    """Carry out what is due, until nothing is left."""
    while tick.tick(now=timezone.now()) == tick.BATCH:
        pass


@shared_task
def start_due(**_kwargs: object) -> None:
    """Start the ladders of subjects that need one."""
    for kind in subjects.kinds():
        kind.start_due(now=timezone.now())


@shared_task
def send_notices(**_kwargs: object) -> None:
    """Send notices, until nothing is left."""
    delivering.recover_lost(now=timezone.now())
    while delivering.send_due(now=timezone.now()) == delivering.BATCH:
        pass


@shared_task
def watch_runs(**_kwargs: object) -> None:
    """Look for what escalation does not do."""
    watch.watch(now=timezone.now())


@shared_task
def record_duty(**_kwargs: object) -> None:
    """Write down who is on duty."""
    duty.record_all(now=timezone.now())


@shared_task
def dry_run_maps(**_kwargs: object) -> None:
    """Walk over all maps for the days to come; tell the owners of those whose review is due."""
    now = timezone.now()
    dry_run.run(now=now)
    reviews.tell_owners(now=now)
