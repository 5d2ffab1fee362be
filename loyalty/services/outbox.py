"""What the outer processing has to hear: written in the transaction of the transfer, sent until it is answered."""

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from loyalty.models import Card, Operation, Processing
from loyalty.processing.contract import Answer, AnswerState, NoAnswer, Processor, Sent
from loyalty.processing.http import HttpProcessor
from loyalty.services.proof import Finding, raise_alarm
from loyalty.states import AlarmCheck, CardState, OperationState

log = structlog.get_logger(__name__)
AT_ONCE = 50
# Long enough for a call with its time-out; who died in between is taken over after it.
LEASE = timedelta(minutes=2)
PAUSES = [timedelta(seconds=seconds) for seconds in (2, 5, 15, 60, 300, 900, 3600)]
# So many times without an answer, and a person must know.
ALARM_AFTER = 5
_ENDED = {AnswerState.CONFIRMED: OperationState.CONFIRMED, AnswerState.REFUSED: OperationState.REFUSED}


def queue(*, transfer: UUID, kind: str, guest_id: int, points: int, now: datetime) -> None:
    """Note the transfer for each active processing that hears of its kind; `points` above zero = to the guest."""
    hearing = list(Processing.objects.filter(is_active=True, kinds__contains=[kind]))
    if not hearing:
        return
    card = Card.objects.filter(wallet__guest=guest_id, state=CardState.ACTIVE).order_by("pk").first()
    for processing in hearing:
        Operation.objects.create(
            processing=processing,
            transfer_id=transfer,
            card=card.number if card else "",
            points=points,
            created_at=now,
            # Without a card nobody there knows the guest: it waits until one is linked.
            next_at=now if card else None,
            state=OperationState.QUEUED,
        )


def give_cards(*, guest_id: int, number: str, now: datetime) -> int:
    """What waited for a card of this guest may go now; how many."""
    waiting = Operation.objects.filter(card="", state=OperationState.QUEUED, transfer__credit__wallet__guest=guest_id)
    return waiting.update(card=number, next_at=now)


def processor_of(processing: Processing) -> Processor:
    return HttpProcessor(processing.address, processing.token, seconds=processing.timeout_seconds)


def send_due(*, now: datetime, make: Callable[[Processing], Processor] = processor_of) -> int:
    """Send or ask about what is due; how many were tried."""
    tried = 0
    for operation in _taken(now):
        _try(operation, make(operation.processing))
        tried += 1
    return tried


def _taken(now: datetime) -> list[Operation]:
    """Due operations, ours for the length of the lease."""
    with transaction.atomic():
        due = (
            Operation.objects.select_for_update(skip_locked=True, of=("self",))
            .select_related("processing")
            .filter(next_at__lte=now, processing__is_active=True)
            .order_by("next_at")[:AT_ONCE]
        )
        taken = list(due)
        Operation.objects.filter(pk__in=[one.pk for one in taken]).update(next_at=now + LEASE, tries=F("tries") + 1)
    return taken


def _try(operation: Operation, processor: Processor) -> None:
    """An operation whose answer is not known is asked about under its own id before it is sent again."""
    sent = Sent(operation.transfer_id, operation.card, operation.points, operation.created_at)
    try:
        known = processor.find(sent.id) if operation.state in (OperationState.UNKNOWN, OperationState.PENDING) else None
        answer = known or processor.book(sent)
        if answer.state is AnswerState.CONFIRMED and answer.points != sent.points:
            raise NoAnswer(f"confirmed with {answer.points} points instead of {sent.points}", certain=False)
    except NoAnswer as fault:
        _later(operation, OperationState.UNKNOWN if not fault.certain else OperationState(operation.state), str(fault))
    else:
        _answered(operation, answer)


def _answered(operation: Operation, answer: Answer) -> None:
    if answer.state is AnswerState.PENDING:
        _later(operation, OperationState.PENDING, answer.text, reference=answer.reference)
        return
    now = timezone.now()
    with transaction.atomic():
        # The same answer may come twice: the first that arrives ends it.
        ended = Operation.objects.filter(pk=operation.pk, ended_at=None).update(
            state=_ENDED[answer.state], next_at=None, ended_at=now, reference=answer.reference[:64], reason=answer.text[:400]
        )
    if ended and answer.state is AnswerState.REFUSED:
        _alarm(operation, answer.text, now)


def _later(operation: Operation, state: OperationState, reason: str, *, reference: str = "") -> None:
    now, tries = timezone.now(), operation.tries + 1
    pause = PAUSES[min(tries, len(PAUSES)) - 1]
    Operation.objects.filter(pk=operation.pk, ended_at=None).update(
        state=state, next_at=now + pause, reason=reason[:400], reference=reference[:64]
    )
    log.warning("processing of points gave no answer", operation=operation.pk, tries=tries, reason=reason)
    if tries == ALARM_AFTER:
        _alarm(operation, reason, now)


def _alarm(operation: Operation, text: str, now: datetime) -> None:
    raise_alarm(Finding(AlarmCheck.PROCESSING, f"operation:{operation.pk}", operation.points, None), now=now, text=text)


def send_again(*, operation: Operation, now: datetime) -> bool:
    """A person has a refused one tried again, under the same id."""
    refused = Operation.objects.filter(pk=operation.pk, state=OperationState.REFUSED)
    return bool(refused.update(state=OperationState.UNKNOWN, next_at=now, ended_at=None, tries=0))
