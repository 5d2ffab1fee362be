"""Sessions: opened by a message, joined by the next ones, taken, handed on, parked with a ticket, closed."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from accounts.models import Staff
from accounts.rights import Right
from core import audit, events
from core.live import announce
from core.refusal import Refusal
from core.statements import Prepared, insert, update
from core.text import first_line, storable
from customers.models import Identity
from omni import responders
from omni.channels.contract import Inbound, InboundKind
from omni.events import MessageReceived, SessionClosed
from omni.followers import followers
from omni.languages import language_of
from omni.models import ChannelAccount, Letter, Message, Session
from omni.services import loads, offering, presence_states, rows
from omni.states import SESSION_MOVES, Direction, HoldingEnd, OfferState, Reopen, SendState, SessionState
from sla.models import Clock, Metric
from sla.services import clocks

# Message-time may not lie in the future of our clock by more than this: a wrong clock must not sort above all answers.
FUTURE_LIMIT = timedelta(minutes=5)
# A message that claims to be older was held up somewhere, or its sender's clock is wrong: the wait counts from its arrival.
LATE_LIMIT = timedelta(hours=24)


def lock(session_id: int) -> Session:
    """The session, locked until the transaction ends. Raises Refusal when it does not exist."""
    # Twice: while we waited its guest or queue may have changed, then PostgreSQL leaves the joined row out; the lock is ours already.
    session = _BY_ID.first(pk=session_id) or _BY_ID.first(pk=session_id)
    if session is None:
        raise Refusal("not_found", _("There is no such dialogue."), status=404)
    return session


def _locked() -> "QuerySet[Session]":
    return Session.objects.select_for_update(of=("self",)).select_related("account", "guest", "queue__policy__calendar", "identity")


_BY_ID = Prepared(lambda pk: _locked().filter(pk=pk))
_LAST = Prepared(lambda identity, account: _locked().filter(identity=identity, account=account).order_by("-opened_at", "-pk")[:1])


def move(session: Session, state: SessionState) -> None:
    """Change the state by the table of moves; the session must be locked. Raises Refusal."""
    if state not in SESSION_MOVES[session.state]:
        raise Refusal("wrong_state", _("The dialogue cannot do this in its present state. Please look at it again."))
    session.state = state


def join_or_open(*, account: ChannelAccount, identity: Identity, subject: str, now: datetime) -> Session:
    """The identity's open session, else the last one reopened, else a new one (the queue's rule). Identity must be locked."""
    # Locked at once: between a look and a lock an operator could close it.
    last = _LAST.first(identity=identity.pk, account=account.pk)
    if last is not None and last.state != SessionState.CLOSED:
        return last
    if last is not None and _may_reopen(last, now=now):
        return reopen(session=last, now=now)
    # Nobody else sees the new row before the commit, so it needs no lock.
    opened = {"subject": first_line(storable(subject), 240), "opened_at": now, "last_message_at": now}
    return insert(Session(account=account, identity=identity, guest=identity.guest, queue=account.queue, previous=last, **opened))


def _may_reopen(last: Session, *, now: datetime) -> bool:
    rule = last.queue.reopen
    if rule == Reopen.NEVER or last.closed_at is None:
        return rule == Reopen.ALWAYS
    return rule == Reopen.ALWAYS or now - last.closed_at <= timedelta(days=last.queue.reopen_days)


def reopen(*, session: Session, now: datetime) -> Session:
    """A closed session goes on in the queue: whoever had it may be absent, so it is given out anew."""
    move(session, SessionState.WAITING)
    session.owner, session.closed_at, session.opened_at = None, None, now
    session.queue, session.group = session.account.queue, None  # where the channel's dialogues wait today
    session.save(update_fields=["state", "owner", "closed_at", "opened_at", "queue", "group"])
    for follower in followers():
        follower.on_reopened(session, now=now)
    return session


def add_inbound(*, session: Session, item: Inbound, now: datetime, heard: bool = True) -> Message:
    """The guest's message joins the locked session: feed, clock, list row and followers in one transaction.

    Not `heard` = it answers what we asked (omni.readers): it stays in the feed, nobody waits, the session keeps its state.
    """
    message = _insert(
        session=session,
        direction=Direction.IN,
        text=item.text,
        visible_text=item.visible_text,
        sent_at=min(item.sent_at, now + FUTURE_LIMIT),
        sequence=item.sequence,
        external_id=item.external_id,
        reply_to=item.reply_to,
        album=item.album,
        is_automatic=item.kind is InboundKind.AUTO_REPLY,
        now=now,
    )
    if item.subject or item.html:
        Letter.objects.create(message=message, subject=storable(item.subject)[:500], html=storable(item.html), rfc_message_id=_rfc_id(item))
    if message.is_automatic:  # an out-of-office mail neither waits for an answer nor changes the state
        session.save(update_fields=["message_count", "last_message_at"])
        return message
    if not heard:
        session.last_inbound_at = session.last_message_at = now
        update(session, "message_count", "last_message_at", "last_inbound_at")
        return message
    hear(session=session, message=message, now=now)
    return message


def hear(*, session: Session, message: Message, now: datetime) -> None:
    """The guest waits for an answer to this entry of the locked session: clock, list row, followers; a responder may take it."""
    if responders.takes(session, message, now=now):
        _leave_to_responder(session, message, now=now)
        return
    if session.opened_at == now and (session.previous_id is not None or session.message_count > 1):
        for follower in followers():
            follower.on_returned(session, now=now)
    running = _count_waiting(session, message, now=now)
    held = False
    for follower in followers():
        if follower.holds(session):
            follower.on_inbound(session, message, now=now)
            held = True
    if session.state == SessionState.PARKED and not held:
        move(session, SessionState.WAITING)
        session.save(update_fields=["state"])
    rows.show(session, now=now, preview=message, running=running)
    events.publish(MessageReceived(message_id=message.pk, session_id=session.pk, guest_id=session.guest_id))


def add_call(
    *, session: Session, direction: Direction, text: str, sent_at: datetime, by: Staff | None, external_id: str, now: datetime
) -> Message:
    """A telephone call's one entry in the locked session's feed. Nobody waits for it yet (`hear`); its text changes as the call goes on."""
    sent_at = min(sent_at, now + FUTURE_LIMIT)
    message = _insert(session=session, direction=direction, text=text, sent_at=sent_at, author=by, external_id=external_id, now=now)
    session.last_message_at = now
    session.save(update_fields=["message_count", "last_message_at"])
    return message


def _rfc_id(item: Inbound) -> str:
    return storable(item.external_id)[:255]


def _leave_to_responder(session: Session, message: Message, *, now: datetime) -> None:
    """No person is waited for: the entry is news in the lists, and no clock starts."""
    session.last_inbound_at, session.last_inbound_id, session.last_message_at = now, message.pk, now
    session.unread += 1
    session.language = session.language or language_of(message.visible_text or message.text)
    update(session, "responder", "last_inbound_at", "last_inbound_id", "last_message_at", "unread", "message_count", "subject", "language")
    rows.show(session, now=now, preview=message)
    events.publish(MessageReceived(message_id=message.pk, session_id=session.pk, guest_id=session.guest_id))


_ANSWERED = Prepared(
    lambda session: (
        Message.objects.filter(session_id=session, direction=Direction.OUT, is_automatic=False)
        .order_by("-seq")
        .values_list("sent_at", flat=True)[:1]
    )
)


def _count_waiting(session: Session, message: Message, *, now: datetime) -> Sequence[Clock] | None:
    """The session's running clocks, when they had to be started."""
    begun = session.waiting_since
    answered = None if session.message_count == 1 else _ANSWERED.first(session=session.pk)
    session.waiting_since = begun or _wait_begins(message.sent_at, answered=answered, now=now)
    session.last_inbound_at, session.last_inbound_id = now, message.pk
    session.unread += 1
    session.last_message_at = now
    session.language = session.language or language_of(message.visible_text or message.text)
    names = ("waiting_since", "last_inbound_at", "last_inbound_id", "unread", "message_count", "last_message_at", "subject", "language")
    update(session, *names)
    if begun is not None or session.state == SessionState.PARKED:
        return None
    is_new = session.message_count == 1
    metric = Metric.NEXT_RESPONSE if answered else Metric.FIRST_RESPONSE
    policy, subject = session.queue.policy, session.clock_subject
    return clocks.start(subject=subject, policy=policy, metrics=[metric], now=now, since=session.waiting_since, is_new=is_new) or None


