"""A ticket's row in the work list."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from core.text import first_line
from omni.models import Message
from sla.models import Clock
from sla.services import clocks
from tickets.models import Case
from tickets.states import WAITING, CaseState
from worklist.models import Item
from worklist.services import items
from worklist.states import ItemState, Kind


def show(case: Case, *, now: datetime, preview: Message | str | None = None, running: Sequence[Clock] | None = None) -> Item:
    """Write the row of the locked ticket as it is now. `running` = its clocks, the nearest due first, if the caller has them."""
    found = clocks.running(case.clock_subject) if running is None else running
    due = next((clock for clock in found if clock.paused_at is None), None)
    values: dict[str, Any] = {
        "session_id": case.session_id,
        "number": case.number,
        "guest_id": case.guest_id or case.session.guest_id,
        "guest_name": case.guest.name if case.guest else case.session.subject,
        "channel": case.session.account.kind,
        "title": first_line(case.topic.name, 200),
        "store_id": case.store_id,
        "at_store": case.at_store,
        "group_id": case.group_id,
        "owner_id": case.owner_id,
        "state": state_of(case),
        "priority": case.priority,
        "unread": case.unread,
        "due_at": due.due_at if due else None,
        "target_seconds": due.target_seconds if due else 0,
        "waiting_since": case.waiting_since or case.opened_at,
        "last_at": case.last_at,
        "snoozed_until": None,
    }
    if preview is not None:
        values["preview"] = first_line(preview if isinstance(preview, str) else preview.visible_text or preview.text)
    return items.put(kind=Kind.CASE, subject_id=case.pk, values=values)


def state_of(case: Case) -> ItemState:
    """The list's state of a ticket."""
    if case.state == CaseState.CLOSED:
        return ItemState.CLOSED
    if case.owner_id is None and not case.at_store:
        return ItemState.WAITING
    if case.state == CaseState.ANSWERED or (case.state in WAITING and case.waiting_since is None):
        return ItemState.ANSWERED
    return ItemState.ACTIVE
