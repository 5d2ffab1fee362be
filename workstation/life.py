"""A ticket's life at the desk: its details, waits, calls, followers; re-routing and closing with a cause of the branch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from accounts.models import Group, Staff
from accounts.rights import Right
from core.commands import Answer
from core.refusal import Refusal
from stores.models import Store
from tickets.details import DetailSpec
from tickets.models import CallBack, Case, CaseWait, Topic
from tickets.selectors import find_case
from tickets.services import asked, call_backs, cases, closing, priorities, rerouting, topics, waits, watching
from tickets.services.rerouting import Change
from tickets.states import CASE_MOVES, CaseState, Cause
from workstation.entrances import at_desk, command, staff_of
from workstation.feed import moment

Fields = Mapping[str, str]
PREFIX = "detail."


@dataclass(frozen=True)
class CallView:
    id: int
    at: str
    phone: str
    note: str
    is_due: bool


def context_of(case: Case, *, staff: Staff, now: datetime) -> dict[str, Any]:
    """What the panel shows beyond the ticket's head and history."""
    works = staff.has_right(Right.CASES_WORK)
    # Told by the query that opened the ticket, so that nothing is asked for that is not there.
    wait = waits.current(case.pk) if getattr(case, "has_wait", True) else None
    calls = call_backs.list_open(case.pk) if getattr(case, "has_call", True) else []
    return {
        "details": asked.shown(case),
        "instruction": topics.resolved(case.topic).instruction,
        "wait": _wait(wait) if wait else None,
        "calls": [_call(row, now=now) for row in calls],
        "is_watching": staff.pk in (getattr(case, "watched_by", None) or ()),
        "may_plan_call": works and case.state != CaseState.CLOSED,
        "previous": case.previous_id,
    }


def _wait(wait: CaseWait) -> dict[str, str]:
    if wait.next_at is None:
        return {"reason": wait.reason.shown_name, "next": ""}
    reminders = len(wait.reason.remind_after)
    word = _t("The guest is reminded: %(at)s") if wait.reminded < reminders else _t("Closed for silence: %(at)s")
    return {"reason": wait.reason.shown_name, "next": word % {"at": moment(wait.next_at)}}


def _call(row: CallBack, *, now: datetime) -> CallView:
    return CallView(id=row.pk, at=moment(row.at), phone=row.phone, note=row.note, is_due=row.at <= now)


def wait_choices(case: Case) -> list[tuple[str, str]]:
    """Reasons to wait as the form offers them; the bare states where none is set up."""
    reasons = [(f"reason:{one.pk}", f"{one.get_state_display()}: {one.shown_name}") for one in waits.list_reasons(case)]
    states = (CaseState.WAITING_GUEST, CaseState.WAITING_STORE, CaseState.WAITING_THIRD)
    return reasons or [(state.value, str(state.label)) for state in states if state in CASE_MOVES[case.state]]


def cause_choices(case: Case) -> list[tuple[str, str]]:
    """Causes of closing of the ticket's branch; the bare kinds where none is set up."""
    found = [(f"closing:{one.pk}", one.shown_name) for one in closing.list_causes(case.topic_id)]
    return found or [(value, str(label)) for value, label in Cause.choices]


def number_after(text: str, prefix: str) -> int:
    """The number in `prefix:12`; 0 = another kind of text."""
    kind, _colon, number = text.partition(":")
    return int(number) if kind == prefix and number.isdecimal() else 0


def details_of(fields: Fields) -> dict[str, object]:
    """The details of a form for a new ticket."""
    return {name.removeprefix(PREFIX): value for name, value in fields.items() if name.startswith(PREFIX)}


@at_desk
@require_safe
def asks(request: HttpRequest) -> HttpResponseBase:
    """What a ticket on the topic is asked for: `?topic=`; with `?case=` the values that this ticket has already."""
    number, of = request.GET.get("topic", ""), request.GET.get("case", "")
    topic = Topic.objects.filter(pk=int(number) if number.isdecimal() else 0).first()
    if topic is None:
        raise Refusal("topic_unknown", _("There is no such topic."), status=400)
    resolved = topics.resolved(topic)
    known = find_case(staff=staff_of(request), case_id=int(of)).details if of.isdecimal() else {}
    return JsonResponse(
        {
            "store_required": resolved.store_required,
            "instruction": resolved.instruction,
            "details": [_asked(spec, known.get(spec.code, "")) for spec in asked.specs_for(topic)],
        }
    )


