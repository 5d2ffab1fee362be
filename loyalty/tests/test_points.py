"""Reservations, accruals, expiry, taking back, cards, proofs: against a real database."""

import uuid

import pytest
from django.db import connection

from core.refusal import Refusal
from loyalty.models import Account, Alarm, Lot, Reservation, Terms, Transfer, Wallet
from loyalty.services import accounts, cards, endings, points, proof, reservations
from loyalty.states import AccountKind, AlarmCheck, ReservationState, TransferKind
from loyalty.tests.builders import NOW, a_chain, a_guest, a_wallet, available, give, later
from loyalty.types import Outcome
from tests import builders as b

pytestmark = pytest.mark.django_db


def held(wallet, kind=AccountKind.AVAILABLE):
    return getattr(Account.objects.filter(wallet=wallet, kind=kind).first(), "balance", 0)


@pytest.fixture(autouse=True)
def proved(db):
    """Whatever a test does: afterwards the ledger is right."""
    yield
    if not connection.needs_rollback:
        assert proof.find_faults(now=NOW) == []


def reserve(wallet, amount, **fields):
    given = {"id": uuid.uuid4(), "account": available(wallet), "credit": accounts.house("redeem:lukoshko"), "kind": TransferKind.SPEND}
    return reservations.reserve(**{**given, "amount": amount, "expires_at": later(1), "now": NOW, **fields})


def test_reserved_points_are_out_of_reach_until_they_are_resolved():
    wallet = a_wallet(100)
    kept = reserve(wallet, 80)
    with pytest.raises(Refusal) as refused:
        points.spend(id=uuid.uuid4(), wallet=wallet, chain=a_chain(), points=21, now=NOW)
    assert refused.value.code == "not_enough"
    with pytest.raises(Refusal):
        reserve(wallet, 21)
    assert reservations.post(id=kept.pk, amount=50, now=NOW) is Outcome.DONE
    assert reservations.post(id=kept.pk, amount=50, now=later(2)) is Outcome.REPEATED
    account = Account.objects.get(pk=available(wallet))
    assert (account.balance, account.reserved) == (50, 0)


def test_the_same_reservation_is_made_once():
    wallet, id = a_wallet(100), uuid.uuid4()
    assert reserve(wallet, 60, id=id).pk == reserve(wallet, 60, id=id).pk
    assert Account.objects.get(pk=available(wallet)).reserved == 60
    with pytest.raises(Refusal) as refused:
        reserve(wallet, 61, id=id)
    assert refused.value.code == "id_reused"


@pytest.mark.parametrize("end", ["void", "expire"])
def test_what_was_given_free_cannot_be_posted(end):
    wallet = a_wallet(100)
    kept = reserve(wallet, 60)
    if end == "void":
        reservations.void(id=kept.pk, now=NOW)
        reservations.void(id=kept.pk, now=NOW)
    else:
        assert reservations.expire_due(now=NOW) == 0
        with pytest.raises(Refusal):
            reservations.post(id=kept.pk, now=later(1))  # over, although nobody has swept yet
        assert reservations.expire_due(now=later(1)) == 1
    assert Account.objects.get(pk=available(wallet)).reserved == 0
    with pytest.raises(Refusal) as refused:
        reservations.post(id=kept.pk, now=NOW)
    assert refused.value.code == "not_open"
    assert Reservation.objects.get().state in (ReservationState.VOIDED, ReservationState.EXPIRED)


def test_posted_reservations_cannot_be_voided():
    wallet = a_wallet(100)
    kept = reserve(wallet, 60)
    reservations.post(id=kept.pk, now=NOW)
    with pytest.raises(Refusal):
        reservations.void(id=kept.pk, now=NOW)
    with pytest.raises(Refusal):
        reservations.post(id=kept.pk, amount=61, now=NOW)


