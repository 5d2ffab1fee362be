"""Bursts: too many like tickets of one store or region, against its own base, draft an incident; later ones hang under it too."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import IntegrityError, connection, transaction

from core import audit
from core.live import announce
from tickets.bursting import is_burst
from tickets.models import BurstRule, Case, CasePrint, Incident, IncidentCase, Scope
from tickets.routing import resolve
from tickets.services import cases, counting, opening, topics
from tickets.states import Step

_SEEN = """
select {place}, p.branch_id, count(*), min(p.opened_at) from tickets_caseprint p join stores_store s on s.id = p.store_id
where p.opened_at > %(since)s and p.opened_at <= %(now)s group by 1, 2 having count(*) >= %(least)s
"""
_PLACES = {Scope.STORE: "s.id", Scope.REGION: "s.region_id"}
LIVE = (Incident.State.DRAFT, Incident.State.OPEN)


@dataclass(frozen=True)
class Seen:
    place: int
    branch: int
    number: int
    since: datetime


def watch(*, now: datetime) -> list[Incident]:
    """Draft an incident for each burst that none stands for yet, and hang new tickets under those that do. Returns the drafts."""
    made = [incident for rule in BurstRule.objects.filter(is_on=True).order_by("pk") for incident in _judge(rule, now=now)]
    for incident in Incident.objects.filter(state__in=LIVE):
        add_members(incident, now=now)
    return made


def _judge(rule: BurstRule, *, now: datetime) -> list[Incident]:
    since = now - timedelta(minutes=rule.minutes)
    scope = Scope(rule.scope)
    found = [one for one in _seen(rule, scope, since, now=now) if _is_for(rule, one.branch)]
    if not found:
        return []
    base = counting.usual(scope, {(one.place, one.branch) for one in found}, since=since, now=now, weeks=rule.weeks)
    if base is None:
        return []
    made = []
    for one in found:
        usual = base.get((one.place, one.branch), 0.0)
        if is_burst(one.number, usual, at_least=rule.at_least, times=rule.times):
            incident = _draft(rule, one, usual, now=now)
            made += [incident] if incident else []
    return made


def _seen(rule: BurstRule, scope: Scope, since: datetime, *, now: datetime) -> Sequence[Seen]:
    with connection.cursor() as cursor:
        cursor.execute(_SEEN.format(place=_PLACES[scope]), {"since": since, "now": now, "least": rule.at_least})
        return [Seen(*row) for row in cursor.fetchall()]


def _is_for(rule: BurstRule, branch: int) -> bool:
    if rule.branch_id is not None:
        return rule.branch_id == branch
    return not BurstRule.objects.filter(scope=rule.scope, branch=branch).exists()


def _draft(rule: BurstRule, one: Seen, usual: float, *, now: datetime) -> Incident | None:
    """None = an incident of this place and branch stands already, or a person has said within the same burst that there is none."""
    scope = Scope(rule.scope)
    place: Mapping[str, int] = {f"{scope}_id": one.place}
    known = Incident.objects.filter(scope=scope, branch_id=one.branch, **place)
    if known.filter(state__in=LIVE).exists() or known.filter(ended_at__gte=one.since).exists():
        return None
    group = resolve(one.branch, topics.facts()).group_id or _group_of_newest(scope, one)
    facts = {
        "scope": scope, "branch_id": one.branch, "group_id": group, "seen": one.number, "usual": round(usual, 2), "since": one.since,
        "priority": rule.priority,
    }  # fmt: skip
    try:
        with transaction.atomic():
            made = Incident.objects.create(number=opening.next_number(), made_at=now, **facts, **place)
            audit.record(action="incident.drafted", by=None, subject=made, now=now, details={"seen": one.number, "usual": made.usual})
            add_members(made, now=now)
            tell(made)
    except IntegrityError:  # another worker was quicker
        return None
    return made


def _group_of_newest(scope: Scope, one: Seen) -> int:
    newest = CasePrint.objects.filter(branch=one.branch, opened_at__gte=one.since, **_where(scope, one.place)).order_by("-opened_at")
    return int(newest.values_list("case__group_id", flat=True)[0])


def _where(scope: str, place: int) -> Mapping[str, int]:
    return {"store_id": place} if scope == Scope.STORE else {"store__region_id": place}


def add_members(incident: Incident, *, now: datetime) -> int:
    """Hang the place's tickets of the branch since the beginning under the incident; how many are new. One taken away stays away."""
    place = incident.store_id if incident.scope == Scope.STORE else incident.region_id
    prints = CasePrint.objects.filter(branch=incident.branch_id, opened_at__gte=incident.since, **_where(incident.scope, place or 0))
    fresh = prints.exclude(case__incidents__incident=incident).order_by("pk").values_list("pk", flat=True)[:1000]
    return sum(_add(incident, case_id, now=now) for case_id in fresh)


@transaction.atomic
def _add(incident: Incident, case_id: int, *, now: datetime) -> bool:
    case = cases.lock(case_id)
    _member, made = IncidentCase.objects.get_or_create(incident=incident, case=case, defaults={"at": now})
    if made:
        cases.note_step(case, Step.LINKED, by=None, now=now, details={"incident": incident.number})
    return made


def tell(incident: Incident) -> None:
    """A notice on the screens of the group."""
    told = {"incident_id": incident.pk, "number": incident.number, "state": incident.state}
    announce(kind="incident", payload=told, topics=[f"group:{incident.group_id}"])


def members_of(incident: Incident) -> list[Case]:
    """The tickets that hang under it, the newest first."""
    found = Case.objects.filter(incidents__incident=incident, incidents__removed_at=None).select_related("guest", "store", "topic")
    return list(found.order_by("-opened_at"))
