"""Tickets in the conversation: what a guest's message and a person's answer mean for the open tickets."""

from datetime import datetime

from omni.models import Message, Session
from omni.states import SessionState
from sla.models import Metric
from sla.services import clocks
from tickets.models import Case
from tickets.services import cases
from tickets.states import CaseState, Step


class CaseFollower:
    """Registered with omni: acts inside the message's own transaction."""

    def holds(self, session: Session) -> bool:
        """A session that no operator has belongs to its open tickets."""
        return Case.objects.filter(session=session).exclude(state=CaseState.CLOSED).exists()

    def on_inbound(self, session: Session, message: Message, *, now: datetime) -> None:
        if session.state != SessionState.PARKED:  # an operator still talks to the guest
            return
        for case in _open_cases(session):
            begun, case.waiting_since = case.waiting_since, case.waiting_since or message.sent_at
            case.unread += 1
            if case.state in {CaseState.ANSWERED, CaseState.WAITING_GUEST}:
                cases.move(case, CaseState.IN_WORK if case.owner_id else CaseState.ROUTED)
            if begun is None:
                clocks.start(subject=case.clock_subject, policy=case.policy, metrics=[Metric.NEXT_RESPONSE], now=now, since=message.sent_at)
            cases.note_step(case, Step.GUEST_WROTE, by=None, now=now, details={"message": message.pk})
            cases.save(case, now=now, preview=message)

    def on_answered(self, session: Session, message: Message, *, now: datetime) -> None:
        for case in _open_cases(session):
            if case.first_answer_at is None:
                case.first_answer_at = now
            case.waiting_since, case.unread = None, 0
            if case.state in {CaseState.IN_WORK, CaseState.WAITING_GUEST} and case.owner_id == message.author_id:
                cases.move(case, CaseState.ANSWERED)
            clocks.meet(subject=case.clock_subject, metrics=[Metric.FIRST_RESPONSE, Metric.NEXT_RESPONSE], now=now)
            cases.note_step(case, Step.ANSWERED, by=message.author, now=now, details={"message": message.pk})
            cases.save(case, now=now, preview=message)

    def on_reopened(self, session: Session, *, now: datetime) -> None:
        """Nothing: a closed ticket is reopened by a person, who sees it beside the dialogue."""


def _open_cases(session: Session) -> list[Case]:
    found = Case.objects.select_for_update(of=("self",)).select_related("guest", "session__account", "topic", "policy__calendar")
    return list(found.filter(session=session).exclude(state=CaseState.CLOSED).order_by("pk"))
