"""A guest who comes back after closing: the ticket goes on, or a new one goes on from it, by rules of the topic's branch."""

from datetime import datetime, timedelta

import structlog

from core.refusal import Refusal
from core.statements import Prepared
from omni.models import Session
from omni.services import conversations
from tickets.models import Case, ReopenRule
from tickets.services import cases, chains, joined_topics, opening, topics
from tickets.states import CaseState, Step

log = structlog.get_logger(__name__)
_RULES = Prepared(lambda: ReopenRule.objects.all())
_LAST = Prepared(
    lambda identity, account: (
        Case.objects.select_related("topic", "store")
        .filter(session__identity_id=identity, session__account_id=account)
        .order_by("-opened_at", "-pk")[:1]
    )
)


def rule_for(topic_id: int) -> ReopenRule | None:
    """The rule of the nearest topic of the branch, else the common one."""
    rules = {rule.topic_id: rule for rule in _RULES.all()}
    branch: list[int | None] = [*topics.line_of(topic_id), None]
    return next((rules[place] for place in branch if place in rules), None)


def take_up(session: Session, *, now: datetime) -> Case | None:
    """The guest writes in a locked dialogue that has begun anew: the last ticket goes on, and the dialogue with it.

    Returns the ticket that took the dialogue up; None = it waits for an operator as usual.
    """
    last = _LAST.first(identity=session.identity_id, account=session.account_id)
    if last is None or last.state != CaseState.CLOSED or last.closed_at is None:
        return None
    if chains.end_of(last.pk) != last.pk:  # the matter goes on, or has ended, in another ticket: an operator looks
        return None
    rule, age = rule_for(last.topic_id), now - last.closed_at
    if rule is None:
        return None
    if age <= timedelta(days=rule.days):
        case = cases.reopen(case_id=last.pk, by=None, reason="", now=now)
    elif rule.later == ReopenRule.Later.NEW_CASE and age <= timedelta(days=rule.until_days):
        continued = _go_on(session, last, now=now)
        if continued is None:
            return None
        case = continued
    else:
        return None
    conversations.park(session=session, by=None, now=now)
    return case


def _go_on(session: Session, last: Case, *, now: datetime) -> Case | None:
    """A new ticket on the same matter; a topic that leads nowhere any more leaves the guest to the operators."""
    try:
        case = opening.open_in(session, topic=joined_topics.going_on(last.topic), by=None, now=now, store=last.store, previous=last)
    except Refusal as refusal:
        log.warning("a guest's matter does not go on by itself", case=last.pk, refusal=refusal.code)
        return None
    cases.note_step(case, Step.LINKED, by=None, now=now, details={"previous": last.number})
    return case
