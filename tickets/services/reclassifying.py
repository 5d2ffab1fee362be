"""A ticket gets another topic, and with it another group where the topic says so."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from accounts.models import Group, Staff
from core import audit
from core.refusal import Refusal
from tickets.models import Case, Topic
from tickets.services import cases, topics
from tickets.states import CaseState, Step


@transaction.atomic
def reclassify(*, case_id: int, topic: Topic, reason: str, by: Staff, now: datetime) -> Case:
    """Raises Refusal: the ticket is closed, the topic is switched off, wants a store that the ticket has not, or has no group."""
    case = cases.lock(case_id)
    way = topics.resolved(topic)
    if case.state == CaseState.CLOSED:
        raise Refusal("wrong_state", _("The ticket is closed."))
    if not topic.is_active:
        raise Refusal("topic_off", _("This topic is not used any more. Please choose another one."))
    if way.store_required and case.store_id is None:
        raise Refusal("store_needed", _("Please name the store: tickets on this topic need it."), status=400)
    if way.group_id is None:
        raise Refusal("no_route", _("No group or SLA policy is set for this topic. Please tell your supervisor."))
    if case.topic_id == topic.pk:
        return case
    details = {"from": case.topic.code, "to": topic.code, "reason": reason}
    case.topic, case.routing = topic, {**case.routing, "path": list(way.path), "sources": dict(way.sources)}
    cases.note_step(case, Step.RECLASSIFIED, by=by, now=now, details=details)
    audit.record(action="case.reclassified", by=by, subject=case, now=now, details=details)
    cases.save(case, now=now)
    if case.group_id == way.group_id:
        return case
    return cases.route(case_id=case_id, group=Group.objects.get(pk=way.group_id), by=by, reason=reason, now=now)
