"""Tickets in the conversation: what a guest's message and a person's answer mean for the open tickets."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from core.statements import Prepared
from omni.models import Message, Session
from omni.states import SessionState
from sla.models import Metric
from sla.services import clocks
from tickets.approving import Deed
from tickets.models import Case
from tickets.services import cases, prints, reopening
from tickets.services.approval_gates import check as check_approval
from tickets.states import CaseState, Step

RESPONSES = (Metric.FIRST_RESPONSE, Metric.NEXT_RESPONSE)


class CaseFollower:
    """Registered with omni: acts inside the message's own transaction."""

    def holds(self, session: Session) -> bool:
        """A session that no operator has belongs to its open tickets."""
        return bool(_HELD.all(session=session.pk))

    def on_inbound(self, session: Session, message: Message, *, now: datetime) -> None:
        # Until it is parked an operator still talks to the guest, and the dialogue counts the wait.
        since = session.waiting_since or now if session.state == SessionState.PARKED else None
        for case in _open_cases(session):
            hear_on(case, message, since=since, now=now, details={"message": message.pk})

    def on_answered(self, session: Session, message: Message, *, now: datetime) -> None:
        parked = session.state == SessionState.PARKED
        for case in _open_cases(session):
            if parked:  # else an operator talks to the guest, whatever the ticket waits for
                check_approval(case, Deed.ANSWER)
            case.waiting_since, case.unread = None, 0
            if case.state in {CaseState.IN_WORK, CaseState.WAITING_GUEST} and case.owner_id == message.author_id:
                cases.move(case, CaseState.ANSWERED)
            cases.note_step(case, Step.ANSWERED, by=message.author, now=now, details={"message": message.pk})
            cases.save(case, now=now, preview=message)

    def on_sent(self, session: Session, message: Message, *, now: datetime) -> None:
        for case in _open_cases(session):
            case.first_answer_at = case.first_answer_at or now
            clocks.meet(subject=case.clock_subject, metrics=(*RESPONSES, Metric.PERIODIC_UPDATE), now=now, started_before=message.sent_at)
            clocks.start(subject=case.clock_subject, policy=case.policy, metrics=[Metric.PERIODIC_UPDATE], now=now)
            if case.waiting_since is not None:  # the guest has written since
                _wait(case, since=case.waiting_since, now=now)
            cases.save(case, now=now)

    def on_unanswered(self, session: Session, message: Message, *, now: datetime) -> None:
        for case in _open_cases(session):
            if case.state == CaseState.ANSWERED:
                cases.move(case, CaseState.IN_WORK if case.owner_id else CaseState.ROUTED)
            case.unread += 1
            _wait(case, since=session.waiting_since or now, now=now)
            cases.save(case, now=now)

    def on_parked(self, session: Session, *, now: datetime) -> None:
        if session.waiting_since is None:
            return
        for case in _open_cases(session):
            case.unread += 1
            _wait(case, since=session.waiting_since, now=now)
            cases.save(case, now=now)

    def on_returned(self, session: Session, *, now: datetime) -> None:
        reopening.take_up(session, now=now)

    def on_reopened(self, session: Session, *, now: datetime) -> None:
        """Nothing: what the guest's return means is asked when the guest writes (`on_returned`)."""


def hear_on(case: Case, message: Message, *, since: datetime | None, now: datetime, details: Mapping[str, Any]) -> None:
    """The guest has written on the locked ticket, and waits for its answer `since`; None = the dialogue counts the wait."""
    if case.state == CaseState.WAITING_GUEST or (since and case.state == CaseState.ANSWERED):
        cases.move(case, CaseState.IN_WORK if case.owner_id else CaseState.ROUTED)
    if since is not None:
        case.unread += 1
        _wait(case, since=since, now=now)
        cases.note_step(case, Step.GUEST_WROTE, by=None, now=now, details=details)
    prints.hear(case, message, now=now)
    cases.save(case, now=now, preview=message)


def _wait(case: Case, *, since: datetime, now: datetime) -> None:
    """The guest waits for an answer on this ticket; a promise that runs already goes on running."""
    case.waiting_since = case.waiting_since or since
    if not {clock.metric for clock in clocks.running(case.clock_subject)} & set(RESPONSES):
        clocks.start(subject=case.clock_subject, policy=case.policy, metrics=[Metric.NEXT_RESPONSE], now=now, since=since)


def _open_cases(session: Session) -> list[Case]:
    return _OPEN.all(session=session.pk)


_HELD = Prepared(lambda session: Case.objects.filter(session_id=session).exclude(state=CaseState.CLOSED).values_list("pk", flat=True)[:1])
_OPEN = Prepared(lambda session: cases.locked_cases().filter(session_id=session).exclude(state=CaseState.CLOSED).order_by("pk"))
