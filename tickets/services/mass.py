"""Mass jobs: made, gathered and carried out a slice at a time, stopped and resumed. Rows say how far each has come."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from accounts.models import Staff
from accounts.rights import Right
from core import audit
from core.live import announce, staff_topic
from core.refusal import Refusal
from core.text import first_line, storable
from omni import dispatch
from tickets.models import MassItem, MassJob
from tickets.services import mass_deeds, mass_gathering, mass_items

CARRY_ON = "tickets.tasks.carry_on_mass_jobs"
Kind, State = MassJob.Kind, MassJob.State
MOVES: Mapping[str, frozenset[str]] = {
    State.GATHERING: frozenset({State.READY, State.DROPPED}),
    State.READY: frozenset({State.RUNNING, State.DROPPED}),
    State.RUNNING: frozenset({State.STOPPED, State.DONE}),
    State.STOPPED: frozenset({State.RUNNING, State.DROPPED}),
    State.DONE: frozenset(),
    State.DROPPED: frozenset(),
}


@dataclass(frozen=True)
class Chosen:
    """Which tickets: those of an incident, or these ids, or all of a list (`filter` as the list's own fields). One of the three."""

    incident_id: int | None = None
    case_ids: tuple[int, ...] = ()
    filter: Mapping[str, Any] | None = None


@transaction.atomic
def make(
    *,
    kind: MassJob.Kind,
    chosen: Chosen,
    by: Staff,
    now: datetime,
    text: str = "",
    params: Mapping[str, Any] | None = None,
    begins_itself: bool = False,
) -> MassJob:
    """A job whose tickets are gathered in the background; nothing happens to them before somebody starts it, or all are gathered.

    A closing with a text answers each guest first, and closes no ticket whose guest it cannot reach.

    `params` by kind: topic, group, owner, cause, main (ids or codes), reason; of an answer `templates`: account id -> approved text with
    values. Raises Refusal: no right, nothing chosen, an empty text, a value that is not there.
    """
    if not by.has_right(Right.MASS_WORK):
        raise Refusal("not_allowed", _("Your role does not allow work on many tickets at once."), status=403)
    if sum((chosen.incident_id is not None, bool(chosen.case_ids), chosen.filter is not None)) != 1:
        raise Refusal("nothing_chosen", _("Choose tickets: an incident's, the ones of a list, or by their numbers."), status=400)
    said = storable(text).strip() if kind in mass_deeds.SPEAKING else ""
    kept = mass_deeds.checked(kind, said, dict(params or {})) | ({"begins_itself": True} if begins_itself else {})
    which = mass_gathering.begun(chosen.incident_id, chosen.case_ids, chosen.filter, by=by)
    title = first_line(text, 120) if kind == Kind.ANSWER else mass_deeds.in_words(kind, kept)
    job = MassJob.objects.create(kind=kind, text=said, params=kept, chosen=which, title=title, made_at=now, made_by=by)
    audit.record(action="mass_job.made", by=by, subject=job, now=now, details={"kind": kind, "params": kept, "chosen": _short(which)})
    dispatch.wake(CARRY_ON)
    return job


def _short(which: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value if name != "cases" else len(value) for name, value in which.items()}


@transaction.atomic
def start(*, job_id: int, by: Staff, now: datetime) -> MassJob:
    """Begin, or go on after a stop. Raises Refusal: it is not ready, or over."""
    job = _move(job_id, State.RUNNING, by=by, now=now)
    if job.started_at is None:
        MassJob.objects.filter(pk=job.pk).update(started_at=now)
    dispatch.wake(CARRY_ON)
    return job


@transaction.atomic
def stop(*, job_id: int, by: Staff, now: datetime) -> MassJob:
    """No further ticket is begun; the one under way is finished. Raises Refusal: it does not run."""
    return _move(job_id, State.STOPPED, by=by, now=now)


@transaction.atomic
def drop(*, job_id: int, by: Staff, now: datetime) -> MassJob:
    """The job will not run (any more); what is done stays done. Raises Refusal: it runs, or is over."""
    job = _move(job_id, State.DROPPED, by=by, now=now)
    MassJob.objects.filter(pk=job.pk).update(ended_at=now)
    return job


def _move(job_id: int, state: MassJob.State, *, by: Staff | None, now: datetime) -> MassJob:
    job = MassJob.objects.select_for_update(of=("self",)).filter(pk=job_id).first()
    if job is None:
        raise Refusal("not_found", _("There is no such job."), status=404)
    if state not in MOVES[job.state]:
        raise Refusal("wrong_state", _("The job cannot do this in its present state. Please look at it again."))
    job.state = state
    job.save(update_fields=["state"])
    audit.record(action=f"mass_job.{state}", by=by, subject=job, now=now)
    tell(job)
    return job


def tell(job: MassJob) -> None:
    """Tell the screens of whoever made it how far it is."""
    told = {"job_id": job.pk, "state": job.state, "total": job.total, "done": job.done, "refused": job.refused}
    announce(kind="mass_job", payload=told, topics=[staff_topic(job.made_by_id)])


def carry_on(*, now: datetime) -> bool:
    """A slice of every job that has something left, in turn; whether anything was done. Safe with any number of workers and kills."""
    due = list(MassJob.objects.filter(state__in=[State.GATHERING, State.RUNNING]).order_by("pk").values_list("pk", "state"))
    done = [_slice(job_id, state, now=now) for job_id, state in due]
    return any(done)


def _slice(job_id: int, state: str, *, now: datetime) -> bool:
    if state == State.GATHERING:
        return _gather(job_id, now=now)
    worked = mass_items.work(job_id)
    with transaction.atomic():
        job = MassJob.objects.select_for_update(of=("self",)).get(pk=job_id)
        if job.state == State.RUNNING and not job.items.filter(state=MassItem.State.WAITING).exists():
            _move(job_id, State.DONE, by=None, now=now)
            MassJob.objects.filter(pk=job_id).update(ended_at=now)
        elif worked:
            tell(job)
    return worked > 0


@transaction.atomic
def _gather(job_id: int, *, now: datetime) -> bool:
    job = MassJob.objects.select_for_update(of=("self",), skip_locked=True).select_related("made_by").filter(pk=job_id).first()
    if job is None or job.state != State.GATHERING:
        return False
    if not mass_gathering.gather(job, now=now):
        job.state = State.READY
    job.total = job.items.count()
    job.left_out = job.items.filter(state=MassItem.State.LEFT_OUT).count()
    job.save(update_fields=["state", "total", "left_out", "chosen"])
    tell(job)
    if job.state == State.READY and job.params.get("begins_itself"):
        start(job_id=job.pk, by=job.made_by, now=now)
    return True
