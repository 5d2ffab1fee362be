"""Tickets: opened from a dialogue, routed, worked on, closed. Each verb is one transaction with its history row."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import Exists, QuerySet
from django.utils.translation import gettext_lazy as _

from accounts.models import Group, Staff
from core import audit, events
from core.refusal import Refusal
from core.statements import Prepared, insert, insert_all, update
from core.text import storable
from customers.models import Identity
from omni.models import Message, Session
from omni.services import conversations
from omni.states import Direction, SessionState
from sla.models import Metric, Policy
from sla.services import clocks
from stores.models import Store
from tickets.approving import Deed
from tickets.events import CaseClosed, CaseOpened, CaseReopened
from tickets.models import Case, CaseStep, ClosingCause, Topic
from tickets.services import (
    asked,
    duplicates,
    escalating,
    handovers,
    prints,
    promising,
    routebook,
    rows,
    subjects,
    topics,
    wait_rows,
    watching,
    ways,
)
from tickets.services.approval_gates import check as check_approval
from tickets.services.guest_news import heard as tell_guest
from tickets.services.handovers import zone_of as zone_of
from tickets.services.promising import Promise
from tickets.services.ways import Way
from tickets.states import CASE_MOVES, PAUSING, WAITING, CaseState, Cause, Step

# All that may change: `save` writes the whole ticket.
_COLUMNS = tuple(field.name for field in Case._meta.local_concrete_fields if not field.primary_key and not field.generated)
FROM_A_REOPENING = (Metric.NEXT_RESPONSE, Metric.RESOLUTION, Metric.PERIODIC_UPDATE, Metric.HANDOVER)
FROM_THE_BEGINNING = (Metric.FIRST_RESPONSE, Metric.RESOLUTION, Metric.PERIODIC_UPDATE, Metric.HANDOVER)
RESPONSES = (Metric.FIRST_RESPONSE, Metric.NEXT_RESPONSE)


def next_number() -> str:
    """The next ticket number, from a sequence of the database: never given twice, holes allowed."""
    with connection.cursor() as cursor:
        cursor.execute("select nextval('ticket_number')")
        return str(cursor.fetchone()[0])


_POLICY = Prepared(lambda pk, group: _policies(Group.objects.filter(pk=group, is_active=True)).filter(pk=pk))
_CLOSED = Prepared(lambda pk: Session.objects.filter(pk=pk, state=SessionState.CLOSED).only("identity_id", "account_id"))
_SESSION_OF = Prepared(lambda pk: Case.objects.filter(pk=pk).values_list("session_id", flat=True))
_LOCKED = Prepared(lambda pk: locked_cases().filter(pk=pk))


def _policies(group_in_use: "QuerySet[Group]") -> "QuerySet[Any]":
    return Policy.objects.select_related("calendar").annotate(group_in_use=Exists(group_in_use))


def locked_cases() -> "QuerySet[Case]":
    """Tickets with what their services need, locked."""
    return Case.objects.select_for_update(of=("self",)).select_related("guest", "session__account", "topic", "policy__calendar")


@transaction.atomic(savepoint=False)
def open_ticket(
    *,
    session_id: int,
    topic: Topic,
    by: Staff,
    now: datetime,
    store: Store | None = None,
    summary: str = "",
    priority: int = 0,
    details: Mapping[str, object] | None = None,
) -> Case:
    """Open a ticket from a conversation and route it by rules and topic. The operator's dialogue goes on until it is finished.

    `details` are what the topic asks for, by code; None = whoever opens it is asked for nothing (the system itself).
    Raises Refusal: the topic needs a store or a detail, is switched off, or nobody is responsible for it.
    """
    session = _conversation(session_id)
    return open_in(session, topic=topic, by=by, now=now, store=store, summary=summary, priority=priority, details=details)


def open_in(
    session: Session,
    *,
    topic: Topic,
    by: Staff | None,
    now: datetime,
    store: Store | None = None,
    summary: str = "",
    priority: int = 0,
    details: Mapping[str, object] | None = None,
    previous: Case | None = None,
) -> Case:
    """As `open_ticket`, in a locked conversation inside the caller's transaction. `by` None = the guest came back (`previous`)."""
    given = asked.checked(topic, details, now=now) if details is not None else {}
    way, policy, promise = _routed(session, topic, store=store, priority=priority, now=now)
    case = Case(
        number=next_number(),
        guest=session.guest,
        session=session,
        topic=topic,
        policy=policy,
        group_id=way.group_id,
        store=store,
        owner=way.owner,
        at_store=way.to_store,
        state=_first_state(way),
        details=given,
        previous=previous,
        summary=storable(summary).strip() or _first_words(session),
        priority=priority,
        routing=way.told() | {"promise": dict(promise.reason)},
        opened_at=now,
        opened_by=by,
        waiting_since=session.waiting_since or now,
        last_at=now,
    )
    insert(case)
    subjects.note_topic(session, topic)
    opened = _step(case, Step.OPENED, by=by, now=now, details={"topic": list(way.topic.path)})
    insert_all([opened, _step(case, Step.ROUTED, by=None, now=now, details=case.routing)])
    tell_guest(case, Step.OPENED, now=now)
    zone = store.time_zone if store else ""
    running = clocks.start(subject=case.clock_subject, policy=policy, metrics=FROM_THE_BEGINNING, now=now, is_new=True, store_zone=zone)
    audit.record(action="case.opened", by=by, subject=case, now=now, details={"topic": topic.code, "group": way.group_id})
    rows.show(case, now=now, preview=case.summary, running=running)
    duplicates.note_opened(case, now=now)
    if session.state == SessionState.CLOSED:
        keep_open(session)
    events.publish(CaseOpened(case_id=case.pk))
    return case


