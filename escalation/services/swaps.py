"""Swaps of duty: proposed by one, accepted by the other; before that nothing changes."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from accounts.models import Staff
from core import audit
from core.refusal import Refusal
from escalation.models import Schedule, Swap
from escalation.selectors import list_shifts
from escalation.services import duty
from escalation.states import SWAP_MOVES, SwapState


def propose(*, schedule: Schedule, who: Staff, by: Staff, starts_at: datetime, ends_at: datetime, now: datetime) -> Swap:
    """Ask `by` to stand in for `who`. Raises Refusal: a time that is over or runs backwards, nobody's shift, oneself."""
    if ends_at <= starts_at or ends_at <= now:
        raise Refusal("wrong_time", _("The end must lie after the beginning, and not in the past."), status=400)
    if who.pk == by.pk:
        raise Refusal("oneself", _("Two different people swap places."), status=400)
    if not by.is_active:
        raise Refusal("absent", _("This person does not work here any more."))
    if not any(who.pk in shift.staff_ids for shift in list_shifts(schedule, since=starts_at, until=ends_at)):
        raise Refusal("no_shift", _("This person has no duty in that time."))
    with transaction.atomic():
        swap = Swap.objects.create(schedule=schedule, who=who, by=by, starts_at=starts_at, ends_at=ends_at, proposed_at=now)
        audit.record(action="swap.proposed", by=who, subject=swap, now=now, details={"by": by.pk})
        return swap


def accept(*, swap_id: int, by: Staff, now: datetime) -> Swap:
    """The other person agrees: from now on it counts. Raises Refusal: somebody else's, settled, over."""
    return _settle(swap_id, SwapState.ACCEPTED, by=by, now=now)


def decline(*, swap_id: int, by: Staff, now: datetime) -> Swap:
    """The other person does not agree. Raises Refusal."""
    return _settle(swap_id, SwapState.DECLINED, by=by, now=now)


def withdraw(*, swap_id: int, by: Staff, now: datetime) -> Swap:
    """Whoever asked takes it back, also after it was accepted. Raises Refusal."""
    return _settle(swap_id, SwapState.WITHDRAWN, by=by, now=now)


def _settle(swap_id: int, state: SwapState, *, by: Staff, now: datetime) -> Swap:
    with transaction.atomic():
        swap = Swap.objects.select_for_update(of=("self",)).filter(pk=swap_id).first()
        if swap is None:
            raise Refusal("not_found", _("There is no such swap."), status=404)
        if by.pk != (swap.who_id if state == SwapState.WITHDRAWN else swap.by_id):
            raise Refusal("not_yours", _("Only the person who was asked may answer, and only who asked may take it back."), status=403)
        if state not in SWAP_MOVES.get(swap.state, ()):
            raise Refusal("settled", _("This swap is settled already."))
        if state == SwapState.ACCEPTED and swap.ends_at <= now:
            raise Refusal("wrong_time", _("This time is over."))
        duty.record(swap.schedule_id, now=now)  # what was until now stays as it was
        swap.state, swap.settled_at = state, now
        swap.save(update_fields=["state", "settled_at"])
        audit.record(action=f"swap.{state}", by=by, subject=swap, now=now)
        return swap
