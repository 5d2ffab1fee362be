"""Compensations above a limit: signed by others than the author, refused, withdrawn, or out of time."""

from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from accounts.models import Role, Staff
from core.events import publish
from core.locks import serialise
from core.refusal import NotAllowed, Refusal
from loyalty.events import CompensationDecided
from loyalty.models import Compensation, Signature
from loyalty.services import outbox, reservations
from loyalty.services.compensations import ends_of, record
from loyalty.services.ledger import again
from loyalty.states import COMPENSATION_TRANSITIONS, CompensationState, NoticeState, TransferKind

EXPIRED_AT_ONCE = 200


def approve(*, id: UUID, by: Staff, now: datetime) -> Compensation:
    """Sign it for a level that the person's role may sign; with the last signature the guest gets the points.

    Raises Refusal: `not_found`, `own` (never by its author), `same_approver` (who approved this guest's last one lets another person
    decide), `not_allowed` (no level left for this person's roles, or signed already), `decided`, `too_late`.
    """
    return again(lambda: _approve(id, by, now))


def _approve(id: UUID, by: Staff, now: datetime) -> Compensation:
    with transaction.atomic():
        compensation = _locked(id, now)
        _check_signer(compensation, by)
        level = _open_level(compensation, by)
        Signature.objects.filter(pk=level.pk).update(by=by, at=now)
        record(compensation, "signed", by, now)
        if not compensation.signatures.filter(by=None).exists():
            _grant(compensation, by, now)
        return compensation


def _locked(id: UUID, now: datetime) -> Compensation:
    """The compensation that still waits, locked behind its guest. Raises Refusal."""
    guest = Compensation.objects.filter(pk=id).values_list("guest", flat=True).first()
    if guest is None:
        raise Refusal("not_found", _("There is no such compensation."), status=404)
    serialise(f"loyalty guest {guest}")
    compensation = Compensation.objects.select_for_update(of=("self",), no_key=True).select_related("author").get(pk=id)
    if compensation.state != CompensationState.AWAITING:
        raise Refusal("decided", _("This compensation has been decided already."))
    assert compensation.expires_at is not None
    if compensation.expires_at <= now:
        raise Refusal("too_late", _("The time to decide about this compensation is over."))
    return compensation


def _check_signer(compensation: Compensation, by: Staff) -> None:
    if compensation.author_id == by.pk:
        raise Refusal("own", _("Nobody approves a compensation of one's own."), status=403)
    last = (
        Compensation.objects.filter(guest=compensation.guest_id, state=CompensationState.GRANTED, signatures__isnull=False)
        .exclude(pk=compensation.pk)
        .order_by("-decided_at")
        .first()
    )
    if last is not None and last.signatures.filter(by=by).exists():
        raise Refusal("same_approver", _("You approved this guest's last compensation: another person decides about this one."), status=403)


def _open_level(compensation: Compensation, by: Staff) -> Signature:
    if compensation.signatures.filter(by=by).exists():
        raise NotAllowed(_("You have signed this compensation already: the next signature is another person's."))
    roles = Role.objects.all() if by.is_superuser else by.roles.all()
    found = compensation.signatures.select_for_update(of=("self",)).filter(by=None, level__role__in=roles).order_by("pk").first()
    if found is None:
        raise NotAllowed(_("Your role does not approve a compensation of this size."))
    return found


def _grant(compensation: Compensation, by: Staff, now: datetime) -> None:
    reservations.post(id=compensation.pk, now=now, ends_at=ends_of(now), by=compensation.author_id, approved_by=by.pk)
    _move(compensation, CompensationState.GRANTED, now)
    Compensation.objects.filter(pk=compensation.pk).update(notice=NoticeState.WAITING, notice_next_at=now)
    outbox.queue(
        transfer=reservations.transfer_id(compensation.pk),
        kind=TransferKind.COMPENSATION,
        guest_id=compensation.guest_id,
        points=compensation.points,
        now=now,
    )
    record(compensation, "granted", by, now)


def refuse(*, id: UUID, text: str, by: Staff, now: datetime) -> Compensation:
    """Say no, with a reason; the budget is free again. Who may sign may refuse. Raises Refusal as `approve`, `no_reason`."""
    if not text.strip():
        raise Refusal("no_reason", _("Say why it is refused."), status=400)
    with transaction.atomic():
        compensation = _locked(id, now)
        _check_signer(compensation, by)
        _open_level(compensation, by)
        return _end(compensation, CompensationState.REFUSED, by, now, text)


def withdraw(*, id: UUID, by: Staff, now: datetime) -> Compensation:
    """The author takes it back before it is decided. Raises Refusal `not_found`, `decided`, `not_allowed`."""
    with transaction.atomic():
        compensation = _locked(id, now)
        if compensation.author_id != by.pk:
            raise NotAllowed(_("Only its author withdraws a compensation."))
        return _end(compensation, CompensationState.WITHDRAWN, by, now)


def expire_due(*, now: datetime) -> int:
    """End what nobody decided in time; how many."""
    due = Compensation.objects.filter(state=CompensationState.AWAITING, expires_at__lte=now).order_by("expires_at")[:EXPIRED_AT_ONCE]
    return sum(_expire(compensation, now) for compensation in due)


def _expire(known: Compensation, now: datetime) -> bool:
    with transaction.atomic():
        serialise(f"loyalty guest {known.guest_id}")
        compensation = Compensation.objects.select_for_update(no_key=True).get(pk=known.pk)
        if compensation.state != CompensationState.AWAITING:
            return False
        _end(compensation, CompensationState.EXPIRED, None, now)
        return True


def _end(compensation: Compensation, state: CompensationState, by: Staff | None, now: datetime, text: str = "") -> Compensation:
    reservations.void(id=compensation.pk, now=now)
    _move(compensation, state, now, text)
    record(compensation, str(state), by, now)
    return compensation


def _move(compensation: Compensation, state: CompensationState, now: datetime, text: str = "") -> None:
    if state not in COMPENSATION_TRANSITIONS[compensation.state]:
        raise Refusal("decided", _("This compensation has been decided already."))
    before, compensation.state = compensation.state, state
    compensation.decided_at, compensation.decision_text = now, text[:400]
    moved = Compensation.objects.filter(pk=compensation.pk, state=before)
    if not moved.update(state=state, decided_at=now, decision_text=compensation.decision_text):
        raise Refusal("decided", _("This compensation has been decided already."))
    publish(CompensationDecided(compensation.pk, state))