def _routed(session: Session, topic: Topic, *, store: Store | None, priority: int, now: datetime) -> "tuple[Way, Any, Promise]":
    """Where the ticket goes, its policy and why. Raises Refusal."""
    asks = topics.resolved(topic)
    if not topics.facts()[topic.pk].is_active:
        raise Refusal("topic_off", _("This topic is not used any more. Please choose another one."))
    if asks.store_required and store is None:
        raise Refusal("store_needed", _("Please name the store: tickets on this topic need it."), status=400)
    channel = session.account.kind
    way = ways.choose(topic, store=store, channel=channel, priority=priority, now=now)
    promise = promising.promise_for(asks, channel=channel, priority=priority, group_id=way.group_id, guest=session.guest, store=store)
    if promise.policy_id is None:
        raise Refusal("no_route", _("No group or SLA policy is set for this topic. Please tell your supervisor."))
    policy = _POLICY.get(pk=promise.policy_id, group=way.group_id)
    if not policy.group_in_use:  # switched off since this process read the rules: now its stand-in, or a refusal
        routebook.forget()
        way = ways.choose(topic, store=store, channel=channel, priority=priority, now=now)
    return way, policy, promise


def _first_state(way: Way) -> CaseState:
    if way.to_store:
        return CaseState.WAITING_STORE
    return CaseState.IN_WORK if way.owner else CaseState.ROUTED


def _conversation(session_id: int) -> Session:
    """The conversation in which a ticket's guest is answered, locked: the given one, or the guest's newer one if that goes on."""
    closed = _CLOSED.first(pk=session_id)
    if closed is None:
        return conversations.lock(session_id)
    # The guest first, then the session: the order of an inbound message, which may open a newer session at this moment.
    Identity.objects.select_for_update().get(pk=closed.identity_id)
    same = Session.objects.filter(identity_id=closed.identity_id, account_id=closed.account_id)
    newer = same.exclude(state=SessionState.CLOSED).values_list("pk", flat=True).first()
    return conversations.lock(newer or session_id)


def keep_open(session: Session) -> None:
    """The locked closed conversation goes on with a ticket."""
    conversations.move(session, SessionState.WAITING)
    conversations.move(session, SessionState.PARKED)
    session.closed_at = None
    session.save(update_fields=["state", "closed_at"])


def _first_words(session: Session) -> str:
    first = session.messages.filter(direction=Direction.IN).order_by("seq").first()
    return (first.visible_text or first.text) if first else ""


def lock(case_id: int) -> Case:
    """The ticket and its conversation, locked until the transaction ends; the conversation first, as everywhere. Raises Refusal."""
    session_id = _SESSION_OF.first(pk=case_id)
    if session_id is not None:
        conversations.lock(session_id)
    case = _LOCKED.first(pk=case_id)
    if case is None:
        raise Refusal("not_found", _("There is no such ticket."), status=404)
    return case


def move(case: Case, state: CaseState) -> None:
    """Change the state of the locked ticket by the table of moves; `save` writes it. Raises Refusal."""
    if state == case.state:
        return
    if state not in CASE_MOVES[case.state]:
        raise Refusal("wrong_state", _("The ticket cannot do this in its present state. Please look at it again."))
    if case.state in WAITING:
        case._wait_is_over = True  # type: ignore[attr-defined]
    was_pausing, case.state = case.state in PAUSING, state
    case._clock_change = "pause" if state in PAUSING and not was_pausing else "resume" if was_pausing else ""  # type: ignore[attr-defined]


