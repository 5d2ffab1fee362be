"""What a responder may do in the dialogue it talks in: say something, leave it to people, end it."""

from collections.abc import Sequence
from datetime import datetime

from core.statements import insert, update
from omni.channels.keyboards import keyboard_for
from omni.models import Message, MessageChoices, Queue, Session
from omni.services import conversations, rows, sending
from omni.services.reach import capabilities_of, obstacle
from omni.states import Direction
from sla.models import Metric
from sla.services import clocks


def say(*, session: Session, text: str, choices: Sequence[str], asks_phone: bool = False, now: datetime) -> Message | None:
    """Write a machine's word to the guest of the locked session and queue its sending; None when nothing can reach the guest.

    `choices` are shown as buttons if the channel has a form for them. A text over the channel's limit is not cut: give it in parts.
    """
    can = capabilities_of(session)
    if obstacle(session, now=now) is not None:
        return None
    message = conversations.add_outgoing(session=session, text=text, by=None, now=now, automatic=True)
    if can.keyboards:
        labels = list(choices) if keyboard_for(can.keyboards, choices, text) else []
        insert(MessageChoices(message=message, labels=labels, asks_phone=asks_phone and can.asks_phone))
    session.last_message_at = now
    update(session, "message_count", "last_message_at")
    sending.queue(message=message, not_before=now, now=now)
    rows.show(session, now=now, preview=message)
    return message


def hand_over(*, session: Session, summary: str, topics: Sequence[str] = (), queue: Queue | None = None, now: datetime) -> None:
    """The guest of the locked session waits for a person from now on, who finds the summary as a note.

    `topics`: the codes of what it is about and of those above, for the skills that this needs; `queue` = another one than its own.
    """
    answered = session.messages.filter(direction=Direction.OUT, is_automatic=False).exists()
    session.responder, session.waiting_since, session.unread = "", now, max(session.unread, 1)
    session.topics = list(topics) or session.topics
    session.queue = queue or session.queue
    update(session, "responder", "waiting_since", "unread", "topics", "queue")
    metric = Metric.NEXT_RESPONSE if answered else Metric.FIRST_RESPONSE
    running = clocks.start(subject=session.clock_subject, policy=session.queue.policy, metrics=[metric], now=now, since=now)
    if summary:
        conversations.add_line(session=session, direction=Direction.NOTE, text=summary, by=None, now=now)
    rows.show(session, now=now, running=running or None)