def _wait_begins(sent_at: datetime, *, answered: datetime | None, now: datetime) -> datetime:
    """When the guest began to wait: with the own word, but not before our last answer, nor by a clock that is days off."""
    if now - sent_at > LATE_LIMIT:
        return now
    return min(max(sent_at, answered) if answered else sent_at, now)


def add_line(*, session: Session, direction: Direction, text: str, by: Staff | None, now: datetime, external_id: str = "") -> Message:
    """A note or system line in the locked session's feed; the guest never sees it."""
    message = _insert(
        session=session, direction=direction, text=text, sent_at=now, author=by, is_automatic=by is None, external_id=external_id, now=now
    )
    update(session, "message_count")
    tell_feed(message)
    return message


def add_outgoing(*, session: Session, text: str, by: Staff | None, now: datetime, reply_to: str = "", automatic: bool = False) -> Message:
    """The row of an answer in the locked session; `omni.services.answering` sends it."""
    return _insert(
        session=session,
        direction=Direction.OUT,
        text=text,
        sent_at=now,
        author=by,
        reply_to=reply_to,
        is_automatic=automatic,
        send_state=SendState.QUEUED,
        now=now,
    )


def add_outside(*, session: Session, item: Inbound, now: datetime) -> Message:
    """An answer in the locked session's feed that somebody of ours gave in the provider's own pages."""
    return _insert(
        session=session,
        direction=Direction.OUT,
        text=item.text,
        sent_at=min(item.sent_at, now + FUTURE_LIMIT),
        sequence=item.sequence,
        external_id=item.external_id,
        reply_to=item.reply_to,
        send_state=SendState.SENT,
        is_outside=True,
        now=now,
    )


