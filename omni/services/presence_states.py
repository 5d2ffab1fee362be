"""An operator's state changes: one door, with the history of times and the news for the screens."""

from datetime import datetime, timedelta

from core.live import announce, staff_topic
from core.statements import Prepared, insert, update
from omni.models import Presence, PresenceSpan, Session
from omni.states import PresenceState

# The reason of being away after an offer that was not answered: an open screen alone does not end it.
MISSED_OFFER = "missed_offer"
_ROW = Prepared(lambda staff: Presence.objects.select_for_update().filter(staff_id=staff))
_SPAN = Prepared(lambda staff: PresenceSpan.objects.filter(staff_id=staff, until=None))


def lock(staff_id: int) -> Presence | None:
    """The person's presence row, locked until the transaction ends; None = never was on line."""
    return _ROW.first(staff=staff_id)


def set_state(presence: Presence, state: str, *, now: datetime, reason: str = "", until: datetime | None = None) -> bool:
    """Move the locked row to a state, which ends by itself at `until`; False when it is in this state already."""
    if (presence.state, presence.reason, presence.until) == (state, reason, until):
        return False
    if (presence.state, presence.reason) != (state, reason):
        presence.since = now
        _note_span(presence.staff_id, state, reason, now=now)
    presence.state, presence.reason, presence.until = state, reason[:40], until
    update(presence, "state", "reason", "since", "until")
    tell(presence)
    return True


def _note_span(staff_id: int, state: str, reason: str, *, now: datetime) -> None:
    for span in _SPAN.all(staff=staff_id):
        span.until = max(now, span.since)
        update(span, "until")
    insert(PresenceSpan(staff_id=staff_id, state=state, reason=reason[:40], since=now))


def begin_wrap_up(session: Session, *, by_id: int | None, now: datetime) -> None:
    """The owner has finished the locked session: time for after-work, as long as the queue says.

    Only for who is ready or in such a time already: a break goes on, and after-work chosen by hand ends by hand.
    """
    seconds = session.queue.wrap_up_seconds
    if not seconds or by_id is None or session.owner_id != by_id:
        return
    presence = lock(by_id)
    timed = presence is not None and presence.state == PresenceState.WRAP_UP and presence.until is not None
    if presence is not None and (presence.state == PresenceState.READY or timed):
        until = now + timedelta(seconds=seconds)
        set_state(presence, PresenceState.WRAP_UP, now=now, until=max(until, presence.until) if presence.until else until)


def tell(presence: Presence) -> None:
    """Tell the person's screens and those who watch the operators."""
    announce(kind="presence", payload=shown(presence), topics=[staff_topic(presence.staff_id), "presence"])


def shown(presence: Presence) -> dict[str, object]:
    """The presence as the screens get it."""
    return {
        "staff_id": presence.staff_id,
        "state": presence.state,
        "reason": presence.reason,
        "since": presence.since,
        "until": presence.until,
        "load": presence.load,
        "capacity": presence.capacity,
    }
