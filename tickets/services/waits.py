"""Tickets that wait for a reason: reminders to the guest and closing for silence, by rows that a sweep finds."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from accounts.models import Staff
from core import audit
from core.refusal import Refusal
from core.statements import Prepared, insert
from core.text import first_line
from omni.services import conversations, sending
from omni.services.reach import capabilities_of, obstacle
from omni.states import SessionState
from sla.rules import NoWorkingTime
from sla.services.clocks import hours_of
from tickets.asking import fill
from tickets.models import Case, CaseWait, WaitReason
from tickets.services import cases, handovers, wait_rows
from tickets.services.kept import Kept
from tickets.states import CASE_MOVES, CaseState, Cause, Step
from tickets.waiting import Deed, Due, Plan, next_due

log = structlog.get_logger(__name__)
BATCH = 100
# After a fault of our own; the log tells of it.
FAULT_PAUSE = timedelta(minutes=15)
_REASONS = Kept(lambda: list(WaitReason.objects.filter(is_active=True).order_by("position", "name")))
_OPEN = Prepared(lambda case: CaseWait.objects.select_related("reason").filter(case_id=case, ended_at__isnull=True))


def list_reasons(case: Case) -> Sequence[WaitReason]:
    """Why the ticket could begin to wait in its present state."""
    impossible = {CaseState.WAITING_GUEST} if case.guest_id is None else set()
    states = {*CASE_MOVES[case.state], case.state} - impossible
    return [one for one in _REASONS.get() if one.state in states]


def current(case_id: int) -> CaseWait | None:
    """The wait that the ticket is in."""
    return _OPEN.first(case=case_id)


def plan_of(reason: WaitReason) -> Plan:
    return Plan(tuple(reason.remind_after), reason.close_after)


def begin(*, case_id: int, reason_id: int, by: Staff, now: datetime) -> Case:
    """The next step is somebody else's, for this reason; its timers begin. Raises Refusal."""
    reason = WaitReason.objects.select_related("calendar", "closing").filter(pk=reason_id, is_active=True).first()
    if reason is None:
        raise Refusal("choose", _("Please choose from the list."), status=400)
    state = CaseState(reason.state)
    with transaction.atomic():
        case = cases.lock(case_id)
        cases.check_wait(case, state)
        cases.move(case, state)
        if case.at_store != (state == CaseState.WAITING_STORE):
            handovers.restart(case, now=now)
        case.at_store = state == CaseState.WAITING_STORE
        cases.note_step(case, Step.MOVED, by=by, now=now, details={"reason": reason.name})
        audit.record(action="case.waits", by=by, subject=case, now=now, details={"reason": reason.code})
        cases.save(case, now=now)
        wait_rows.end(case, now=now)
        due = _next(reason, done=0, since=now, last_at=now)
        insert(CaseWait(case=case, reason=reason, since=now, by=by, next_at=due.at if due else None))
        return case


def _next(reason: WaitReason, *, done: int, since: datetime, last_at: datetime) -> Due | None:
    try:
        hours = hours_of(reason.calendar, now=last_at)
        return next_due(plan_of(reason), done=done, since=since, last_at=last_at, hours=hours)
    except NoWorkingTime:
        log.error("a wait has no timer: the calendar never opens", reason=reason.code)
        return None


def carry_on(*, now: datetime) -> int:
    """Remind guests and close for silence whatever is due; returns how many rows were looked at, at most BATCH.

    One that fails is looked at again after FAULT_PAUSE and does not hold up the others.
    """
    due = CaseWait.objects.filter(ended_at__isnull=True, next_at__lte=now).order_by("next_at")
    found = list(due.values_list("pk", "case_id")[:BATCH])
    for wait_id, case_id in found:
        try:
            with transaction.atomic():
                _carry_on(wait_id, case_id, now=now)
        except Exception:
            log.exception("a wait cannot be carried on", wait_id=wait_id)
            CaseWait.objects.filter(pk=wait_id, next_at__lte=now).update(next_at=now + FAULT_PAUSE)
    return len(found)


def _carry_on(wait_id: int, case_id: int, *, now: datetime) -> None:
    """One due wait. The ticket is locked first, as everywhere; a second sweep finds the row changed and leaves it."""
    case = cases.lock(case_id)
    locked = CaseWait.objects.select_for_update(of=("self",)).select_related("reason__calendar", "reason__closing")
    wait = locked.filter(pk=wait_id, ended_at__isnull=True, next_at__lte=now).first()
    if wait is None:
        return
    if case.state != wait.reason.state:
        wait_rows.end(case, now=now)
        return
    due = _next(wait.reason, done=wait.reminded, since=wait.since, last_at=wait.since)
    if due is None:
        wait.next_at = None
        wait.save(update_fields=["next_at"])
    elif due.deed is Deed.REMIND:
        _remind(case, wait, now=now)
    else:
        _close(case, wait, now=now)


def _remind(case: Case, wait: CaseWait, *, now: datetime) -> None:
    why_not = _write(case, wait.reason.reminder, now=now)
    wait.reminded += 1
    wait.unsent += bool(why_not)
    due = _next(wait.reason, done=wait.reminded, since=wait.since, last_at=now)
    wait.next_at = due.at if due else None
    wait.save(update_fields=["reminded", "unsent", "next_at"])
    told = {"reason": wait.reason.name, "number": wait.reminded} | ({"not_sent": why_not} if why_not else {})
    cases.note_step(case, Step.REMINDED, by=None, now=now, details=told)
    cases.save(case, now=now)


def _close(case: Case, wait: CaseWait, *, now: datetime) -> None:
    """The guest was silent for as long as promised. Whoever could not be reached at all is not closed: people look at it."""
    reason = wait.reason
    unreached = bool(reason.remind_after) and wait.unsent >= wait.reminded
    if unreached or reason.closing is None:
        _back_to_people(case, {"reason": reason.name, "unreached": True}, now=now)
        return
    try:
        with transaction.atomic():
            if reason.farewell.strip():
                _write(case, reason.farewell, now=now)
            wait_rows.end(case, now=now)
            cases.close(case_id=case.pk, cause=Cause(reason.closing.kind), closing=reason.closing, by=None, now=now)
    except Refusal as refusal:  # somebody has to approve the closing first
        _back_to_people(case, {"reason": reason.name, "note": str(refusal.text)}, now=now)


def _back_to_people(case: Case, told: Mapping[str, Any], *, now: datetime) -> None:
    """What the timer may not end goes on with its owner, or in the group's queue."""
    cases.move(case, CaseState.IN_WORK if case.owner_id else CaseState.ROUTED)
    cases.note_step(case, Step.MOVED, by=None, now=now, details=told)
    cases.save(case, now=now)


def _write(case: Case, text: str, *, now: datetime) -> str:
    """Write to the guest in the ticket's dialogue by the system; why that was not possible, empty = it was."""
    session = conversations.lock(case.session_id)
    filled = fill(text, {"guest": first_line(case.guest_name, 160), "number": case.number}).strip()
    limit = capabilities_of(session).text_limit
    if session.state == SessionState.CLOSED:
        return str(_("The dialogue is closed."))
    if limit == 0:
        return str(_("This channel cannot be answered by text."))
    if refusal := obstacle(session, now=now):
        return str(refusal.text)
    if limit and len(filled) > limit:
        return str(_("The text is too long for this channel."))
    message = conversations.add_outgoing(session=session, text=filled, by=None, now=now, automatic=True)
    session.save(update_fields=["message_count"])
    sending.queue(message=message, not_before=now, now=now)
    return ""
