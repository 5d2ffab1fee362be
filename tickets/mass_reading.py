"""Reads of mass jobs and incidents."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count
from django.utils.translation import gettext_lazy as _

from accounts.models import Staff
from accounts.rights import Right
from core.refusal import Refusal
from omni.models import Session
from tickets.models import Case, Incident, MassItem, MassJob
from tickets.services import guest_news, mass_deeds

SHOWN = 50
EXAMPLES = 3
LOOKED_AT = 60
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


@dataclass(frozen=True)
class Example:
    """The job's text as the guest of one of its tickets will read it."""

    case: Case
    channel: str
    language: str
    """Two letters: as the guest writes, else as is known of the guest."""
    text: str
    is_approved: bool
    """An approved text goes out, since the channel's reply window is over."""


def list_examples(job: MassJob, *, now: datetime) -> Sequence[Example]:
    """Up to three answers that the job will send: of as many channels as there are, then of other languages. Empty = it says nothing."""
    if not job.text:
        return []
    waiting = job.items.filter(state=MassItem.State.WAITING, session_id__isnull=False)
    firsts = list(waiting.order_by("channel", "pk").distinct("channel").values_list("pk", flat=True)[:EXAMPLES])
    nexts = list(waiting.order_by("pk").values_list("pk", flat=True)[:LOOKED_AT])
    items = {one.pk: one for one in waiting.filter(pk__in={*firsts, *nexts}).select_related("case__guest", "case__session")}
    ranked = [items[pk] for pk in dict.fromkeys([*firsts, *nexts]) if pk in items]
    return [one for item in _unlike(ranked) if (one := _example(job, item, now=now)) is not None]


def _unlike(items: Sequence[MassItem]) -> list[MassItem]:
    """The first ones that differ in channel or language, filled up by the others; in the order of their tickets."""
    seen: dict[tuple[str, str], MassItem] = {}
    for item in items:
        seen.setdefault((item.channel, guest_news.language_of(item.case)), item)
    chosen = [*seen.values(), *(item for item in items if item not in seen.values())][:EXAMPLES]
    return sorted(chosen, key=lambda item: item.pk)


def _example(job: MassJob, item: MassItem, *, now: datetime) -> Example | None:
    assert item.session_id is not None, "of a job that speaks to the ticket's guest"
    session = Session.objects.select_related("account", "identity").get(pk=item.session_id)
    try:
        text, is_approved = mass_deeds.words_for(job, item.case, session, now=now)
    except Refusal:  # it is refused when its turn comes, and the page says so
        return None
    return Example(item.case, item.channel, guest_news.language_of(item.case), text, is_approved)


def list_incidents(staff: Staff) -> Sequence[Incident]:
    """Incidents of the person's groups that go on, drafts first, the newest first."""
    found = Incident.objects.filter(state__in=LIVE).select_related("branch", "store", "region", "group", "main__group", "main__owner")
    if not staff.has_right(Right.EVERYTHING):
        found = found.filter(group__in=staff.group_ids)
    return list(found.annotate(number_of_cases=Count("members")).order_by("state", "-made_at")[:SHOWN])
