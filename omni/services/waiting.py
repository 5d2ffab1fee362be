"""Whether the guest waits: a written answer ends the wait, a sent one keeps the promise, a failed one gives the wait back."""

from datetime import datetime

from core.live import announce, staff_topic
from core.statements import update
from omni.followers import followers
from omni.models import Message, Session
from omni.services import conversations, rows
from omni.states import Direction, SendState, SessionState
from sla.models import Metric
from sla.services import clocks

RESPONSES = (Metric.FIRST_RESPONSE, Metric.NEXT_RESPONSE)
_NEVER_ARRIVED = (SendState.FAILED, SendState.CANCELLED)


def stop(session: Session, message: Message, *, now: datetime) -> None:
    """A person has written an answer: nobody waits. The session is locked."""
    session.waiting_since, session.unread, session.last_message_at = None, 0, now
    # A colleague's answer counts as news for whoever else is writing.
    session.last_inbound_id = max(session.last_inbound_id, message.pk)
    update(session, "waiting_since", "unread", "last_message_at", "last_inbound_id", "message_count")
    for follower in followers():
        follower.on_answered(session, message, now=now)
    rows.show(session, now=now, preview=message)


def keep_promise(session: Session, message: Message, *, now: datetime) -> None:
    """The channel has taken the answer: a reply stuck in the queue is no reply. Only waits older than the answer are over."""
    if message.is_automatic or (message.author_id is None and not message.is_outside):
        return
    clocks.meet(subject=session.clock_subject, metrics=RESPONSES, now=now, started_before=message.sent_at)
    if session.waiting_since is not None and session.state != SessionState.PARKED:  # written since: a wait of its own
        since = session.waiting_since
        clocks.start(subject=session.clock_subject, policy=session.queue.policy, metrics=_missing(session), now=now, since=since)
    for follower in followers():
        follower.on_sent(session, message, now=now)
    rows.show(session, now=now)


def again(session: Session, message: Message, *, now: datetime) -> None:
    """The answer never reached the guest: unless another one did, the guest waits as before. The session is locked."""
    since = _unanswered_since(session)
    if message.author_id:
        told = {"message_id": message.pk, "session_id": session.pk, "guest_id": session.guest_id, "error": message.send_error}
        announce(kind="send_failed", payload=told, topics=[staff_topic(message.author_id)])
    if since is None or session.waiting_since is not None or session.responder:  # a responder's own words failed: it knows what then
        return
    if session.state == SessionState.CLOSED:
        session = conversations.reopen(session=session, now=now)
    session.waiting_since, session.unread = min(since, now), max(session.unread, 1)
    session.save(update_fields=["waiting_since", "unread"])
    if session.state != SessionState.PARKED:
        # The clock of an answer that was never sent still runs; one that bounced after it was sent starts a new cycle.
        clocks.start(subject=session.clock_subject, policy=session.queue.policy, metrics=_missing(session), now=now)
    for follower in followers():
        follower.on_unanswered(session, message, now=now)
    rows.show(session, now=now)


def _unanswered_since(session: Session) -> datetime | None:
    """When the guest wrote the first word that no answer has followed; None = all is answered."""
    messages = Message.objects.filter(session=session, is_automatic=False)
    answers = messages.filter(direction=Direction.OUT).exclude(send_state__in=_NEVER_ARRIVED)
    last = answers.order_by("-seq").only("seq", "sent_at").first()
    words = messages.filter(direction=Direction.IN, seq__gt=last.seq if last else 0).order_by("seq")
    first = words.values_list("sent_at", flat=True).first()
    return max(first, last.sent_at) if first and last else first


def _missing(session: Session) -> list[Metric]:
    running = {clock.metric for clock in clocks.running(session.clock_subject)}
    return [] if running & set(RESPONSES) else [Metric.NEXT_RESPONSE]
