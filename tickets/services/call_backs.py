"""Calls that somebody promised to make: told to their people when due, again and again until they are made."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from accounts.models import Staff
from core import audit
from core.live import announce, staff_topic
from core.refusal import Refusal
from core.statements import Prepared, insert
from core.text import first_line, storable
from tickets.models import CallBack
from tickets.services import cases, topics
from tickets.states import CaseState, Step

BATCH = 100
FURTHEST = timedelta(days=60)
AGAIN = timedelta(minutes=10)
MOST_TOLD = 12
_OPEN = Prepared(lambda case: CallBack.objects.select_related("made_by").filter(case_id=case, state=CallBack.State.OPEN).order_by("at"))


def list_open(case_id: int) -> Sequence[CallBack]:
    """Calls to be made about the ticket, the nearest first."""
    return _OPEN.all(case=case_id)


@transaction.atomic
def plan(*, case_id: int, at: datetime, phone: str, note: str, by: Staff, now: datetime) -> CallBack:
    """Promise a call. Raises Refusal: a time that is past or too far away, a telephone that is none, a closed ticket."""
    if not now - timedelta(minutes=1) <= at <= now + FURTHEST:
        raise Refusal("bad_time", _("Choose a time within the next 60 days."), status=400)
    digits = phone.strip()
    if digits and not 5 <= sum(letter.isdigit() for letter in digits) <= 15:
        raise Refusal("bad_phone", _("This is no telephone number."), status=400)
    case = cases.lock(case_id)
    if case.state == CaseState.CLOSED:
        raise Refusal("wrong_state", _("The ticket is closed."))
    row = CallBack(case=case, at=at, phone=digits[:20], note=storable(note.strip()), made_by=by, made_at=now, next_at=at)
    insert(row)
    cases.note_step(case, Step.CALL_SET, by=by, now=now, details={"at": at.isoformat(), "note": first_line(row.note)})
    audit.record(action="case.call_planned", by=by, subject=case, now=now, details={"call": row.pk})
    cases.save(case, now=now)
    return row


@transaction.atomic
def end(*, case_id: int, call_id: int, made: bool, outcome: str, by: Staff, now: datetime) -> CallBack:
    """The call was made, or is not needed any more; ending twice is the same as once. Raises Refusal."""
    case = cases.lock(case_id)
    row = CallBack.objects.select_for_update().filter(pk=call_id, case=case).first()
    if row is None:
        raise Refusal("not_found", _("There is no such call."), status=404)
    if row.state != CallBack.State.OPEN:
        return row
    if made and not outcome.strip():
        raise Refusal("outcome_needed", _("Please say how the call went."), status=400)
    row.state = CallBack.State.DONE if made else CallBack.State.DROPPED
    row.ended_by, row.ended_at, row.outcome, row.next_at = by, now, storable(outcome.strip()), None
    row.save()
    step = Step.CALLED if made else Step.CALL_SET
    cases.note_step(case, step, by=by, now=now, details={"note": first_line(row.outcome)} | ({} if made else {"dropped": True}))
    audit.record(action="case.call_ended", by=by, subject=case, now=now, details={"call": row.pk, "state": row.state})
    cases.save(case, now=now)
    return row


@transaction.atomic
def ring(*, now: datetime) -> int:
    """Tell of the calls that are due; returns how many, at most BATCH. Two sweeps at once tell of each once."""
    due = CallBack.objects.filter(state=CallBack.State.OPEN, next_at__lte=now).order_by("next_at")
    rows = list(due.select_for_update(skip_locked=True, of=("self",)).select_related("case__guest")[:BATCH])
    for row in rows:
        announce(kind="call_back", payload=_told(row), topics=_hearers(row))
        row.told += 1
        row.next_at = now + AGAIN if row.told < MOST_TOLD else None
        row.save(update_fields=["told", "next_at"])
    return len(rows)


def _told(row: CallBack) -> dict[str, Any]:
    case = row.case
    return {
        "call_id": row.pk,
        "case_id": case.pk,
        "number": case.number,
        "guest_name": case.guest_name,
        "note": first_line(row.note),
        "instruction": first_line(topics.resolved(case.topic).instruction, 240),
    }


def _hearers(row: CallBack) -> list[str]:
    """The ticket's owner, or whoever promised the call, and the group while nobody has the ticket."""
    case = row.case
    if case.owner_id:
        return [staff_topic(case.owner_id)]
    return [staff_topic(row.made_by_id), f"group:{case.group_id}"]
