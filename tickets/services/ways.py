"""Where a ticket goes, decided with what is true at this moment, and why in a form that screens turn into words."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.utils.translation import gettext_lazy as _

from accounts.models import Staff
from accounts.rights import Right
from core.refusal import Refusal
from stores.models import Store
from tickets.models import Topic
from tickets.routing import Resolved
from tickets.rules import Ask, Outcome, Place, decide, least_loaded
from tickets.services import route_loads, routebook, topics
from tickets.services.routebook import RouteBook, book


@dataclass
class Way:
    """The decision. `reason` is kept with the ticket: rule, loads, stand-ins, by their names at this moment."""

    topic: Resolved
    group_id: int
    to_store: bool
    owner: Staff | None = None
    reason: dict[str, Any] = field(default_factory=dict)

    def told(self) -> dict[str, Any]:
        """As it is kept in `case.routing`."""
        return {"path": list(self.topic.path), "sources": dict(self.topic.sources), "to_store": self.to_store, "way": self.reason}


def place_of(store: Store | None) -> Place | None:
    """The store as rules see it."""
    if store is None:
        return None
    return Place(id=store.pk, region_id=store.region_id, chain_id=store.chain_id, cluster_id=store.cluster_id, zone=store.time_zone)


def choose(topic: Topic, *, store: Store | None, channel: str, priority: int, now: datetime) -> Way:
    """The way of a ticket on the topic. Raises Refusal: nobody is responsible, or whoever is has been switched off without a stand-in."""
    topics.resolved(topic)
    ask = Ask(topic_id=topic.pk, at=now, place=place_of(store), channel=channel, priority=priority)
    rules = book()
    outcome = decide(ask, topics.facts(), rules.rules)
    if not set(outcome.group_ids) <= set(rules.groups):  # a group made since this process read them
        routebook.forget()
        rules = book()
        outcome = decide(ask, topics.facts(), rules.rules)
    reason: dict[str, Any] = {}
    if outcome.rule is not None:
        reason["rule"] = {"id": outcome.rule.id, "name": outcome.rule.name}
    group_id = _pick(_in_use(outcome, rules, reason), rules, reason)
    way = Way(topic=outcome.topic, group_id=group_id, to_store=outcome.to_store, reason=reason)
    reason["group"] = rules.groups[group_id].name
    _find_owner(way, outcome, reason)
    return way


def _in_use(outcome: Outcome, rules: RouteBook, reason: dict[str, Any]) -> list[int]:
    """The groups that can have the ticket; each that cannot is replaced by its stand-in. Raises Refusal."""
    wanted: Sequence[int | None] = outcome.group_ids or (None,)
    found = [stand_in(group_id, rules, reason) for group_id in wanted]
    usable = list(dict.fromkeys(group_id for group_id in found if group_id is not None))
    if usable:
        return usable
    if not outcome.group_ids:
        raise Refusal("no_route", _("No group or SLA policy is set for this topic. Please tell your supervisor."))
    raise Refusal("no_route", _("The group of this topic is not in use any more. Please tell your supervisor."))


def stand_in(group_id: int | None, rules: RouteBook, reason: dict[str, Any]) -> int | None:
    """The group itself, or who stands in while it is off, gone or empty. None = nobody can have the ticket.

    An empty group without a stand-in keeps its tickets: somebody may come back to it.
    """
    passed: list[int | None] = []
    here = group_id
    while here not in passed:
        passed.append(here)
        group = rules.groups.get(here) if here is not None else None
        is_off = group is None or not group.is_active
        if group is not None and not is_off and (group.members or here not in rules.stand_ins):
            if len(passed) > 1:
                reason["stand_in"] = {"for": _name(rules, group_id), "why": _why(rules, group_id)}
            elif not group.members:
                reason["empty"] = True
            return here
        if here not in rules.stand_ins:
            return None
        here = rules.stand_ins[here]
    return None


def _name(rules: RouteBook, group_id: int | None) -> str:
    return rules.groups[group_id].name if group_id is not None and group_id in rules.groups else ""


def _why(rules: RouteBook, group_id: int | None) -> str:
    group = rules.groups.get(group_id) if group_id is not None else None
    if group is None:
        return "none"
    return "empty" if group.is_active else "off"


def _pick(group_ids: Sequence[int], rules: RouteBook, reason: dict[str, Any]) -> int:
    """One of equals: the least loaded."""
    if len(group_ids) == 1:
        return group_ids[0]
    loads = route_loads.of_groups(group_ids)
    reason["equals"] = [{"group": rules.groups[load.id].name, "open": load.open, "capacity": load.capacity} for load in loads]
    least = least_loaded(loads)
    return least.id if least else group_ids[0]


def _find_owner(way: Way, outcome: Outcome, reason: dict[str, Any]) -> None:
    """The rule's person, or the least loaded of the group; nobody when they cannot take it."""
    if outcome.person_id is not None:
        person = Staff.objects.get(pk=outcome.person_id)
        if person.is_active and person.has_right(Right.CASES_WORK):
            way.owner, reason["person"] = person, person.full_name
        else:
            reason["absent"] = person.full_name
    elif outcome.shares:
        least = least_loaded(route_loads.of_people(way.group_id))
        if least is None:
            reason["nobody_on_line"] = True
            return
        way.owner = Staff.objects.get(pk=least.id)
        reason["person"], reason["load"] = way.owner.full_name, {"open": least.open, "capacity": least.capacity}