def _insert(*, session: Session, direction: Direction, text: str, sent_at: datetime, now: datetime, **values: object) -> Message:
    session.message_count += 1
    for name in ("external_id", "reply_to", "album", "visible_text"):
        if isinstance(values.get(name), str):
            values[name] = storable(str(values[name]))[: None if name == "visible_text" else 255]
    message = Message(
        session=session,
        account=session.account,
        guest_id=session.guest_id,
        seq=session.message_count,
        direction=direction,
        text=storable(text),
        sent_at=sent_at,
        received_at=now,
        **values,
    )
    insert(message)
    if direction in {Direction.IN, Direction.OUT}:
        tell_feed(message)
    return message


def tell_feed(message: Message) -> None:
    """Tell the screens that show this guest's feed."""
    announce(
        kind="message",
        payload={"message_id": message.pk, "session_id": message.session_id, "guest_id": message.guest_id, "direction": message.direction},
        topics=[f"guest:{message.guest_id}"],
    )


@transaction.atomic
def take(*, session_id: int, by: Staff, now: datetime) -> Session:
    """An operator takes a waiting session from the queue. Raises Refusal when somebody else was first."""
    session = lock(session_id)
    if session.state == SessionState.ACTIVE and session.owner_id == by.pk:
        return session
    if session.state != SessionState.WAITING:
        raise Refusal("taken", _("Somebody else has already taken this dialogue."))
    return assign(session=session, to=by, by=by, now=now, action="session.taken")


def assign(*, session: Session, to: Staff, by: Staff | None, now: datetime, action: str = "session.assigned") -> Session:
    """Give the locked session to a person and count it into the load; an open offer of it is over."""
    offer, queued = offering.open_of(session), session.state == SessionState.WAITING
    loads.lock(session.owner_id, to.pk, offer.staff_id if offer else None)
    if offer is not None:
        offering.end(session, state=OfferState.WITHDRAWN, now=now)
    loads.release(session, end=HoldingEnd.HANDED, now=now)
    responders.part(session, now=now)
    move(session, SessionState.ACTIVE) if session.state != SessionState.ACTIVE else None
    session.owner, session.assigned_at = to, now
    update(session, "state", "owner", "assigned_at")
    loads.hold(session, now=now, queued=queued)
    audit.record(action=action, by=by, subject=session, now=now, details={"to": to.pk})
    rows.show(session, now=now)
    return session