def _asked(spec: DetailSpec, value: str) -> dict[str, Any]:
    return {
        "value": value,
        "name": f"{PREFIX}{spec.code}",
        "label": spec.name,
        "kind": spec.kind,
        "required": spec.is_required,
        "hint": spec.hint,
        "options": list(spec.options),
    }


def _chosen(model: Any, fields: Fields, name: str) -> Any:
    """The object that a picker has chosen, None when it is empty. Raises Refusal."""
    text = fields.get(name, "")
    if not text:
        return None
    found = model.objects.filter(pk=int(text)).first() if text.isdecimal() else None
    if found is None:
        raise Refusal("choose", _("Please choose from the list."), status=400)
    return found


def _seen(by: Staff, subject_id: int) -> int:
    """The ticket's id, if the person may see it. Raises Refusal (404)."""
    return find_case(staff=by, case_id=subject_id).pk


@command("desk.reroute", right=Right.CASES_WORK)
def reroute(*, subject_id: int, fields: Fields, by: Staff, now: datetime, **_rest: Any) -> Answer:
    change = Change(
        topic=_chosen(Topic, fields, "topic"),
        store=_chosen(Store, fields, "store"),
        group=_chosen(Group, fields, "group"),
        person=_chosen(Staff, fields, "person"),
    )
    case_id, reason, details = _seen(by, subject_id), fields.get("reason", ""), details_of(fields)
    rerouting.reroute(case_id=case_id, change=change, by=by, reason=reason, now=now, details=details)
    return {"ok": True}


@command("desk.priority", right=Right.CASES_WORK)
def prioritise(*, subject_id: int, fields: Fields, by: Staff, now: datetime, **_rest: Any) -> Answer:
    try:
        priority = int(fields.get("priority", ""))
    except ValueError:
        raise Refusal("choose", _("Please choose from the list."), status=400) from None
    priorities.change(case_id=_seen(by, subject_id), priority=priority, by=by, now=now)
    return {"ok": True}


@command("desk.watch")
def watch(*, subject_id: int, by: Staff, now: datetime, **_rest: Any) -> Answer:
    watching.watch(case_id=_seen(by, subject_id), by=by, now=now)
    return {"ok": True}


@command("desk.unwatch")
def unwatch(*, subject_id: int, by: Staff, now: datetime, **_rest: Any) -> Answer:
    watching.unwatch(case_id=_seen(by, subject_id), by=by, now=now)
    return {"ok": True}


@command("desk.plan_call", right=Right.CASES_WORK)
def plan_call(*, subject_id: int, fields: Fields, by: Staff, now: datetime, **_rest: Any) -> Answer:
    at = parse_datetime(fields.get("at", "").replace(" ", "+"))
    if at is None:
        raise Refusal("bad_time", _("Choose a time within the next 60 days."), status=400)
    aware = at if timezone.is_aware(at) else timezone.make_aware(at)
    phone, note = fields.get("phone", ""), fields.get("note", "")
    row = call_backs.plan(case_id=_seen(by, subject_id), at=aware, phone=phone, note=note, by=by, now=now)
    return {"ok": True, "call_id": row.pk}


@command("desk.end_call", right=Right.CASES_WORK)
def end_call(*, subject_id: int, call_id: int, fields: Fields, by: Staff, now: datetime, **_rest: Any) -> Answer:
    made, outcome = fields.get("dropped") != "1", fields.get("outcome", "")
    call_backs.end(case_id=_seen(by, subject_id), call_id=call_id, made=made, outcome=outcome, by=by, now=now)
    return {"ok": True}


def wait_for(*, case_id: int, choice: str, by: Staff, now: datetime) -> Case:
    """The next step is somebody else's: for a reason, or plainly. Raises Refusal."""
    if reason_id := number_after(choice, "reason"):
        return waits.begin(case_id=case_id, reason_id=reason_id, by=by, now=now)
    return cases.wait_for(case_id=case_id, state=CaseState(choice), by=by, now=now)


def close_with(*, case_id: int, choice: str, note: str, by: Staff, now: datetime) -> Case:
    """Close with a cause of the branch, or with a bare kind where none is set up. Raises Refusal."""
    if closing_id := number_after(choice, "closing"):
        return closing.close(case_id=case_id, closing_id=closing_id, note=note, by=by, now=now)
    if choice not in Cause.values:
        raise Refusal("choose", _("Please choose from the list."), status=400)
    return cases.close(case_id=case_id, cause=Cause(choice), by=by, now=now, note=note)


__all__: Sequence[str] = [
    "asks",
    "close_with",
    "context_of",
    "details_of",
    "end_call",
    "plan_call",
    "reroute",
    "unwatch",
    "wait_for",
    "watch",
]