def save(case: Case, *, now: datetime, preview: Message | str | None = None) -> None:
    """Write the changed ticket, its clocks and its row."""
    change = getattr(case, "_clock_change", "")
    if change == "pause":
        clocks.pause(subject=case.clock_subject, reason=case.state, now=now)
    elif change == "resume":
        clocks.resume(subject=case.clock_subject, now=now)
    case._clock_change = ""  # type: ignore[attr-defined]
    if getattr(case, "_wait_is_over", False):
        wait_rows.end(case, now=now)
        case._wait_is_over = False  # type: ignore[attr-defined]
    case.last_at = now
    update(case, *_COLUMNS)
    rows.show(case, now=now, preview=preview)


def note_step(case: Case, step: Step, *, by: Staff | None, now: datetime, details: Mapping[str, Any] | None = None) -> None:
    """Add a row to the history; the ticket's ladder, if one runs, hears of it."""
    insert(_step(case, step, by=by, now=now, details=details))
    if step in {Step.RECLASSIFIED, Step.ROUTED}:
        prints.place(case, now=now)
    escalating.heard(case, step, by=by, now=now, details=details)
    tell_guest(case, step, now=now, details=details)
    watching.tell(case, step, by=by)


def _step(case: Case, step: Step, *, by: Staff | None, now: datetime, details: Mapping[str, Any] | None) -> CaseStep:
    return CaseStep(
        case=case, step=step, at=now, by=by, state=case.state, group_id=case.group_id, owner_id=case.owner_id, details=dict(details or {})
    )


def take(*, case_id: int, by: Staff, now: datetime) -> Case:
    """An expert takes a ticket of the group. Raises Refusal when a colleague has it."""
    with transaction.atomic():
        case = lock(case_id)
        if case.owner_id == by.pk:
            return case
        if case.owner_id is not None:
            raise Refusal("taken", _("A colleague already works on this ticket."))
        if case.state == CaseState.CLOSED:
            raise Refusal("wrong_state", _("The ticket is closed."))
        case.owner = by
        if case.state in {CaseState.ROUTED, CaseState.REOPENED}:
            move(case, CaseState.IN_WORK)
        note_step(case, Step.TAKEN, by=by, now=now)
        audit.record(action="case.taken", by=by, subject=case, now=now)
        save(case, now=now)
        return case


def route(*, case_id: int, group: Group, by: Staff, reason: str, now: datetime) -> Case:
    """Send a ticket to another group, with the reason; nobody owns it there yet. Raises Refusal."""
    if not reason.strip():
        raise Refusal("reason_needed", _("Please say why the ticket goes to another group."), status=400)
    if not group.is_active:
        raise Refusal("group_off", _("This group is not in use any more. Please choose another one."))
    with transaction.atomic():
        case = lock(case_id)
        move(case, CaseState.ROUTED)
        case.group, case.owner, case.at_store = group, None, False
        case.routing = {**case.routing, "rerouted": reason}
        handovers.restart(case, now=now)
        note_step(case, Step.ROUTED, by=by, now=now, details={"reason": reason})
        audit.record(action="case.routed", by=by, subject=case, now=now, details={"group": group.pk, "reason": reason})
        save(case, now=now)
        return case


def wait_for(*, case_id: int, state: CaseState, by: Staff, now: datetime) -> Case:
    """The next step is somebody else's: guest, store or third party. Raises Refusal."""
    with transaction.atomic():
        case = lock(case_id)
        if state == CaseState.WAITING_STORE and case.store_id is None:
            raise Refusal("store_needed", _("Please name the store first."), status=400)
        move(case, state)
        if case.at_store != (state == CaseState.WAITING_STORE):
            handovers.restart(case, now=now)
        case.at_store = state == CaseState.WAITING_STORE
        note_step(case, Step.MOVED, by=by, now=now)
        save(case, now=now)
        return case


