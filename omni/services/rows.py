"""A session's row in the work list."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from core.text import first_line
from omni.models import Call, Message, Session
from omni.services import webchat
from omni.states import SessionState
from sla.models import Clock
from sla.services import clocks
from worklist.models import Item
from worklist.services import items
from worklist.states import ItemState, Kind

_STATES = {
    SessionState.WAITING: ItemState.WAITING,
    SessionState.ACTIVE: ItemState.ACTIVE,
    # The ticket's own row takes over.
    SessionState.PARKED: ItemState.CLOSED,
    SessionState.CLOSED: ItemState.CLOSED,
}


def show(session: Session, *, now: datetime, preview: Message | None = None, running: Sequence[Clock] | None = None) -> Item:
    """Write the row of the locked session as it is now; a visitor of the web chat is told to look.

    `running` = its clocks, the nearest due first, if the caller has them.
    """
    webchat.wake(session)
    found = clocks.running(session.clock_subject) if running is None else running
    due = next((clock for clock in found if clock.paused_at is None), None)
    values: dict[str, Any] = {
        "session_id": session.pk,
        "guest_id": session.guest_id,
        "guest_name": session.guest.name or session.identity.display_name,
        "channel": session.account.kind,
        "title": first_line(session.subject, 200),
        "group_id": session.serving_group_id,
        "owner_id": session.owner_id,
        "state": _state(session),
        "priority": session.queue.priority,
        "unread": session.unread,
        "due_at": due.due_at if due else None,
        "target_seconds": due.target_seconds if due else 0,
        "waiting_since": session.waiting_since or session.last_message_at,
        "last_at": session.last_message_at,
        "snoozed_until": None,
    }
    if preview is not None:
        values["preview"] = first_line(preview.visible_text or preview.text)
    return items.put(kind=Kind.SESSION, subject_id=session.pk, values=values)


def _state(session: Session) -> ItemState:
    state = _STATES[SessionState(session.state)]
    if state == ItemState.WAITING and session.responder:
        # A responder talks with the guest: whoever looks may take it, nobody is given it.
        return ItemState.ANSWERED
    if state == ItemState.WAITING and session.waiting_since is None and Call.objects.filter(session=session, ended_at=None).exists():
        # The exchange is finding somebody for the caller: the row is there to be opened, not to be given out.
        return ItemState.ANSWERED
    return ItemState.ANSWERED if state == ItemState.ACTIVE and session.waiting_since is None else state
