"""Reads of what belongs to a ticket: possible duplicates, links, its incident; only what the person may see."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q

from accounts.models import Staff
from customers.models import Guest
from stores.models import Store
from tickets.likeness import Reason
from tickets.models import Case, CaseLink, Incident, Likeness, Topic
from tickets.selectors import find_case
from tickets.services import chains, duplicates
from worklist.models import Item
from worklist.states import Kind

OPEN_LIKE = (Likeness.State.OFFERED,)


@dataclass(frozen=True)
class Alike:
    """A ticket that may be the same matter. `reasons` are sentences with their points."""

    item: Item
    score: int
    reasons: Sequence[tuple[str, int]]


@dataclass(frozen=True)
class Linked:
    """A link seen from one of its tickets. `is_main` = the other one is the main ticket."""

    link: CaseLink
    item: Item
    is_main: bool
    may_undo: bool


def list_alike(*, staff: Staff, case: Case) -> Sequence[Alike]:
    """What may be the same matter as the ticket and is not settled yet, the likeliest first."""
    rows = Likeness.objects.filter(Q(case=case) | Q(other=case), state__in=OPEN_LIKE).order_by("-score", "-pk")[:20]
    found = [(row.other_id if row.case_id == case.pk else row.case_id, row.score, row.reasons) for row in rows]
    return _shown(found, staff)[: duplicates.policy().most_shown]


def ask_alike(*, staff: Staff, guest: Guest, topic: Topic, store: Store | None, text: str, now: datetime) -> Sequence[Alike]:
    """What a ticket that is not opened yet would be like."""
    found = duplicates.ask(guest=guest, topic=topic, store=store, text=text, now=now)
    return _shown([(one.case_id, one.verdict.score, one.verdict.reasons) for one in found], staff)


def _shown(found: Sequence[tuple[int, int, Iterable[Sequence[object]]]], staff: Staff) -> list[Alike]:
    """A joined ticket is shown as its main one; each once; none that the person may not see."""
    ends = {case_id: chains.end_of(case_id) for case_id, _score, _reasons in found}
    items = {item.subject_id: item for item in Item.objects.visible_to(staff).filter(kind=Kind.CASE, subject_id__in=ends.values())}
    shown: dict[int, Alike] = {}
    for case_id, score, reasons in found:
        item = items.get(ends[case_id])
        if item is not None:
            shown.setdefault(item.subject_id, Alike(item, score, in_words(reasons)))
    return list(shown.values())


def in_words(reasons: Iterable[Sequence[object]]) -> Sequence[tuple[str, int]]:
    names = dict(Reason.choices)
    return [(str(names.get(str(code), code)), int(str(points))) for code, points in reasons]


def list_links(*, staff: Staff, case: Case, now: datetime) -> Sequence[Linked]:
    """Links of the ticket, the newest first."""
    since = now - timedelta(days=duplicates.policy().undo_days)
    links = list(CaseLink.objects.filter(Q(case=case) | Q(main=case), undone_at=None).select_related("by").order_by("-at")[:100])
    others = {link.pk: link.main_id if link.case_id == case.pk else link.case_id for link in links}
    items = {item.subject_id: item for item in Item.objects.visible_to(staff).filter(kind=Kind.CASE, subject_id__in=others.values())}
    return [
        Linked(link, items[others[link.pk]], others[link.pk] == link.main_id, link.at > since) for link in links if others[link.pk] in items
    ]


def find_link(*, staff: Staff, link_id: int) -> CaseLink:
    """A link of two tickets that the person sees. Raises Refusal (404)."""
    link = CaseLink.objects.filter(pk=link_id).first()
    for case_id in (link.case_id, link.main_id) if link else (0,):
        find_case(staff=staff, case_id=case_id)
    assert link is not None
    return link


def find_by_number(*, staff: Staff, number: str) -> Case:
    """The ticket with this number, if the person may see it. Raises Refusal (404)."""
    pk = Case.objects.filter(number=number.strip().lstrip("№# ")[:16]).values_list("pk", flat=True).first()
    return find_case(staff=staff, case_id=pk or 0)


def count_members(incident: Incident) -> int:
    """How many tickets hang under it."""
    return incident.members.filter(removed_at=None).count()


def incident_of(case: Case) -> Incident | None:
    """The incident whose own ticket it is, or under which it hangs, the newest one."""
    if case.guest_id is None:
        return Incident.objects.filter(main=case).select_related("main").order_by("-made_at").first()
    member = (
        case.incidents.filter(removed_at=None)
        .exclude(incident__state=Incident.State.REJECTED)
        .order_by("-at")
        .select_related("incident__main")
        .first()
    )
    return member.incident if member else None
