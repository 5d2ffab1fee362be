"""Sweeps of tickets: each finds what is due in rows, so a lost call loses nothing."""

from celery import shared_task
from django.utils import timezone

from omni import dispatch
from tickets.services import (
    approval_ticks,
    bursts,
    call_backs,
    counting,
    duplicates,
    incident_parts,
    mailing,
    mass,
    prints,
    relaying,
    store_links,
    surveys,
    telling,
    waits,
)


@shared_task
def tick_approvals(**_kwargs: object) -> None:
    """Remind those who approve, and go on where nobody decided in time."""
    while approval_ticks.tick(now=timezone.now()) == approval_ticks.BATCH:
        pass


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
def look_for_duplicates(**_kwargs: object) -> None:
    """Compare tickets whose guests have said more; give prints to tickets that have none."""
    dispatch.woken(prints.LOOK)
    while due := duplicates.find_due(now=timezone.now()):
        for case_id in due:
            duplicates.look_again(case_id, now=timezone.now())
        if len(due) < duplicates.BATCH:
            return


@shared_task
def add_missing_prints(**_kwargs: object) -> None:
    """Tickets of before, and of loads, get their prints."""
    while prints.add_missing():
        pass


@shared_task
def tell_main_tickets(**_kwargs: object) -> None:
    """Tell main tickets what the guests of joined ones said; let dialogues go whose main ticket is closed."""
    dispatch.woken(relaying.TELL)
    while due := relaying.find_due():
        for message_id in due:
            relaying.tell(message_id, now=timezone.now())
        if len(due) < relaying.BATCH:
            break
    relaying.let_go(now=timezone.now())


@shared_task
def find_bursts(**_kwargs: object) -> None:
    """Count whole hours, draft incidents where too many tickets are alike, put theirs under the leading ticket of a confirmed one."""
    counting.count_hours(now=timezone.now())
    bursts.watch(now=timezone.now())
    incident_parts.hang(now=timezone.now())


@shared_task
def carry_on_mass_jobs(**_kwargs: object) -> None:
    """Gather and carry out what mass jobs have left, a slice of each at a time."""
    dispatch.woken(mass.CARRY_ON)
    while mass.carry_on(now=timezone.now()):
        pass


@shared_task
def tell_guests(**_kwargs: object) -> None:
    """Tell guests of their tickets and ask them for marks, until nothing is left."""
    while telling.tell_due(now=timezone.now()) == telling.BATCH:
        pass
    while surveys.ask_due(now=timezone.now()) == surveys.BATCH:
        pass


@shared_task
def carry_on_waits(**_kwargs: object) -> None:
    """Remind silent guests, close what they never answered."""
    while waits.carry_on(now=timezone.now()) == waits.BATCH:
        pass


@shared_task
def ring_call_backs(**_kwargs: object) -> None:
    """Tell of calls that are due."""
    while call_backs.ring(now=timezone.now()) == call_backs.BATCH:
        pass
