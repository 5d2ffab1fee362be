"""The escalation of a ticket at the desk: who is asked now, what comes next and when, “I am on it”."""

from datetime import datetime
from typing import Any

from django.utils.translation import gettext_lazy as _

from accounts.models import Staff
from accounts.rights import Right
from core.commands import Answer
from core.refusal import Refusal
from escalation.banners import Banner, banner_of
from escalation.selectors import find_open_run
from escalation.services import runs, taking
from tickets.models import Case
from worklist.selectors import find_item
from worklist.states import Kind
from workstation.entrances import command
from workstation.feed import moment


def escalation_context(case: Case, staff: Staff) -> dict[str, Any]:
    """What the banner of a ticket shows; empty when nothing is called out."""
    banner = banner_of(case.clock_subject, staff=staff)
    if banner is None:
        return {"escalation": None}
    works = staff.has_right(Right.CASES_WORK)
    return {
        "escalation": banner,
        "escalation_times": _times(banner),
        "escalation_history": [(moment(line.at), line.text, line.late) for line in banner.history],
        "may_take_escalation": works and not banner.is_taken and case.owner_id in (None, staff.pk),
        "may_confirm_escalation": works and banner.is_mine,
        "may_climb_escalation": works and not banner.is_top,
    }


def _times(banner: Banner) -> dict[str, str]:
    named = {"next": banner.next_at, "reaction": banner.reaction_due, "deal": banner.deal_due}
    return {name: moment(at) for name, at in named.items() if at is not None}


def _run_of(by: Staff, subject_id: int) -> int:
    """The running ladder of a ticket that the person sees. Raises Refusal (404)."""
    find_item(staff=by, kind=Kind.CASE, subject_id=subject_id)
    run = find_open_run(f"case:{subject_id}")
    if run is None:
        raise Refusal("not_escalated", _("This ticket is not called out any more."), status=404)
    return run.pk


@command("desk.escalation_take", right=Right.CASES_WORK)
def take(*, subject_id: int, by: Staff, now: datetime, **_rest: Any) -> Answer:
    """“I am on it”: the ticket and its escalation are the person's."""
    taking.take(run_id=_run_of(by, subject_id), by=by, now=now)
    return {"ok": True}


@command("desk.escalation_confirm", right=Right.CASES_WORK)
def confirm(*, subject_id: int, by: Staff, now: datetime, **_rest: Any) -> Answer:
    runs.confirm(run_id=_run_of(by, subject_id), by=by, now=now)
    return {"ok": True}


@command("desk.escalation_climb", right=Right.CASES_WORK)
def climb(*, subject_id: int, fields: Any, by: Staff, now: datetime, **_rest: Any) -> Answer:
    """To the next level by decision, with the reason."""
    runs.climb(run_id=_run_of(by, subject_id), by=by, reason=fields.get("reason", ""), now=now)
    return {"ok": True}
