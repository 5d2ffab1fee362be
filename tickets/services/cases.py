"""Tickets: taken, routed, worked on, closed, opened again. Each verb is one transaction with its history row."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from accounts.models import Group, Staff
from core import audit, events
from core.refusal import Refusal
from core.statements import Prepared, insert, update
from core.text import storable
from customers.models import Identity
from omni.models import Message, Session
from omni.services import conversations
from omni.states import Direction, SessionState
from sla.models import Metric
from sla.services import clocks
from tickets.approving import Deed
from tickets.events import CaseClosed, CaseReopened
from tickets.models import Case, CaseStep, ClosingCause
from tickets.services import (
    escalating,
    handovers,
    prints,
    rows,
    wait_rows,
    watching,
)
from tickets.services.approval_gates import check as check_approval
from tickets.services.guest_news import heard as tell_guest
from tickets.services.handovers import zone_of as zone_of
from tickets.states import CASE_MOVES, PAUSING, WAITING, CaseState, Cause, Step

# All that may change: `save` writes the whole ticket.
_COLUMNS = tuple(field.name for field in Case._meta.local_concrete_fields if not field.primary_key and not field.generated)
FROM_A_REOPENING = (Metric.NEXT_RESPONSE, Metric.RESOLUTION, Metric.PERIODIC_UPDATE, Metric.HANDOVER)
# Nobody waits for a word on an incident's own ticket.
WITHOUT_GUEST = (Metric.RESOLUTION, Metric.HANDOVER)
RESPONSES = (Metric.FIRST_RESPONSE, Metric.NEXT_RESPONSE)


_CLOSED = Prepared(lambda pk: Session.objects.filter(pk=pk, state=SessionState.CLOSED).only("identity_id", "account_id"))
_SESSION_OF = Prepared(lambda pk: Case.objects.filter(pk=pk).values_list("session_id", flat=True))
_LOCKED = Prepared(lambda pk, session: locked_cases().filter(pk=pk, session_id=session))


def locked_cases() -> "QuerySet[Case]":
    """Tickets with what their services need, locked."""
    return Case.objects.select_for_update(of=("self",)).select_related("guest", "session__account", "topic", "policy__calendar")


def conversation_of(session_id: int) -> Session:
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


def lock(case_id: int) -> Case:
    """The ticket and its conversation, locked until the transaction ends; the conversation first, as everywhere. Raises Refusal."""
    while (session_id := _SESSION_OF.first(pk=case_id)) is not None:
        if case := _lock_in(session_id, case_id):
            return case
    raise Refusal("not_found", _("There is no such ticket."), status=404)


def _lock_in(session_id: int, case_id: int) -> Case | None:
    """The ticket locked after this conversation; None = it goes on in another one since, and nothing is locked."""
    # Whoever holds a ticket holds its present conversation. To wait for that with the ticket, or with an older conversation, in hand
    # would be the wrong order: an inbound message holds the one and waits for the other. Only a savepoint gives locks back.
    with transaction.atomic():
        conversations.lock(session_id)
        case: Case | None = _LOCKED.first(pk=case_id, session=session_id)
        if case is None:
            transaction.set_rollback(True)
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
    insert(step_row(case, step, by=by, now=now, details=details))
    if step in {Step.RECLASSIFIED, Step.ROUTED}:
        prints.place(case, now=now)
    escalating.heard(case, step, by=by, now=now, details=details)
    tell_guest(case, step, now=now, details=details)
    watching.tell(case, step, by=by)


def step_row(case: Case, step: Step, *, by: Staff | None, now: datetime, details: Mapping[str, Any] | None) -> CaseStep:
    """A row of the history, not stored yet."""
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


def check_wait(case: Case, state: CaseState) -> None:
    """Whether there is anybody to wait for. Raises Refusal."""
    if state == CaseState.WAITING_STORE and case.store_id is None:
        raise Refusal("store_needed", _("Please name the store first."), status=400)
    if state == CaseState.WAITING_GUEST and case.guest_id is None:
        raise Refusal("no_guest", _("This ticket has no guest."), status=400)


def wait_for(*, case_id: int, state: CaseState, by: Staff, now: datetime) -> Case:
    """The next step is somebody else's: guest, store or third party. Raises Refusal."""
    with transaction.atomic():
        case = lock(case_id)
        check_wait(case, state)
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
    Raises Refusal: an approval is needed, or somebody has closed it with another cause, which holds.
    """
    with transaction.atomic():
        case = lock(case_id)
        if case.state == CaseState.CLOSED:
            if by is not None and (case.cause, case.closing_id) != (cause, closing.pk if closing else None):
                held = case.closing.name if case.closing else Cause(case.cause).label
                raise Refusal("closed", _("This ticket is closed already, with another cause: %(cause)s.") % {"cause": held})
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
        session = conversation_of(Case.objects.values_list("session_id", flat=True).get(pk=case_id))
        case = lock(case_id)
        move(case, CaseState.REOPENED)
        case.closed_at, case.cause, case.closing, case.owner = None, "", None, None
        has_guest = case.guest_id is not None
        case.waiting_since, case.session = now if has_guest else None, session
        promises = FROM_A_REOPENING if has_guest else WITHOUT_GUEST
        clocks.start(subject=case.clock_subject, policy=case.policy, metrics=promises, now=now, store_zone=zone_of(case))
        note_step(case, Step.REOPENED, by=by, now=now, details={"reason": reason})
        audit.record(action="case.reopened", by=by, subject=case, now=now, details={"reason": reason})
        if session.state == SessionState.CLOSED:
            keep_open(session)
        save(case, now=now)
        events.publish(CaseReopened(case_id=case.pk))
        return case


def mark_read(*, case_id: int, now: datetime) -> None:
    """The newest message of the guest has been seen."""
    with transaction.atomic():
        case = lock(case_id)
        if case.unread:
            case.unread = 0
            case.save(update_fields=["unread"])
            rows.show(case, now=now)
