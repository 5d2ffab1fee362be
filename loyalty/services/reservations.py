"""Points put aside, then posted (all or part), voided or expired: exactly one of them."""

from datetime import datetime
from uuid import UUID, uuid5

from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext_lazy as _

from core.refusal import Refusal
from core.statements import insert
from loyalty.models import Account, Reservation
from loyalty.rules import plan
from loyalty.services import books
from loyalty.services.ledger import again, must
from loyalty.states import FLOORED, ReservationState
from loyalty.types import LARGEST, Order, Outcome

EXPIRED_AT_ONCE = 500


def reserve(
    *, id: UUID, account: int, credit: int, amount: int, kind: str, expires_at: datetime, now: datetime, subject: str = ""
) -> Reservation:
    """Put points aside for a transfer to `credit`; the same id again returns the same reservation.

    Raises Refusal: `not_enough`, `id_reused`, `wrong_order`, `too_late` when it would be over before it begins.
    """
    if not 0 < amount <= LARGEST or account == credit:
        must(Outcome.WRONG)
    if expires_at <= now:
        raise Refusal("too_late", _("The reservation would be over before it begins."))
    wanted = Reservation(
        id=id, account_id=account, credit_id=credit, kind=kind, amount=amount, subject=subject, made_at=now, expires_at=expires_at
    )
    return again(lambda: _reserve(wanted))


def _reserve(wanted: Reservation) -> Reservation:
    with transaction.atomic():
        made = insert(wanted, or_nothing=True)
        if made._state.adding:
            return _same(Reservation.objects.get(pk=wanted.pk), wanted)
        free = Account.objects.filter(pk=wanted.account_id, kind__in=FLOORED, balance__gte=F("reserved") + wanted.amount)
        if not free.update(reserved=F("reserved") + wanted.amount):
            must(Outcome.SHORT)
        return made


def _same(known: Reservation, wanted: Reservation) -> Reservation:
    fields = ("account_id", "credit_id", "kind", "amount", "subject")
    if any(getattr(known, name) != getattr(wanted, name) for name in fields):
        must(Outcome.REUSED)
    return known


def transfer_id(reservation: UUID) -> UUID:
    """The id of the transfer that posts a reservation."""
    return uuid5(reservation, "posted")


def post(
    *,
    id: UUID,
    now: datetime,
    amount: int | None = None,
    ends_at: datetime | None = None,
    by: int | None = None,
    approved_by: int | None = None,
    reason: str = "",
) -> Outcome:
    """Carry the reserved transfer out, all of it or `amount`; the rest is free again. DONE, or REPEATED when it was done so before.

    Raises Refusal: `not_open` (voided, expired, posted otherwise), `wrong_order` for more than was reserved; Reservation.DoesNotExist.
    """
    known = Reservation.objects.get(pk=id)
    order = Order(
        id=transfer_id(id),
        kind=known.kind,
        debit=known.account_id,
        credit=known.credit_id,
        amount=known.amount if amount is None else amount,
        ends_at=ends_at,
        subject=known.subject,
        reason=reason,
        by=by,
        approved_by=approved_by,
        reservation=id,
    )
    if not 0 < order.amount <= known.amount:
        must(Outcome.WRONG)
    return again(lambda: _post(known, order, now))


def _post(reservation: Reservation, order: Order, now: datetime) -> Outcome:
    with transaction.atomic():
        found = books.open_books([order])
        if order.id in found.known:
            return must(Outcome.REPEATED if found.known[order.id] == order.body else Outcome.REUSED)
        _resolve(reservation, ReservationState.POSTED, now, posted=order.amount, in_time=True)
        found.accounts[order.debit].reserved -= reservation.amount
        outcomes, entries = plan([order], found, now=now)
        must(outcomes[0])
        books.write(entries, now=now)
        return outcomes[0]


def void(*, id: UUID, now: datetime) -> None:
    """Give the reserved points free; nothing for one that was voided or has expired. Raises Refusal `not_open` for a posted one."""
    known = Reservation.objects.get(pk=id)
    again(lambda: _give_free(known, ReservationState.VOIDED, now))


def _give_free(reservation: Reservation, state: ReservationState, now: datetime) -> bool:
    with transaction.atomic():
        Account.objects.select_for_update(no_key=True).get(pk=reservation.account_id)
        reservation.refresh_from_db()
        if reservation.state in (ReservationState.VOIDED, ReservationState.EXPIRED):
            return False
        _resolve(reservation, state, now)
        return True


def _resolve(reservation: Reservation, state: ReservationState, now: datetime, *, posted: int = 0, in_time: bool = False) -> None:
    """From open to `state`, by whoever is first; the account is locked. Raises Refusal `not_open`."""
    still = Reservation.objects.filter(pk=reservation.pk, state=ReservationState.OPEN)
    if in_time:
        still = still.filter(expires_at__gt=now)
    if not still.update(state=state, posted=posted, resolved_at=now):
        raise Refusal("not_open", _("These points are no longer reserved."))
    Account.objects.filter(pk=reservation.account_id).update(reserved=F("reserved") - reservation.amount)


def expire_due(*, now: datetime) -> int:
    """Give free what was reserved for too long; how many."""
    due = Reservation.objects.filter(state=ReservationState.OPEN, expires_at__lte=now).order_by("expires_at")[:EXPIRED_AT_ONCE]
    return sum(_expired(reservation, now) for reservation in due)


def _expired(reservation: Reservation, now: datetime) -> bool:
    try:
        return again(lambda: _give_free(reservation, ReservationState.EXPIRED, now))
    except Refusal:
        return False  # posted meanwhile
