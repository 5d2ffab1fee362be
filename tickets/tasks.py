"""Sweeps of tickets: each finds what is due in rows, so a lost call loses nothing."""

from celery import shared_task
from django.utils import timezone

from tickets.services import mailing, store_links, surveys, telling


@shared_task
def ask_stores(**_kwargs: object) -> None:
    """Ask stores whose answer tickets wait for, remind them, take back what is over."""
    while store_links.sweep(now=timezone.now()) >= store_links.BATCH:
        pass


@shared_task
def send_letters(**_kwargs: object) -> None:
    """Send letters about tickets, until nothing is left."""
    while mailing.send_due(now=timezone.now()) == mailing.BATCH:
        pass


@shared_task
def tell_guests(**_kwargs: object) -> None:
    """Tell guests of their tickets and ask them for marks, until nothing is left."""
    while telling.tell_due(now=timezone.now()) == telling.BATCH:
        pass
    while surveys.ask_due(now=timezone.now()) == surveys.BATCH:
        pass