@transaction.atomic
def give_back(*, session_id: int, by: Staff | None, now: datetime, reason: str = "", owner_id: int | None = None) -> Session:
    """Return an active session to its queue; its place is by the guest's waiting time, not the end. `by` None = the system.

    `owner_id` = only while this person has it. Raises Refusal.
    """
    session = lock(session_id)
    if session.state != SessionState.ACTIVE or (owner_id is not None and session.owner_id != owner_id):
        raise Refusal("wrong_state", _("Only a dialogue in work can go back to the queue."))
    let_wait(session, end=HoldingEnd.RETURNED if by else HoldingEnd.AWAY, now=now)
    audit.record(action="session.returned", by=by, subject=session, now=now, details={"reason": reason})
    rows.show(session, now=now)
    return session


def let_wait(session: Session, *, end: HoldingEnd, now: datetime) -> None:
    """The locked open session waits in its queue, without an owner and without an offer."""
    offer = offering.open_of(session)
    loads.lock(session.owner_id, offer.staff_id if offer else None)
    if offer is not None:
        offering.end(session, state=OfferState.WITHDRAWN, now=now)
    loads.release(session, end=end, now=now)
    responders.part(session, now=now)
    if session.state != SessionState.WAITING:
        move(session, SessionState.WAITING)
    session.owner = None
    update(session, "state", "owner")


@transaction.atomic
def transfer(*, session_id: int, to: Staff, by: Staff, note: str, now: datetime) -> Session:
    """Hand a session to a colleague with a note. Raises Refusal."""
    session = lock(session_id)
    if session.state not in {SessionState.ACTIVE, SessionState.WAITING}:
        raise Refusal("wrong_state", _("Only an open dialogue can be handed on."))
    if not to.is_active or not to.has_right(Right.ANSWER):
        raise Refusal("absent", _("This person does not work here any more, or does not answer guests."))
    assign(session=session, to=to, by=by, now=now, action="session.transferred")
    if note.strip():
        add_line(session=session, direction=Direction.NOTE, text=note, by=by, now=now)
    return session


def park(*, session: Session, by: Staff | None, now: datetime) -> Session:
    """The conversation goes on with a ticket's group: the locked session leaves the operators' lists."""
    _leave(session, by=by, end=HoldingEnd.PARKED, now=now)
    move(session, SessionState.PARKED)
    session.owner = None
    update(session, "state", "owner")
    # The ticket's promises take over, the wait of an unanswered question included.
    for follower in followers():
        follower.on_parked(session, now=now)
    clocks.cancel(subject=session.clock_subject, now=now)
    rows.show(session, now=now)
    return session


def _leave(session: Session, *, by: Staff | None, end: HoldingEnd, now: datetime) -> None:
    """The owner is done with the locked session; who had an offer of it hears that it is over."""
    offer = offering.open_of(session)
    loads.lock(session.owner_id, offer.staff_id if offer else None)
    if offer is not None:
        offering.end(session, state=OfferState.WITHDRAWN, now=now)
    loads.release(session, end=end, now=now)
    responders.part(session, now=now)
    presence_states.begin_wrap_up(session, by_id=by.pk if by else None, now=now)


@transaction.atomic
def close(*, session_id: int, by: Staff | None, now: datetime) -> Session:
    """End the session; one that a ticket still needs is parked instead. Closing twice is the same as once."""
    session = lock(session_id)
    if session.state == SessionState.CLOSED:
        return session
    if any(follower.holds(session) for follower in followers()):
        return session if session.state == SessionState.PARKED else park(session=session, by=by, now=now)
    _leave(session, by=by, end=HoldingEnd.CLOSED, now=now)
    move(session, SessionState.CLOSED)
    session.closed_at, session.unread, session.waiting_since = now, 0, None
    update(session, "state", "closed_at", "unread", "waiting_since")
    clocks.cancel(subject=session.clock_subject, now=now)
    audit.record(action="session.closed", by=by, subject=session, now=now)
    rows.show(session, now=now)
    events.publish(SessionClosed(session_id=session.pk))
    return session


@transaction.atomic
def mark_read(*, session_id: int, up_to: int, now: datetime) -> None:
    """The owner has the newest message on the screen."""
    session = lock(session_id)
    if session.unread and up_to >= session.last_inbound_id:
        session.unread = 0
        update(session, "unread")
        rows.show(session, now=now)
