"""What people do with an incident: confirm or reject a draft, take tickets out and put them in, close it."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from accounts.models import Staff
from accounts.rights import Right
from core import audit
from core.refusal import Refusal
from tickets.models import Incident, IncidentCase, MassJob
from tickets.services import bursts, cases, incident_parts, incident_tickets, mass
from tickets.states import Cause, Step

State = Incident.State


@dataclass(frozen=True)
class Ending:
    """How an incident ends: the cause of its own ticket, and of its members' if they close too; `text` is then told to each guest."""

    cause: Cause = Cause.SOLVED
    with_members: bool = False
    text: str = ""


_PLAIN = Ending()


def find(*, staff: Staff, incident_id: int) -> Incident:
    """An incident of the person's groups. Raises Refusal (404)."""
    found = Incident.objects.select_related("branch", "store", "region", "group").filter(pk=incident_id).first()
    if found is None or not (staff.has_right(Right.EVERYTHING) or found.group_id in staff.group_ids):
        raise Refusal("not_found", _("There is no such incident, or you may not see it."), status=404)
    return found


def _locked(incident_id: int, *states: Incident.State) -> Incident:
    incident = Incident.objects.select_for_update(of=("self",), no_key=True).filter(pk=incident_id).first()
    if incident is None:
        raise Refusal("not_found", _("There is no such incident, or you may not see it."), status=404)
    if incident.state not in states:
        raise Refusal("wrong_state", _("Somebody has decided about this incident meanwhile. Please look at it again."))
    return incident


@transaction.atomic
def confirm(*, incident_id: int, by: Staff, now: datetime) -> Incident:
    """It is an incident: a ticket of its own is opened, a sweep puts its tickets under that. Raises Refusal: no draft any more.

    Where nobody is responsible for such a ticket, its first open one leads.
    """
    incident = _locked(incident_id, State.DRAFT)
    incident.state, incident.confirmed_at, incident.confirmed_by = State.OPEN, now, by
    incident.main = incident_tickets.open_for(incident, by=by, now=now) or incident_parts.leading(incident)
    incident.save(update_fields=["state", "confirmed_at", "confirmed_by", "main"])
    audit.record(action="incident.confirmed", by=by, subject=incident, now=now)
    bursts.tell(incident)
    return incident


@transaction.atomic
def reject(*, incident_id: int, by: Staff, now: datetime) -> Incident:
    """It is none: its tickets go on as they were. Raises Refusal: no draft any more."""
    return _end(_locked(incident_id, State.DRAFT), State.REJECTED, by=by, now=now)


@transaction.atomic
def close(*, incident_id: int, by: Staff, now: datetime, ending: Ending = _PLAIN) -> Incident:
    """It is over: its own ticket closes, and if wished a mass job that begins by itself closes its members (`closing_job`).

    Raises Refusal: not confirmed, an answer without closing, what the closing of its ticket or the job refuses.
    """
    incident = _locked(incident_id, State.OPEN)
    text = ending.text.strip()
    if text and not ending.with_members:
        raise Refusal("choose", _("The answer goes out with the closing of the tickets: choose that, too."), status=400)
    incident_tickets.end(incident, cause=ending.cause, by=by, now=now)
    if ending.with_members:
        incident.closing_job = _closing_job(incident, ending.cause, text, by=by, now=now)
        incident.save(update_fields=["closing_job"])
    return _end(incident, State.CLOSED, by=by, now=now)


def _closing_job(incident: Incident, cause: Cause, text: str, *, by: Staff, now: datetime) -> MassJob:
    chosen, params = mass.Chosen(incident_id=incident.pk), {"cause": cause.value}
    return mass.make(kind=MassJob.Kind.CLOSE, chosen=chosen, text=text, params=params, by=by, now=now, begins_itself=True)


def _end(incident: Incident, state: Incident.State, *, by: Staff, now: datetime) -> Incident:
    incident.state, incident.ended_at, incident.ended_by = state, now, by
    incident.save(update_fields=["state", "ended_at", "ended_by"])
    audit.record(action=f"incident.{state}", by=by, subject=incident, now=now)
    if state == State.REJECTED:
        for case_id in incident.members.filter(removed_at=None).order_by("case").values_list("case_id", flat=True):
            _take_out(incident, case_id, by=by, now=now)
    bursts.tell(incident)
    return incident


@transaction.atomic
def take_out(*, incident_id: int, case_id: int, by: Staff, now: datetime) -> None:
    """The ticket is about something else; it stays out. Raises Refusal."""
    incident = _locked(incident_id, State.DRAFT, State.OPEN)
    if not _take_out(incident, case_id, by=by, now=now):
        raise Refusal("not_found", _("This ticket does not hang under the incident."), status=404)


def _take_out(incident: Incident, case_id: int, *, by: Staff, now: datetime) -> bool:
    taken = IncidentCase.objects.filter(incident=incident, case=case_id, removed_at=None).update(removed_at=now, removed_by=by)
    if taken:
        incident_parts.part(incident, case_id, by=by, now=now)
        cases.note_step(cases.lock(case_id), Step.UNLINKED, by=by, now=now, details={"incident": incident.number})
        audit.record(action="incident.case_out", by=by, subject=incident, now=now, details={"case": case_id})
    return bool(taken)


@transaction.atomic
def put_in(*, incident_id: int, case_id: int, by: Staff, now: datetime) -> None:
    """The ticket tells of this incident too. Doing it twice is the same as once. Raises Refusal."""
    incident = _locked(incident_id, State.DRAFT, State.OPEN)
    case = cases.lock(case_id)
    member, made = IncidentCase.objects.get_or_create(incident=incident, case=case, defaults={"at": now})
    if made or member.removed_at is not None:
        IncidentCase.objects.filter(pk=member.pk).update(removed_at=None, removed_by=None)
        cases.note_step(case, Step.LINKED, by=by, now=now, details={"incident": incident.number})
        audit.record(action="incident.case_in", by=by, subject=incident, now=now, details={"case": case_id})
