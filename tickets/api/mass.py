"""Mass jobs and incidents for other systems."""

from collections.abc import Callable
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.rights import Right
from core.refusal import Refusal
from omni.api.entrance import FAULTS, KEY, checked, once, staff_of
from tickets import mass_reading
from tickets.models import Incident, MassJob
from tickets.services import bursts, incidents, mass
from tickets.services.incidents import Ending
from tickets.states import Cause

JOB_DEEDS = {"start": mass.start, "stop": mass.stop, "drop": mass.drop}
INCIDENT_DEEDS: dict[str, Callable[..., Incident]] = {"confirm": incidents.confirm, "reject": incidents.reject, "close": incidents.close}


class EndingInput(serializers.Serializer[Any]):
    """Of `close` only. `members` = its tickets close too, with the same cause; `text` is then told to each guest in the own channel."""

    cause = serializers.ChoiceField(choices=Cause.choices, default=Cause.SOLVED.value)
    members = serializers.BooleanField(default=False)
    text = serializers.CharField(max_length=10_000, allow_blank=True, default="")


class FilterInput(serializers.Serializer[Any]):
    tab = serializers.CharField(default="all")
    channel = serializers.CharField(required=False, max_length=24)
    group = serializers.IntegerField(required=False, min_value=1)
    store = serializers.IntegerField(required=False, min_value=1)


class JobInput(serializers.Serializer[Any]):
    """One of `incident`, `cases`, `filter` says which tickets. `params` by kind: topic, group, owner, main (ids), cause, reason;
    of an answer, or a closing with a text, `templates`: {account id: {"template": id, "values": [...]}} for reply windows that are over."""

    kind = serializers.ChoiceField(choices=MassJob.Kind.choices)
    incident = serializers.IntegerField(required=False, min_value=1)
    cases = serializers.ListField(child=serializers.IntegerField(min_value=1), required=False, max_length=100_000)
    filter = FilterInput(required=False)
    text = serializers.CharField(required=False, max_length=10_000, allow_blank=True, default="")
    params = serializers.DictField(required=False, default=dict)


