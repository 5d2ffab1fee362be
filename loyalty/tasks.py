"""Sweeps of the ledger: what is due is found in the rows, whatever the queue forgot."""

from datetime import timedelta

import structlog
from celery import shared_task
from django.utils import timezone

from core.locks import only_one
from loyalty.services import accounts, approvals, cards, endings, imports, outbox, proof, reconciliation, reservations, telling
from loyalty.services import guest_merges as merges

log = structlog.get_logger(__name__)
# Below the task's time limit: an import goes on in the next round.
IMPORT_SECONDS = 60
ROUNDS = 50


@shared_task
def fold_house_accounts(**_kwargs: object) -> None:
    accounts.fold_house()


@shared_task
def expire_reservations(**_kwargs: object) -> None:
    """What is reserved for too long, and compensations that nobody decided."""
    now = timezone.now()
    approvals.expire_due(now=now)
    reservations.expire_due(now=now)


@shared_task
def end_lots(**_kwargs: object) -> None:
    """Points ripen and expire; what reached a joined wallet moves on."""
    now = timezone.now()
    for _round in range(ROUNDS):
        if not endings.end_due(now=now):
            break
    cards.settle_joined(now=now)


@shared_task
def follow_merges(**_kwargs: object) -> None:
    """Wallets of guests who were joined or parted and whose news were lost, or whose points were just being spent."""
    merges.follow_due(now=timezone.now())


@shared_task
def tell_guests(**_kwargs: object) -> None:
    telling.tell_due(now=timezone.now())


@shared_task
def send_operations(**_kwargs: object) -> None:
    """What the outer processing has to hear."""
    for _round in range(ROUNDS):
        if not outbox.send_due(now=timezone.now()):
            break


@shared_task
def carry_on_imports(**_kwargs: object) -> None:
    for import_id in imports.unfinished():
        imports.carry_on(import_id=import_id, seconds=IMPORT_SECONDS)


@shared_task
def prove_recent(**_kwargs: object) -> None:
    """The quick proofs, every few minutes."""
    with only_one("loyalty proof") as alone:
        if alone:
            proof.prove(now=timezone.now(), full=False)


@shared_task
def prove_everything(**_kwargs: object) -> None:
    """Every night: all proofs over all rows, and yesterday at the outer processings."""
    now = timezone.now()
    with only_one("loyalty proof") as alone:
        if alone:
            proof.prove(now=now)
            reconciliation.compare_all(day=(now - timedelta(days=1)).date(), now=now)