@pytest.mark.parametrize(("fields", "code"), [({"amount": 0}, "wrong_order"), ({"expires_at": NOW}, "too_late")])
def test_absurd_reservations_are_refused(fields, code):
    wallet = a_wallet(100)
    with pytest.raises(Refusal) as refused:
        reserve(wallet, **{"amount": 1, **fields})
    assert refused.value.code == code


def test_accrued_points_ripen_then_expire():
    Terms.objects.create(chain=a_chain(), ripen_days=14, life_days=100)
    wallet = a_wallet()
    points.accrue(id=uuid.uuid4(), wallet=wallet, chain=a_chain(), points=70, now=NOW)
    assert (held(wallet), held(wallet, AccountKind.PENDING)) == (0, 70)
    assert endings.end_due(now=later(13)) == 0
    assert endings.end_due(now=later(14)) == 1
    assert (held(wallet), held(wallet, AccountKind.PENDING)) == (70, 0)
    points.spend(id=uuid.uuid4(), wallet=wallet, chain=a_chain(), points=20, now=later(20))
    assert endings.end_due(now=later(113)) == 0
    assert endings.end_due(now=later(114)) == 1
    assert held(wallet) == 0
    assert Transfer.objects.get(kind=TransferKind.EXPIRY).amount == 50


def test_what_is_reserved_does_not_expire():
    wallet = a_wallet(100, ends_at=later(5))
    kept = reserve(wallet, 30, expires_at=later(10))
    assert endings.end_due(now=later(6)) == 1
    assert held(wallet) == 30
    assert endings.end_due(now=later(7)) == 0
    reservations.void(id=kept.pk, now=later(7))
    assert endings.end_due(now=later(8)) == 1
    assert held(wallet) == 0


def test_a_reversal_takes_what_is_left_and_the_rest_is_owed_and_repaid():
    Terms.objects.create(chain=a_chain(), ripen_days=0)
    wallet, wrong = a_wallet(), uuid.uuid4()
    points.accrue(id=wrong, wallet=wallet, chain=a_chain(), points=100, now=NOW)
    points.spend(id=uuid.uuid4(), wallet=wallet, chain=a_chain(), points=70, now=NOW)
    assert points.reverse(of=wrong, now=NOW) is Outcome.DONE
    assert points.reverse(of=wrong, now=NOW) is Outcome.REPEATED
    assert (held(wallet), held(wallet, AccountKind.OWED)) == (0, -70)
    points.accrue(id=uuid.uuid4(), wallet=wallet, chain=a_chain(), points=50, now=NOW)
    assert (held(wallet), held(wallet, AccountKind.OWED)) == (0, -20)
    points.accrue(id=uuid.uuid4(), wallet=wallet, chain=a_chain(), points=50, now=NOW)
    assert (held(wallet), held(wallet, AccountKind.OWED)) == (30, 0)


def test_a_refund_goes_back_and_never_more():
    wallet, spent = a_wallet(100), uuid.uuid4()
    points.spend(id=spent, wallet=wallet, chain=a_chain(), points=40, now=NOW)
    points.refund(id=uuid.uuid4(), of=spent, points=30, now=NOW)
    with pytest.raises(Refusal):
        points.refund(id=uuid.uuid4(), of=spent, points=11, now=NOW)
    assert held(wallet) == 90
    with pytest.raises(Refusal):
        points.refund(id=uuid.uuid4(), of=uuid.uuid4(), points=1, now=NOW)


def test_frozen_points_need_a_second_person():
    wallet, case = a_wallet(100, ends_at=later(3)), uuid.uuid4()
    points.freeze(id=case, wallet=wallet, points=60, subject="fraud:1", now=NOW, by=1)
    assert (held(wallet), held(wallet, AccountKind.HOLD)) == (40, 60)
    for decide in (points.release, points.burn):
        with pytest.raises(Refusal) as refused:
            decide(of=case, now=NOW, by=1)
        assert refused.value.code == "same_person"
    points.release(of=case, now=NOW, by=2)
    assert (held(wallet), held(wallet, AccountKind.HOLD)) == (100, 0)
    with pytest.raises(Refusal):
        points.burn(of=case, now=NOW, by=2)
    assert Lot.objects.get(account=available(wallet)).ends_at == later(14)


