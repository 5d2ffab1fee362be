"""Which tickets a mass job works on, and which it cannot: a slice at a time, only what its author may see."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.utils.translation import gettext_lazy as _

from accounts.models import Staff
from core.refusal import Refusal
from omni.models import Session
from omni.services import answering, continuing
from omni.states import SessionState
from tickets.models import Case, CaseLink, IncidentCase, MassItem, MassJob
from tickets.services import mass_deeds
from worklist.models import Item
from worklist.selectors import Filters, list_items
from worklist.states import ItemState, Kind, Sort, Tab

SLICE = 500
State = MassItem.State


def begun(incident_id: int | None, case_ids: Sequence[int], fields: Mapping[str, Any] | None, *, by: Staff) -> dict[str, Any]:
    """The choice as the job keeps it, nothing gathered yet. Raises Refusal for a list that is none."""
    if fields is None:
        return {"incident": incident_id, "at": 0} if incident_id else {"cases": sorted(set(case_ids)), "at": 0}
    kept = {name: fields[name] for name in ("tab", "channel", "group", "store") if fields.get(name)}
    list_items(staff=by, tab=str(kept.get("tab", Tab.ALL)), sort=Sort.NEWEST, filters=_filters(kept), limit=1)
    return {"filter": kept, "cursor": ""}


def _filters(kept: Mapping[str, Any]) -> Filters:
    return Filters(kind=Kind.CASE, channel=kept.get("channel", ""), store_id=kept.get("store"), group_id=kept.get("group"))


def gather(job: MassJob, *, now: datetime) -> bool:
    """Add the next tickets to the locked job; False = these were all."""
    found, more = _next(job)
    answered = set(job.items.exclude(state=State.LEFT_OUT).values_list("session_id", flat=True)) if job.text else set()
    cases = Case.objects.select_related("guest", "session__account", "session__identity__consent", "session__queue").in_bulk(found)
    made = [_item(job, cases[pk], answered, now=now) for pk in found if pk in cases]
    MassItem.objects.bulk_create(made, ignore_conflicts=True)
    return more


def _next(job: MassJob) -> tuple[list[int], bool]:
    """Ids of the next tickets, and whether more may follow; the job's place moves on."""
    if "filter" in job.chosen:
        return _next_of_list(job)
    ids, at = _all_of(job), job.chosen["at"]
    part = ids[at : at + SLICE]
    job.chosen = {**job.chosen, "at": at + SLICE}
    seen = Item.objects.visible_to(job.made_by).filter(kind=Kind.CASE, subject_id__in=part).values_list("subject_id", flat=True)
    return sorted(seen), at + SLICE < len(ids)


def _next_of_list(job: MassJob) -> tuple[list[int], bool]:
    kept, cursor = job.chosen["filter"], job.chosen["cursor"]
    page = list_items(
        staff=job.made_by, tab=str(kept.get("tab", Tab.ALL)), sort=Sort.NEWEST, filters=_filters(kept), cursor=cursor, limit=SLICE
    )
    job.chosen = {**job.chosen, "cursor": page.next_cursor or ""}
    # Tickets that come while the list is walked stand before the cursor: they are not part of the choice.
    open_ones = [item.subject_id for item in page.items if item.state != ItemState.CLOSED]
    return open_ones, page.next_cursor is not None


def _all_of(job: MassJob) -> list[int]:
    if not job.chosen.get("incident"):
        return list(job.chosen["cases"])
    members = IncidentCase.objects.filter(incident=job.chosen["incident"], removed_at=None).values_list("case_id", flat=True)
    ids = set(members)
    if job.text:  # whoever asked the same is answered too, each in the own channel
        joined = CaseLink.objects.filter(kind=CaseLink.Kind.DUPLICATE, undone_at=None)
        fresh = ids
        while fresh := set(joined.filter(main__in=fresh).values_list("case_id", flat=True)) - ids:
            ids |= fresh
    return sorted(ids)


def _item(job: MassJob, case: Case, answered: set[int | None], *, now: datetime) -> MassItem:
    made = MassItem(job=job, case=case, channel=case.session.account.kind)
    if not job.text:
        return made
    session = case.session if case.session.state != SessionState.CLOSED else continuing.goes_on_in(case.session)
    if job.kind == MassJob.Kind.CLOSE and session.pk in answered:  # it closes, too; its guest is told by the other one
        return made
    made.session_id = session.pk
    refusal = _obstacle(job, case, session, answered, now=now)
    if refusal is None:
        answered.add(session.pk)
    else:
        made.state, made.code, made.reason, made.at = State.LEFT_OUT, refusal.code, str(refusal.text)[:240], now
    return made


def _obstacle(job: MassJob, case: Case, session: Session, answered: set[int | None], *, now: datetime) -> Refusal | None:
    """Why this guest will not be reached in the dialogue."""
    if session.pk in answered:
        return Refusal("same_dialogue", _("The guest is answered on another ticket of the same dialogue."))
    if refusal := mass_deeds.unwanted(session):
        return refusal
    by_template = mass_deeds.template_for(job, session, now=now) is not None
    text = "…" if by_template else mass_deeds.text_for(job, case)
    return answering.refusal_of(session, text, now=now, approved_text=by_template, even_closed=True)
