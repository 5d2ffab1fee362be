"""What the processing hears: once, whatever happens on the way; days that agree."""

import uuid
from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.utils import timezone

from loyalty.models import Alarm, Card, Operation, Processing, Transfer
from loyalty.services import outbox, reconciliation
from loyalty.states import OperationState, TransferKind
from loyalty.tests.builders import a_chain, a_guest, a_wallet, available, give
from tests.providers.faults import Fault, FaultKind
from tests.providers.frame import Frame
from tests.providers.points import TOKEN, PointsServer

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(db):
    server = PointsServer()
    server.cards["1000"] = 0
    with Frame(server) as frame:
        processing = Processing(name="Процессинг", address=f"{frame.url}/api", kinds=[TransferKind.COMPENSATION], timeout_seconds=1)
        processing.set_token(TOKEN)
        processing.save()
        guest = a_guest()
        wallet = a_wallet(card="1000", guest=guest)
        yield SimpleNamespace(server=server, processing=processing, guest=guest, wallet=wallet, now=timezone.now())


def queue(world, points=30, kind=TransferKind.COMPENSATION):
    give(available(world.wallet), points)
    transfer = Transfer.objects.order_by("-at").exclude(operations__isnull=False).first()
    outbox.queue(transfer=transfer.pk, kind=kind, guest_id=world.guest.pk, points=points, now=world.now)
    return Operation.objects.filter(transfer=transfer).first()


def rounds(world, number=4):
    """Sweeps that come hours later each, so that every pause is over."""
    for hours in range(number):
        outbox.send_due(now=timezone.now() + timedelta(hours=2 * hours))


def test_it_is_told_once_and_confirmed(world):
    operation = queue(world)
    rounds(world)
    operation.refresh_from_db()
    assert (operation.state, operation.reference, operation.next_at) == (OperationState.CONFIRMED, "P1", None)
    assert world.server.cards["1000"] == 30


def test_only_chosen_kinds_are_told(world):
    assert queue(world, kind=TransferKind.SPEND) is None


@pytest.mark.parametrize("kind", [kind for kind in FaultKind if kind is not FaultKind.LATE])
def test_any_fault_books_once_in_the_end(world, kind):
    operation = queue(world)
    world.server.faults.add(Fault(kind, seconds=1.5), times=2)
    rounds(world, 5)
    operation.refresh_from_db()
    assert operation.state == OperationState.CONFIRMED, operation.reason
    assert world.server.cards["1000"] == 30
    assert len(world.server.accepted.after(0)) == 1
    assert not world.server.violations.after(0)


def test_an_answer_about_another_operation_is_asked_again(world):
    operation, world.server.foreign = queue(world), 2
    rounds(world)
    operation.refresh_from_db()
    assert (operation.state, world.server.cards["1000"]) == (OperationState.CONFIRMED, 30)


def test_double_answers_change_nothing(world):
    operation = queue(world)
    rounds(world, 1)
    operation.refresh_from_db()
    ended = operation.ended_at
    outbox._answered(operation, outbox.Answer(outbox.AnswerState.REFUSED, text="late"))
    operation.refresh_from_db()
    assert (operation.state, operation.ended_at) == (OperationState.CONFIRMED, ended)
    assert not Alarm.objects.exists()


def test_what_is_booked_later_is_asked_about(world):
    world.server.pending = 1
    operation = queue(world)
    rounds(world, 1)
    operation.refresh_from_db()
    assert operation.state == OperationState.PENDING
    rounds(world, 4)
    operation.refresh_from_db()
    assert (operation.state, world.server.cards["1000"]) == (OperationState.CONFIRMED, 30)
    assert len(world.server.accepted.after(0)) == 1


def test_a_refusal_raises_an_alarm_and_a_person_sends_it_again(world):
    operation = queue(world)
    world.server.cards.clear()
    rounds(world, 2)
    operation.refresh_from_db()
    assert operation.state == OperationState.REFUSED
    assert Alarm.objects.get().subject == f"operation:{operation.pk}"
    world.server.cards["1000"] = 0
    assert outbox.send_again(operation=operation, now=timezone.now())
    rounds(world, 2)
    operation.refresh_from_db()
    assert operation.state == OperationState.CONFIRMED


def test_nobody_answers_for_long(world):
    operation = queue(world)
    world.server.faults.add(Fault(FaultKind.SERVER_ERROR), times=50)
    rounds(world, 7)
    assert Alarm.objects.get().check_name == "processing"
    assert Operation.objects.get(pk=operation.pk).tries == 7


def test_without_a_card_it_waits_for_one(world):
    guest = a_guest("Без карты")
    world.guest, world.wallet = guest, a_wallet(guest=guest)
    operation = queue(world)
    rounds(world, 1)
    assert not world.server.accepted.after(0)
    Card.objects.create(number="2000", chain=a_chain(), wallet=world.wallet, created_at=world.now)
    world.server.cards["2000"] = 0
    assert outbox.give_cards(guest_id=guest.pk, number="2000", now=timezone.now()) == 1
    rounds(world, 1)
    operation.refresh_from_db()
    assert operation.state == OperationState.CONFIRMED


def test_days_are_compared(world):
    queue(world)
    rounds(world, 1)
    day = world.now.date()
    assert reconciliation.compare(processing=world.processing, day=day, now=world.now)
    world.server.operations[str(uuid.uuid4())] = {"state": "confirmed", "points": 5, "made_at": world.now.isoformat()}
    assert not reconciliation.compare(processing=world.processing, day=day, now=world.now)
    assert Alarm.objects.get().subject.startswith("day:")
