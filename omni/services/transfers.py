"""A dialogue goes to another queue or group, or is said to be about a topic: where and with whom it waits then."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from accounts.models import Group, Staff
from core import audit
from core.refusal import Refusal
from core.statements import update
from omni.models import Queue, Session
from omni.services import conversations, rows
from omni.states import Direction, HoldingEnd, SessionState


@transaction.atomic
def to_queue(*, session_id: int, queue: Queue, by: Staff, note: str, now: datetime) -> Session:
    """Let the session wait in another queue, with a note; its place there is by the guest's waiting time.

    A promise that runs goes on running; the queue's own policy counts from the guest's next message. Raises Refusal.
    """
    session = _taken_back(session_id, now=now)
    session.queue, session.group = queue, None
    return _handed_on(session, by=by, note=note, now=now, details={"queue": queue.pk})


@transaction.atomic
def to_group(*, session_id: int, group: Group, by: Staff, note: str, now: datetime) -> Session:
    """Let the session wait for the people of a group, with a note; its queue, and so its promise and rules, stays. Raises Refusal."""
    if not group.is_active:
        raise Refusal("choose", _("Please choose from the list."), status=400)
    session = _taken_back(session_id, now=now)
    session.group = group if group.pk != session.queue.group_id else None
    return _handed_on(session, by=by, note=note, now=now, details={"group": group.pk})


def _taken_back(session_id: int, *, now: datetime) -> Session:
    session = conversations.lock(session_id)
    if session.state not in {SessionState.ACTIVE, SessionState.WAITING}:
        raise Refusal("wrong_state", _("Only an open dialogue can be handed on."))
    conversations.let_wait(session, end=HoldingEnd.HANDED, now=now)
    return session


def _handed_on(session: Session, *, by: Staff, note: str, now: datetime, details: dict[str, int]) -> Session:
    update(session, "queue", "group")
    audit.record(action="session.transferred", by=by, subject=session, now=now, details=details)
    if note.strip():
        conversations.add_line(session=session, direction=Direction.NOTE, text=note, by=by, now=now)
    rows.show(session, now=now)
    return session


@transaction.atomic
def tell_topic(*, session_id: int, topics: Sequence[str]) -> None:
    """What the dialogue is about: the topic's code and those above it. Operators with the skills that this needs are looked for."""
    session = conversations.lock(session_id)
    if session.topics != list(topics):
        session.topics = list(topics)
        update(session, "topics")
