"""What becomes of an offer: accepted, declined with a reason, missed, taken back."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from accounts.models import Staff
from core import audit
from core.refusal import Refusal
from omni.models import DeclineReason, Offer, Session
from omni.services import conversations, offering, presence_states
from omni.states import OfferState, PresenceState, SessionState


def _locked(offer_id: int, *, staff_id: int) -> Session:
    """The session whose open offer this is, locked. Raises Refusal: the offer is over; somebody else's is none at all (404)."""
    found = Offer.objects.filter(pk=offer_id, staff_id=staff_id).values_list("session_id", flat=True).first()
    if found is None:
        raise Refusal("not_found", _("There is no such offer."), status=404)
    session = conversations.lock(found)
    offer = offering.open_of(session)
    if offer is None or offer.pk != offer_id:
        raise Refusal("offer_over", _("This offer is over."))
    return session


@transaction.atomic
def accept(*, offer_id: int, by: Staff, now: datetime) -> Session:
    """The person takes what was offered. Raises Refusal when the offer is over; late by less than the sweep still counts."""
    session = _locked(offer_id, staff_id=by.pk)
    if session.state != SessionState.WAITING:
        raise Refusal("offer_over", _("This offer is over."))
    offering.end(session, state=OfferState.ACCEPTED, now=now)
    return conversations.assign(session=session, to=by, by=by, now=now, action="session.accepted")


@transaction.atomic
def decline(*, offer_id: int, reason: str, by: Staff, now: datetime) -> Session:
    """The person does not take it; it is not offered to this person again for a while. Raises Refusal: over, or no such reason."""
    if not DeclineReason.objects.filter(code=reason, is_active=True).exists():
        raise Refusal("choose", _("Please choose from the list."), status=400)
    session = _locked(offer_id, staff_id=by.pk)
    offering.end(session, state=OfferState.DECLINED, reason=reason, now=now)
    audit.record(action="offer.declined", by=by, subject=session, now=now, details={"reason": reason})
    return session


def expire(*, now: datetime, limit: int = 500) -> set[int]:
    """End the offers that nobody answered in time; returns the groups whose dialogues wait again."""
    due = Offer.objects.filter(state=OfferState.OPEN, expires_at__lte=now).order_by("expires_at")
    groups = [_miss(session_id, now=now) for session_id in list(due.values_list("session_id", flat=True)[:limit])]
    return {group for group in groups if group}


@transaction.atomic
def _miss(session_id: int, *, now: datetime) -> int | None:
    session = conversations.lock(session_id)
    offer = offering.open_of(session)
    if offer is None or offer.expires_at > now:
        return None
    presence = presence_states.lock(offer.staff_id)
    offering.end(session, state=OfferState.MISSED, now=now)
    if presence is not None and session.queue.missed_away and presence.state == PresenceState.READY:
        presence.refresh_from_db()
        presence_states.set_state(presence, PresenceState.AWAY, reason=presence_states.MISSED_OFFER, now=now)
        audit.record(action="presence.missed_offer", by=None, subject=session, now=now, details={"staff": offer.staff_id})
    return session.serving_group_id


def withdraw_from(*, staff_id: int, now: datetime) -> set[int]:
    """The person is not ready any more: what was offered goes to others. Returns the groups concerned."""
    open_ones = Offer.objects.filter(staff_id=staff_id, state=OfferState.OPEN)
    return {_withdraw(session_id, staff_id, now=now) for session_id in list(open_ones.values_list("session_id", flat=True))}


@transaction.atomic
def _withdraw(session_id: int, staff_id: int, *, now: datetime) -> int:
    session = conversations.lock(session_id)
    offer = offering.open_of(session)
    if offer is not None and offer.staff_id == staff_id:
        offering.end(session, state=OfferState.WITHDRAWN, now=now)
    return session.serving_group_id


def list_reasons() -> list[dict[str, str]]:
    """Why an offer may be declined, to be chosen from."""
    return [{"code": reason.code, "name": reason.shown_name} for reason in DeclineReason.objects.filter(is_active=True)]


def list_open(staff: Staff) -> list[dict[str, object]]:
    """The person's open offers as the screen shows them, the one that ends first at the front."""
    around = ("session__account", "session__queue", "session__guest", "session__identity")
    found = Offer.objects.filter(staff=staff, state=OfferState.OPEN).select_related(*around).order_by("expires_at")
    return [offering.shown(offer, offer.session) for offer in found]
