"""The open offer of a session: made, and ended whatever the reason; the person's room is kept for it in between."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from core.live import announce, staff_topic
from core.statements import Prepared, insert, update
from omni.models import Decision, Offer, Session
from omni.services import loads
from omni.states import DecisionKind, OfferState

_OPEN = Prepared(lambda session: Offer.objects.select_for_update().filter(session_id=session, state=OfferState.OPEN))
_DECISIONS = {
    OfferState.ACCEPTED: DecisionKind.ACCEPTED,
    OfferState.DECLINED: DecisionKind.DECLINED,
    OfferState.MISSED: DecisionKind.MISSED,
    OfferState.WITHDRAWN: DecisionKind.WITHDRAWN,
}


def open_of(session: Session) -> Offer | None:
    """The open offer of the locked session, locked."""
    return _OPEN.first(session=session.pk) if session.offered_until is not None else None


def make(session: Session, *, staff_id: int, explanation: Mapping[str, Any], now: datetime) -> Offer | None:
    """Offer the locked waiting session to a person whose presence row is locked; None when there is no room."""
    weight = session.account.weight
    if not loads.reserve(staff_id, weight, now=now):
        return None
    until = now + timedelta(seconds=session.queue.offer_seconds)
    offer = insert(Offer(session=session, staff_id=staff_id, weight=weight, offered_at=now, expires_at=until))
    session.offered_until = until
    update(session, "offered_until")
    note(session, staff_id, DecisionKind.OFFERED, dict(explanation), now=now)
    announce(kind="offer", payload=shown(offer, session), topics=[staff_topic(staff_id)])
    return offer


def end(session: Session, *, state: OfferState, now: datetime, reason: str = "") -> Offer | None:
    """End the open offer of the locked session and give the room back; None when there is none.

    Whoever holds other presence rows has locked the offered person's together with them (loads.lock).
    """
    offer = open_of(session)
    if offer is None:
        return None
    offer.state, offer.ended_at, offer.reason = state, now, reason[:40]
    update(offer, "state", "ended_at", "reason")
    session.offered_until = None
    update(session, "offered_until")
    loads.unreserve(offer.staff_id, offer.weight)
    seconds = round((now - offer.offered_at).total_seconds())
    note(session, offer.staff_id, _DECISIONS[state], {"after_seconds": seconds, "reason": reason}, now=now)
    announce(kind="offer_over", payload={"offer_id": offer.pk, "state": state}, topics=[staff_topic(offer.staff_id)])
    return offer


def note(session: Session, staff_id: int, kind: DecisionKind, explanation: dict[str, Any], *, now: datetime) -> None:
    """A row of the log of decisions."""
    values = {"group_id": session.serving_group_id, "staff_id": staff_id, "kind": kind, "at": now, "explanation": explanation}
    insert(Decision(session=session, **values))


def shown(offer: Offer, session: Session) -> dict[str, Any]:
    """The offer as the person's screen gets it; nothing of what the guest wrote."""
    return {
        "offer_id": offer.pk,
        "session_id": session.pk,
        "channel": session.account.kind,
        "queue": session.queue.name,
        "guest_name": session.guest.name or session.identity.display_name,
        "waiting_since": session.waiting_since or session.last_message_at,
        "offered_at": offer.offered_at,
        "expires_at": offer.expires_at,
    }
