"""Mass jobs and incidents: plain pages, each command a form with its own key."""

import uuid
from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST, require_safe

from accounts.entrance import require
from accounts.rights import Right
from core.commands import Answer, once, parse_key
from core.refusal import Refusal
from tickets import mass_reading
from tickets.models import Incident, MassJob
from tickets.services import bursts, incidents, mass
from tickets.services.incidents import Ending
from tickets.states import Cause
from workstation.entrances import staff_of
from workstation.mass_forms import BY_CHOICE, BY_LIST, MassForm
from workstation.panels import list_clocks
from workstation.wording import channel_names, language_name

JOB_DEEDS = {"start": mass.start, "stop": mass.stop, "drop": mass.drop}
INCIDENT_DEEDS = {"confirm": incidents.confirm, "reject": incidents.reject}
AGAIN_SECONDS = 3
AT_REST = (MassJob.State.READY, MassJob.State.STOPPED)
BUSY = (MassJob.State.GATHERING, MassJob.State.RUNNING)


@require(Right.MASS_WORK)
@require_safe
def jobs(request: HttpRequest) -> HttpResponseBase:
    """Jobs, and the form of a new one."""
    first = {"which": "incident", "incident": request.GET.get("incident", ""), "kind": "answer"}
    return _jobs_page(request, MassForm(staff=staff_of(request), initial=first))


@require(Right.MASS_WORK)
@require_POST
def chosen(request: HttpRequest) -> HttpResponseBase:
    """The form for tickets chosen in the desk's list: their ids as `cases`, or the whole list by `tab` and `channel`. Nothing is made."""
    given = request.POST
    which = {"which": BY_CHOICE, "cases": given["cases"]} if given.get("cases") else {"which": BY_LIST}
    first = {**which, "tab": given.get("tab", ""), "channel": given.get("channel", ""), "kind": "answer"}
    return _jobs_page(request, MassForm(staff=staff_of(request), initial=first))


def _jobs_page(request: HttpRequest, form: MassForm, fault: str = "", status: int = 200) -> HttpResponse:
    context = {"form": form, "fault": fault, "jobs": mass_reading.list_jobs(staff_of(request)), "key": uuid.uuid4()}
    return render(request, "workstation/mass.html", context, status=status)


@require(Right.MASS_WORK)
@require_POST
def make(request: HttpRequest) -> HttpResponseBase:
    """A new job; what is wrong stands above the form as it was filled in."""
    staff = staff_of(request)
    form = MassForm(request.POST, staff=staff)
    if not form.is_valid():
        return _jobs_page(request, form, status=400)
    kind, text = MassJob.Kind(form.cleaned_data["kind"]), form.cleaned_data["text"]

    def run() -> Answer:
        chosen = form.chosen()
        if chosen.incident_id is not None:
            incidents.find(staff=staff, incident_id=chosen.incident_id)
        return {"id": mass.make(kind=kind, chosen=chosen, text=text, params=form.params(), by=staff, now=timezone.now()).pk}

    try:
        made = once(key=parse_key(request.POST.get("key")), name="desk.mass.make", by=staff, run=run)
    except Refusal as refusal:
        return _jobs_page(request, form, fault=str(refusal.text), status=refusal.status)
    return redirect("desk_mass_job", job_id=made["id"])


@require(Right.MASS_WORK)
@require_safe
def job(request: HttpRequest, job_id: int) -> HttpResponseBase:
    """Who gets it, who is left out and why, how far it is; a page of a job at work reads itself again."""
    found = mass_reading.find_job(staff=staff_of(request), job_id=job_id)
    channels, reasons = mass_reading.summary(found)
    names, moves = channel_names(), mass.MOVES[found.state]
    examples = mass_reading.list_examples(found, now=timezone.now()) if found.state in AT_REST else []
    context = {
        "job": found,
        "channels": [(names.get(kind, kind), number) for kind, number in channels.items()],
        "reasons": list(reasons.items()),
        "examples": [(one, names.get(one.channel, one.channel), language_name(one.language)) for one in examples],
        "unreached": mass_reading.list_unreached(found),
        "may": {name for name, state in _LEADS_TO.items() if state in moves},
        "ready": found.total - found.left_out,
        "progress": found.done + found.refused,
        "key": uuid.uuid4(),
    }
    answer = render(request, "workstation/mass_job.html", context)
    if found.state in BUSY:
        answer.headers["Refresh"] = str(AGAIN_SECONDS)
    return answer


_LEADS_TO = {"start": MassJob.State.RUNNING, "stop": MassJob.State.STOPPED, "drop": MassJob.State.DROPPED}


@require(Right.MASS_WORK)
@require_POST
def job_deed(request: HttpRequest, job_id: int, deed: str) -> HttpResponseBase:
    """Start, stop, drop."""
    mass_reading.find_job(staff=staff_of(request), job_id=job_id)
    _carry_out(request, f"desk.mass.{deed}:{job_id}", JOB_DEEDS.get(deed), job_id=job_id)
    return redirect("desk_mass_job", job_id=job_id)


@require(Right.CASES_READ)
@require_safe
def incidents_page(request: HttpRequest) -> HttpResponseBase:
    """Drafts and confirmed incidents of the person's groups with their tickets."""
    staff = staff_of(request)
    now = timezone.now()
    found = [_shown(one, now=now) for one in mass_reading.list_incidents(staff)]
    context = {"found": found, "decides": staff.has_right(Right.MASS_WORK), "causes": Cause.choices, "key": uuid.uuid4()}
    return render(request, "workstation/incidents.html", context)


def _shown(one: Incident, *, now: datetime) -> dict[str, Any]:
    """The incident, its tickets, the promises of the one that leads."""
    return {"incident": one, "cases": bursts.members_of(one), "clocks": list_clocks(one.main, now=now) if one.main else []}


@require(Right.MASS_WORK)
@require_POST
def incident_deed(request: HttpRequest, incident_id: int, deed: str) -> HttpResponseBase:
    """Confirm, reject, close. A closing that closes its tickets goes on to their job."""
    incidents.find(staff=staff_of(request), incident_id=incident_id)
    name, which = f"desk.incident.{deed}:{incident_id}", {"incident_id": incident_id}
    if deed != "close":
        _carry_out(request, name, INCIDENT_DEEDS.get(deed), **which)
        return redirect("desk_incidents")
    _carry_out(request, name, incidents.close, **which, ending=_ending(request))
    job_id = Incident.objects.values_list("closing_job", flat=True).get(pk=incident_id)
    return redirect("desk_mass_job", job_id=job_id) if job_id else redirect("desk_incidents")


def _ending(request: HttpRequest) -> Ending:
    """As the form says. Raises Refusal."""
    cause = request.POST.get("cause", Cause.SOLVED.value)
    if cause not in Cause.values:
        raise Refusal("choose", _("Please choose from the list."), status=400)
    return Ending(Cause(cause), bool(request.POST.get("members")), request.POST.get("text", ""))


def _carry_out(request: HttpRequest, name: str, deed: Callable[..., Any] | None, **which: Any) -> None:
    """Raises Refusal."""
    if deed is None:
        raise Refusal("not_found", _("There is nothing here."), status=404)
    staff = staff_of(request)

    def run() -> Answer:
        deed(**which, by=staff, now=timezone.now())
        return {"ok": True}

    once(key=parse_key(request.POST.get("key")), name=name, by=staff, run=run)
