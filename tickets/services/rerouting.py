"""A ticket goes another way: another topic, store, group or person, always with the reason."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from accounts.models import Group, Staff
from accounts.rights import Right
from core import audit
from core.refusal import Refusal
from stores.models import Store
from tickets.models import Case, Topic
from tickets.services import asked, cases, handovers, subjects, terms, topics, ways
from tickets.services.ways import Way
from tickets.states import CaseState, Step


@dataclass(frozen=True)
class Change:
    """What is to be different; None = as it is. With a group or person named, the rules are not asked."""

    topic: Topic | None = None
    store: Store | None = None
    group: Group | None = None
    person: Staff | None = None


@transaction.atomic
def reroute(*, case_id: int, change: Change, by: Staff, reason: str, now: datetime, details: Mapping[str, object] | None = None) -> Case:
    """Change topic, store, group or person of an open ticket; the ticket is routed anew unless the group is named.

    `details` are what a new topic asks for and the ticket does not know yet, by code; None = nothing is asked for (many tickets at once).
    Raises Refusal: no reason, nothing to change, closed ticket, switched-off topic or group, absent person, missing store or detail,
    no route.
    """
    if not reason.strip():
        raise Refusal("reason_needed", _("Please say why the ticket goes another way."), status=400)
    _check(change)
    case = cases.lock(case_id)
    if case.state == CaseState.CLOSED:
        raise Refusal("wrong_state", _("The ticket is closed."))
    before = _words(case)
    is_new = _reclassify(case, change, details, by=by, reason=reason, now=now)
    if not is_new and change.group in (None, case.group) and change.person in (None, case.owner):
        raise Refusal("nothing_changes", _("Nothing would change: choose another topic, store, group or person."), status=400)
    way = _way(case, change, now=now)
    _send(case, way, named=change.group is not None or change.person is not None, now=now)
    told = {"reason": reason, "from": before, "way": way.reason}
    case.routing = {**case.routing, **way.told(), "rerouted": reason, "rerouted_by": by.full_name}
    terms.reconsider(case, by=by, now=now)
    cases.note_step(case, Step.ROUTED, by=by, now=now, details=told)
    audit.record(action="case.routed", by=by, subject=case, now=now, details={"group": case.group_id, "reason": reason})
    cases.save(case, now=now)
    return case


def _check(change: Change) -> None:
    if change == Change():
        raise Refusal("nothing_changes", _("Nothing would change: choose another topic, store, group or person."), status=400)
    if change.topic is not None and not change.topic.is_active:
        raise Refusal("topic_off", _("This topic is not used any more. Please choose another one."))
    if change.group is not None and not change.group.is_active:
        raise Refusal("group_off", _("This group is not in use any more. Please choose another one."))
    if change.person is not None and not (change.person.is_active and change.person.has_right(Right.CASES_WORK)):
        raise Refusal("absent", _("This person does not work here any more, or does not work on tickets."))


def _reclassify(case: Case, change: Change, details: Mapping[str, object] | None, *, by: Staff, reason: str, now: datetime) -> bool:
    """Another topic or store; whether there was one."""
    is_new_store = change.store is not None and change.store.pk != case.store_id
    is_new_topic = change.topic is not None and change.topic.pk != case.topic_id
    if change.store is not None:
        case.store = change.store
    if change.topic is not None and is_new_topic:
        if topics.resolved(change.topic).store_required and case.store_id is None:
            raise Refusal("store_needed", _("Please name the store: tickets on this topic need it."), status=400)
        if details is not None:
            case.details = asked.carried(case, change.topic, details, now=now)
        told = {"from": case.topic.name, "to": change.topic.name, "reason": reason}
        case.topic = change.topic
        subjects.note_topic(case.session, change.topic)
        cases.note_step(case, Step.RECLASSIFIED, by=by, now=now, details=told)
        audit.record(action="case.reclassified", by=by, subject=case, now=now, details=told)
    return is_new_topic or is_new_store


def _way(case: Case, change: Change, *, now: datetime) -> Way:
    """By the rules, or as the person says."""
    if change.group is None and change.person is None:
        return ways.choose(case.topic, store=case.store, channel=case.session.account.kind, priority=case.priority, now=now)
    group = change.group or case.group
    reason: dict[str, Any] = {"group": group.name, "named": True} | ({"person": change.person.full_name} if change.person else {})
    return Way(topic=topics.resolved(case.topic), group_id=group.pk, to_store=False, owner=change.person, reason=reason)


def _send(case: Case, way: Way, *, named: bool, now: datetime) -> None:
    """The locked ticket into its new hands. A group that has it already keeps it with its owner, unless somebody named the group."""
    if not named and way.group_id == case.group_id and not way.to_store and not case.at_store:
        return
    cases.move(case, CaseState.ROUTED)
    case.group, case.owner, case.at_store = Group.objects.get(pk=way.group_id), way.owner, way.to_store
    if way.to_store:
        cases.move(case, CaseState.WAITING_STORE)
    elif way.owner is not None:
        cases.move(case, CaseState.IN_WORK)
    handovers.restart(case, now=now)


def _words(case: Case) -> str:
    """Where the ticket is, for its history."""
    if case.at_store and case.store:
        return str(case.store)
    return f"{case.group.name} · {case.owner.full_name}" if case.owner else case.group.name
