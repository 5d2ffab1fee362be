"""Timers of approvals: reminders, and what happens when the time is over. Each is a row with `next_at`, found by a sweep."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext as _

from tickets.approving import ApprovalState
from tickets.asking import LetterKind
from tickets.models import Approval
from tickets.services import approvals, cases
from tickets.states import CaseState, Step

BATCH = 200


def tick(*, now: datetime) -> int:
    """Do what is due; returns how many approvals were looked at. Call again while it returns BATCH."""
    due = Approval.objects.filter(state=ApprovalState.WAITING, next_at__lte=now).order_by("next_at", "pk")
    ids = list(due.values_list("pk", flat=True)[:BATCH])
    with translation.override(settings.LANGUAGE_CODE):
        for approval_id in ids:
            _tick(approval_id, now=now)
    return len(ids)


@transaction.atomic
def _tick(approval_id: int, *, now: datetime) -> None:
    case, approval = approvals.lock(approval_id)
    if approval.state != ApprovalState.WAITING or approval.next_at is None or approval.next_at > now:
        return
    if case.state == CaseState.CLOSED:
        approval.state, approval.decided_at, approval.next_at = ApprovalState.WITHDRAWN, now, None
        approval.save()
    elif approval.deadline_at <= now:
        _end_of_time(approval, now=now)
    else:
        approval.reminders += 1
        approvals.write_to(approval, LetterKind.APPROVAL_REMINDED, now=now)
        approvals.set_next(approval, now=now)


def _end_of_time(approval: Approval, *, now: datetime) -> None:
    """The next people of the rule are asked, with as much time again; if there are none, it has expired."""
    without = approvals.barred(approval.case, approval.asked_by_id)
    people = approvals.people_of(approval.rule, round=2).exclude(pk__in=without)[: approvals.MOST_SEATS]
    if approval.round > 1 or not people:
        approvals.settle(approval, ApprovalState.EXPIRED, by=None, reason=_("Nobody decided in time."), now=now)
        return
    approval.round, approval.deadline_at = 2, now + timedelta(hours=approval.rule.hours)
    approvals.seat(approval, people, now=now)
    details = {"rule": approval.rule.name, "reason": _("Nobody decided in time: others are asked.")}
    cases.note_step(approval.case, Step.ESCALATED, by=None, now=now, details=details)
