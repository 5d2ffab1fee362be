"""Reads of mass jobs and incidents."""

from collections.abc import Mapping, Sequence

from django.db.models import Count
from django.utils.translation import gettext_lazy as _

from accounts.models import Staff
from accounts.rights import Right
from core.refusal import Refusal
from tickets.models import Incident, MassItem, MassJob

SHOWN = 50
LIVE = (Incident.State.DRAFT, Incident.State.OPEN)


def list_jobs(staff: Staff) -> Sequence[MassJob]:
    """The newest jobs: one's own, and everybody's for who sees everything."""
    jobs = MassJob.objects.select_related("made_by").order_by("-made_at")
    return list((jobs if staff.has_right(Right.EVERYTHING) else jobs.filter(made_by=staff))[:SHOWN])


def find_job(*, staff: Staff, job_id: int) -> MassJob:
    """A job that the person may see. Raises Refusal (404)."""
    job = MassJob.objects.select_related("made_by").filter(pk=job_id).first()
    if job is None or not (staff.has_right(Right.EVERYTHING) or job.made_by_id == staff.pk):
        raise Refusal("not_found", _("There is no such job, or you may not see it."), status=404)
    return job


def summary(job: MassJob) -> tuple[Mapping[str, int], Mapping[str, int]]:
    """Tickets by channel (without those left out), and by the reason why not."""
    kept = job.items.exclude(state=MassItem.State.LEFT_OUT).values("channel").annotate(number=Count("pk")).order_by("-number")
    without = job.items.exclude(code="").values("reason").annotate(number=Count("pk")).order_by("-number")
    return {row["channel"]: row["number"] for row in kept}, {row["reason"]: row["number"] for row in without}


def list_unreached(job: MassJob, limit: int = 200) -> Sequence[MassItem]:
    """Tickets that were left out or refused."""
    return list(job.items.exclude(code="").select_related("case__guest").order_by("pk")[:limit])


def list_incidents(staff: Staff) -> Sequence[Incident]:
    """Incidents of the person's groups that go on, drafts first, the newest first."""
    found = Incident.objects.filter(state__in=LIVE).select_related("branch", "store", "region", "group", "main__group", "main__owner")
    if not staff.has_right(Right.EVERYTHING):
        found = found.filter(group__in=staff.group_ids)
    return list(found.annotate(number_of_cases=Count("members")).order_by("state", "-made_at")[:SHOWN])