def test_cards_of_two_chains_open_one_balance():
    guest, other = a_guest(), a_chain("polka", "Полка")
    first = a_wallet(100, card="1000", ends_at=later(50))
    second = a_wallet(30, card="2000", chain=other)
    cards.link(number="1000", guest=guest, now=NOW)
    cards.link(number="2000", guest=guest, now=NOW)
    cards.link(number="2000", guest=guest, now=NOW)
    wallet = Wallet.objects.get(guest=guest)
    assert wallet == first
    assert held(wallet) == 130
    assert sorted(wallet.cards.values_list("number", flat=True)) == ["1000", "2000"]
    assert sorted(Lot.objects.filter(left__gt=0).values_list("left", "ends_at"), key=str) == [(100, later(50)), (30, None)]
    give(available(second), 5)  # somebody still held the old wallet in hand
    assert cards.settle_joined(now=NOW) == 1
    assert held(wallet) == 135


def test_cards_of_another_guest_or_with_reserved_points_are_not_linked():
    a_wallet(10, card="1000", guest=a_guest())
    with pytest.raises(Refusal) as refused:
        cards.link(number="1000", guest=a_guest("Борис"), now=NOW)
    assert refused.value.code == "card_of_another"
    a_wallet(10, card="2000", guest=(guest := a_guest("Вера")))
    busy = a_wallet(10, card="3000")
    kept = reserve(busy, 5)
    with pytest.raises(Refusal) as refused:
        cards.link(number="3000", guest=guest, now=NOW)
    assert refused.value.code == "card_busy"
    reservations.void(id=kept.pk, now=NOW)
    with pytest.raises(Refusal):
        cards.link(number="no such", guest=guest, now=NOW)


def test_a_known_number_is_one_card():
    card = cards.issue_card(number="1", chain=a_chain(), now=NOW)
    assert cards.issue_card(number="1", chain=a_chain(), now=NOW) == card
    with pytest.raises(Refusal):
        cards.issue_card(number="1", chain=a_chain("polka", "Полка"), now=NOW)


@pytest.mark.parametrize(
    ("table", "change", "check"),
    [
        ("loyalty_account", "balance = balance + 1 where kind = 'available'", AlarmCheck.BALANCE),
        ("loyalty_account", "balance = balance + 1 where kind = 'available'", AlarmCheck.SUM_ZERO),
        ("loyalty_account", "reserved = 1 where kind = 'available'", AlarmCheck.RESERVED),
        ("loyalty_lot", '"left" = "left" - 1', AlarmCheck.LOTS),
        ("loyalty_lot", '"left" = "left" - 1', AlarmCheck.LOT_USES),
        ("loyalty_housedelta", "amount = amount - 1", AlarmCheck.SUM_ZERO),
        ("loyalty_reservation", "posted = 1", AlarmCheck.RESOLVED_ONCE),
    ],
)
def test_each_wrong_row_raises_one_alarm_until_it_is_closed(table, change, check):
    wallet = a_wallet(100)
    reservations.void(id=reserve(wallet, 5).pk, now=NOW)
    with connection.cursor() as cursor:
        cursor.execute("savepoint spoilt")
        cursor.execute(f"update {table} set {change}")
    raised = proof.prove(now=NOW)
    assert check in {alarm.check_name for alarm in raised}
    assert proof.prove(now=later(1)) == []
    assert Alarm.objects.filter(seen_at=later(1)).count() == len(raised)
    chief = b.a_person()
    with pytest.raises(Refusal):
        proof.close_alarm(alarm=raised[0], answer=" ", by=chief, now=NOW)
    proof.close_alarm(alarm=raised[0], answer="Поправили", by=chief, now=NOW)
    assert len(proof.prove(now=later(2))) == 1
    with connection.cursor() as cursor:
        cursor.execute("rollback to savepoint spoilt")
