"""The ticket of an incident itself: routed, clocked and escalated by its topic and priority as any, without a guest.

Its dialogue is one among ourselves (docs/adr/0014): notes, the store's answer and approvals stand there.
"""

from collections.abc import Iterable
from datetime import datetime

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Count
from django.utils import translation
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from accounts.models import Staff
from core.refusal import Refusal
from omni.services import inner
from tickets.models import Case, Incident, Topic, Watcher
from tickets.services import cases, opening
from tickets.states import CaseState, Cause, Step

log = structlog.get_logger(__name__)


def open_for(incident: Incident, *, by: Staff, now: datetime) -> Case | None:
    """The incident's own ticket, followed by the incident's group. None = nobody is responsible for its topic, nor for its tickets'."""
    for topic in _topics(incident):
        try:
            with transaction.atomic():
                return _open(incident, topic, by=by, now=now)
        except Refusal as refusal:
            log.info("an incident's ticket cannot be opened on a topic", incident=incident.pk, topic=topic.code, code=refusal.code)
    return None


def _topics(incident: Incident) -> Iterable[Topic]:
    """The branch itself, then the topics of its tickets, the most frequent first."""
    yield incident.branch
    members = Case.objects.filter(incidents__incident=incident, incidents__removed_at=None).exclude(topic=incident.branch_id)
    often = members.values_list("topic").annotate(number=Count("pk")).order_by("-number", "topic")[:5]
    for topic_id, _number in often:
        yield Topic.objects.get(pk=topic_id)


def _open(incident: Incident, topic: Topic, *, by: Staff, now: datetime) -> Case:
    with translation.override(settings.LANGUAGE_CODE):
        named = {"number": incident.number, "place": incident.store or incident.region}
        session = inner.open_dialogue(key=f"incident:{incident.pk}", name=_("Incident № %(number)s: %(place)s") % named, now=now)
        summary = _told(incident)
    case = opening.open_in(session, topic=topic, by=by, now=now, store=incident.store, summary=summary, priority=incident.priority)
    _follow(case, incident, now=now)
    cases.note_step(case, Step.LINKED, by=by, now=now, details={"incident": incident.number})
    return case


def _told(incident: Incident) -> str:
    """The matter in words."""
    since = date_format(localtime(incident.since), "SHORT_DATETIME_FORMAT")
    told = {"topic": incident.branch, "seen": incident.seen, "since": since, "usual": f"{incident.usual:g}"}
    return _("%(topic)s: %(seen)d tickets since %(since)s, where %(usual)s are usual.") % told


def _follow(case: Case, incident: Incident, *, now: datetime) -> None:
    """The people of the incident's group hear of each step; whoever does not want to stops following."""
    people = Staff.objects.filter(is_active=True, memberships__group=incident.group_id).distinct().order_by("pk")
    Watcher.objects.bulk_create([Watcher(case=case, staff=person, since=now) for person in people], ignore_conflicts=True)


def end(incident: Incident, *, cause: Cause, by: Staff, now: datetime) -> None:
    """Close the incident's own ticket; one of a guest that leads it is left as it is. Raises what the closing raises."""
    main = incident.main
    if main is not None and main.guest_id is None and main.state != CaseState.CLOSED:
        cases.close(case_id=main.pk, cause=cause, by=by, now=now)