def store_answer(*, case_id: int, text: str, by: Staff, now: datetime) -> Case:
    """The store's word on a ticket: a note that the group sees; the ticket comes back to the group. Raises Refusal."""
    if not text.strip():
        raise Refusal("empty", _("Write something first."), status=400)
    with transaction.atomic():
        case = lock(case_id)
        if not case.at_store:
            raise Refusal("wrong_state", _("This ticket does not wait for the store."))
        session = conversations.lock(case.session_id)
        note = conversations.add_line(session=session, direction=Direction.NOTE, text=text, by=by, now=now)
        case.at_store = False
        handovers.restart(case, now=now)
        move(case, CaseState.IN_WORK if case.owner_id else CaseState.ROUTED)
        case.unread += 1
        note_step(case, Step.STORE_ANSWERED, by=by, now=now)
        audit.record(action="case.store_answered", by=by, subject=case, now=now)
        save(case, now=now, preview=note)
        return case


def close(*, case_id: int, cause: Cause, by: Staff | None, now: datetime, closing: ClosingCause | None = None, note: str = "") -> Case:
    """Close a ticket with its cause; the conversation closes with its last open ticket. Closing twice is the same as once.

    `closing` is the finer cause (services/closing.py checks it); `by` None = the system, for the guest's silence.
    """
    with transaction.atomic():
        case = lock(case_id)
        if case.state == CaseState.CLOSED:
            return case
        check_approval(case, Deed.CLOSE, cause=cause)
        move(case, CaseState.CLOSED)
        case.closed_at, case.cause, case.unread, case.waiting_since, case.at_store = now, cause, 0, None, False
        case.closing = closing
        clocks.meet(subject=case.clock_subject, metrics=[Metric.RESOLUTION, Metric.HANDOVER], now=now)
        clocks.cancel(subject=case.clock_subject, now=now, metrics=[*RESPONSES, Metric.PERIODIC_UPDATE])
        told = {"cause": cause} | ({"closing": closing.name} if closing else {}) | ({"note": storable(note)} if note.strip() else {})
        note_step(case, Step.CLOSED, by=by, now=now, details=told)
        finer = {"closing": closing.code} if closing else {}
        audit.record(action="case.closed", by=by, subject=case, now=now, details={"cause": cause, **finer})
        save(case, now=now)
        session = conversations.lock(case.session_id)
        if session.state == SessionState.PARKED:
            conversations.close(session_id=session.pk, by=by, now=now)
        events.publish(CaseClosed(case_id=case.pk))
        return case


def reopen(*, case_id: int, by: Staff | None, reason: str, now: datetime) -> Case:
    """A closed ticket goes on: back to its group's queue, since its owner may be absent. `by` None = the guest wrote. Raises Refusal."""
    with transaction.atomic():
        session = _conversation(Case.objects.values_list("session_id", flat=True).get(pk=case_id))
        case = lock(case_id)
        move(case, CaseState.REOPENED)
        case.closed_at, case.cause, case.closing, case.owner = None, "", None, None
        case.waiting_since, case.session = now, session
        clocks.start(subject=case.clock_subject, policy=case.policy, metrics=FROM_A_REOPENING, now=now, store_zone=zone_of(case))
        note_step(case, Step.REOPENED, by=by, now=now, details={"reason": reason})
        audit.record(action="case.reopened", by=by, subject=case, now=now, details={"reason": reason})
        if session.state == SessionState.CLOSED:
            keep_open(session)
        save(case, now=now)
        events.publish(CaseReopened(case_id=case.pk))
        return case


def change_policy(*, case_id: int, policy: Policy, by: Staff, reason: str, now: datetime) -> Case:
    """Other promises for a ticket from now on; what its clocks have used stays used. Raises Refusal."""
    if not reason.strip():
        raise Refusal("reason_needed", _("Please say why the promises change."), status=400)
    with transaction.atomic():
        case = lock(case_id)
        if case.state == CaseState.CLOSED:
            raise Refusal("wrong_state", _("The ticket is closed."))
        if case.policy_id == policy.pk:
            return case
        details = {"from": case.policy.name, "to": policy.name, "reason": reason}
        clocks.change_policy(subject=case.clock_subject, policy=policy, now=now, store_zone=zone_of(case))
        case.policy, case.routing = policy, {**case.routing, "promise": {"by": str(by), "reason": reason}}
        note_step(case, Step.TERMS, by=by, now=now, details=details)
        audit.record(action="case.terms_changed", by=by, subject=case, now=now, details=details)
        save(case, now=now)
        return case


def mark_read(*, case_id: int, now: datetime) -> None:
    """The newest message of the guest has been seen."""
    with transaction.atomic():
        case = lock(case_id)
        if case.unread:
            case.unread = 0
            case.save(update_fields=["unread"])
            rows.show(case, now=now)
