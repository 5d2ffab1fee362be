"""The tickets of a confirmed incident are parts of the one that leads it: its own, or where none could be opened the first guest's."""

from datetime import datetime

import structlog
from django.db.models import Exists, OuterRef

from accounts.models import Staff
from core.refusal import Refusal
from tickets.models import Case, CaseLink, Incident
from tickets.services import linking
from tickets.states import CaseState

log = structlog.get_logger(__name__)
BATCH = 500
Kind = CaseLink.Kind


def leading(incident: Incident) -> Case | None:
    """The first ticket that told of it, is open and is no part of another one; None = there is none."""
    members = Case.objects.filter(incidents__incident=incident, incidents__removed_at=None).exclude(state=CaseState.CLOSED)
    is_part = CaseLink.objects.filter(case=OuterRef("pk"), kind=Kind.CHILD, undone_at=None)
    return members.filter(~Exists(is_part)).order_by("opened_at", "pk").first()


def hang(*, now: datetime) -> int:
    """Put the tickets of confirmed incidents under the leading ones; how many are new. Each by itself; what a person undid stays so."""
    going_on = Incident.objects.filter(state=Incident.State.OPEN, main__isnull=False, confirmed_by__isnull=False)
    return sum(_hang(incident, now=now) for incident in going_on.select_related("confirmed_by"))


def _hang(incident: Incident, *, now: datetime) -> int:
    assert incident.main_id is not None
    was = CaseLink.objects.filter(case=OuterRef("pk"), main=incident.main_id, kind=Kind.CHILD)
    is_part = CaseLink.objects.filter(case=OuterRef("pk"), kind=Kind.CHILD, undone_at=None)
    members = Case.objects.filter(incidents__incident=incident, incidents__removed_at=None).exclude(pk=incident.main_id)
    loose = members.filter(~Exists(was), ~Exists(is_part)).order_by("pk").values_list("pk", flat=True)[:BATCH]
    return sum(_link(incident, case_id, now=now) for case_id in loose)


def _link(incident: Incident, case_id: int, *, now: datetime) -> bool:
    assert incident.main_id is not None
    assert incident.confirmed_by is not None
    try:
        linking.link(case_id=case_id, main_id=incident.main_id, kind=Kind.CHILD, by=incident.confirmed_by, now=now)
    except Refusal as refusal:  # somebody has linked it otherwise at this moment
        log.info("a ticket is no part of its incident", case=case_id, code=refusal.code)
        return False
    return True


def part(incident: Incident, case_id: int, *, by: Staff, now: datetime) -> None:
    """A ticket that was taken out of the incident is no part of its leading ticket any more."""
    link = CaseLink.objects.filter(case=case_id, main=incident.main_id, kind=Kind.CHILD, undone_at=None).first()
    if link is not None:
        linking.undo(link_id=link.pk, by=by, now=now)