class JobOutput(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    kind = serializers.ChoiceField(choices=MassJob.Kind.choices)
    state = serializers.ChoiceField(choices=MassJob.State.choices)
    title = serializers.CharField()
    total = serializers.IntegerField()
    done = serializers.IntegerField()
    refused = serializers.IntegerField()
    left_out = serializers.IntegerField()
    channels = serializers.DictField(child=serializers.IntegerField())
    reasons = serializers.DictField(child=serializers.IntegerField())


class IncidentOutput(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    number = serializers.CharField()
    state = serializers.ChoiceField(choices=Incident.State.choices)
    place = serializers.CharField()
    topic = serializers.CharField()
    seen = serializers.IntegerField()
    usual = serializers.FloatField()
    since = serializers.DateTimeField()
    main = serializers.IntegerField(allow_null=True, help_text="The ticket of a confirmed incident: its own, or the first guest's.")
    closing_job = serializers.IntegerField(allow_null=True, help_text="The job that closes its tickets, if that was wished.")
    cases = serializers.ListField(child=serializers.IntegerField())


class JobsView(APIView):
    rights = {"GET": Right.MASS_WORK, "POST": Right.MASS_WORK}

    @extend_schema(operation_id="mass_jobs_list", responses={200: JobOutput(many=True), **FAULTS})
    def get(self, request: Request) -> Response:
        """The newest jobs."""
        return Response([_job(job) for job in mass_reading.list_jobs(staff_of(request))])

    @extend_schema(operation_id="mass_jobs_make", parameters=[KEY], request=JobInput, responses={201: JobOutput, **FAULTS})
    def post(self, request: Request) -> Response:
        """Make a job: its tickets are gathered, and nothing happens to them before it is started."""
        wanted, staff = checked(JobInput, request.data), staff_of(request)
        if wanted.get("incident"):
            incidents.find(staff=staff, incident_id=wanted["incident"])
        chosen = mass.Chosen(wanted.get("incident"), tuple(wanted.get("cases") or ()), wanted.get("filter"))

        def make() -> dict[str, Any]:
            given = {"text": wanted["text"], "params": wanted["params"], "by": staff, "now": timezone.now()}
            return _job(mass.make(kind=MassJob.Kind(wanted["kind"]), chosen=chosen, **given))

        return Response(once(request, "api.mass.make", make), status=201)


class JobView(APIView):
    rights = {"GET": Right.MASS_WORK}

    @extend_schema(operation_id="mass_jobs_get", responses={200: JobOutput, **FAULTS})
    def get(self, request: Request, job_id: int) -> Response:
        """Who gets it or is changed, who is left out and why, how far it is."""
        return Response(_job(mass_reading.find_job(staff=staff_of(request), job_id=job_id)))


class JobDeedView(APIView):
    rights = {"POST": Right.MASS_WORK}

    @extend_schema(operation_id="mass_jobs_do", parameters=[KEY], request=None, responses={200: JobOutput, **FAULTS})
    def post(self, request: Request, job_id: int, deed: str) -> Response:
        """`start` (also after a stop), `stop` or `drop` the job."""
        staff = staff_of(request)
        mass_reading.find_job(staff=staff, job_id=job_id)
        if deed not in JOB_DEEDS:
            raise Refusal("not_found", "", status=404)
        run = lambda: _job(JOB_DEEDS[deed](job_id=job_id, by=staff, now=timezone.now()))  # noqa: E731  one line
        return Response(once(request, f"api.mass.{deed}:{job_id}", run))


class IncidentsView(APIView):
    rights = {"GET": Right.CASES_READ}

    @extend_schema(operation_id="incidents_list", responses={200: IncidentOutput(many=True), **FAULTS})
    def get(self, request: Request) -> Response:
        """Drafts and confirmed incidents of the caller's groups."""
        return Response([_incident(one) for one in mass_reading.list_incidents(staff_of(request))])


class IncidentDeedView(APIView):
    rights = {"POST": Right.MASS_WORK}

    @extend_schema(operation_id="incidents_do", parameters=[KEY], request=EndingInput, responses={200: IncidentOutput, **FAULTS})
    def post(self, request: Request, incident_id: int, deed: str) -> Response:
        """`confirm` or `reject` a draft, `close` a confirmed one."""
        staff = staff_of(request)
        wanted = checked(EndingInput, request.data or {})
        incidents.find(staff=staff, incident_id=incident_id)
        if deed not in INCIDENT_DEEDS:
            raise Refusal("not_found", "", status=404)
        ending = Ending(Cause(wanted["cause"]), wanted["members"], wanted["text"])
        given = {"ending": ending} if deed == "close" else {}
        run = lambda: _incident(INCIDENT_DEEDS[deed](incident_id=incident_id, by=staff, now=timezone.now(), **given))  # noqa: E731  one line
        return Response(once(request, f"api.incident.{deed}:{incident_id}", run))


def _job(job: MassJob) -> dict[str, Any]:
    channels, reasons = mass_reading.summary(job)
    facts = {name: getattr(job, name) for name in ("kind", "state", "title", "total", "done", "refused", "left_out")}
    return {"id": job.pk, **facts, "channels": dict(channels), "reasons": dict(reasons)}


def _incident(one: Incident) -> dict[str, Any]:
    facts = {name: getattr(one, name) for name in ("number", "state", "seen", "usual")}
    cases = [case.pk for case in bursts.members_of(one)]
    return {
        "id": one.pk,
        **facts,
        "since": one.since.isoformat(),
        "place": str(one.store or one.region),
        "topic": one.branch.code,
        "main": one.main_id,
        "closing_job": one.closing_job_id,
        "cases": cases,
    }
