"""The settings that come with the product: roles, groups, promises, queues, topics, ready answers."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time
from pathlib import Path
from typing import Any, TypeVar, cast

from django.db import transaction
from django.db.models import Model

from accounts.models import Group, Role
from core import audit, shipped
from core.locks import serialise
from core.models import AuditEntry
from customers.models import MatchRule
from loyalty.services import defaults as points
from omni.models import BreakKind, DeclineReason, Queue, Skill
from sla.models import Calendar, Policy, WorkingInterval
from tickets.models import AnswerTemplate, Topic
from tickets.services import default_life, default_likeness, joined_topics, kept, lines, routebook, topics

DATA = Path(__file__).resolve().parent.parent / "data"
_ADDED = "defaults.added"
_PREFIX = "default:"
Facts = Mapping[str, Any]
M = TypeVar("M", bound=Model)


@dataclass
class _Shipment:
    """One loading. `known` are the subjects that were added at some time; `added` counts what is new, by kind."""

    now: datetime
    known: set[str]
    added: dict[str, int] = field(default_factory=dict)
    _new: list[str] = field(default_factory=list)
    _found: dict[tuple[type[Model], str], Model] = field(default_factory=dict)

    def add(self, kind: str, make: Callable[..., object], facts: Facts, *arguments: object) -> None:
        code = facts["code"]
        subject = f"{_PREFIX}{kind}:{code}"
        if subject in self.known:
            return
        make(facts, *arguments)
        self._new.append(subject)
        self.known.add(subject)
        self.added[kind] = self.added.get(kind, 0) + 1

    def write_down(self) -> None:
        """Remember for the life of the base what was added."""
        audit.record_all(action=_ADDED, subjects=self._new, now=self.now)

    def find(self, model: type[M], code: str | None) -> M | None:
        """What another shipped thing names, read once; None where a supervisor removed it, or for no code."""
        if code is None:
            return None
        found = self._found.get((model, code)) or cast(Any, model._default_manager).filter(code=code).first()
        if found is not None:
            self._found[model, code] = found
        return cast(M | None, found)


def load(*, now: datetime) -> Mapping[str, int]:
    """Add the shipped settings that were never added before; returns how many of each kind are new.

    Each is added once in the life of a base: what a supervisor changed stays changed, what was deleted stays away. A thing that
    somebody already made under the same code counts as added.
    """
    with transaction.atomic():
        serialise("shipped defaults")
        known = set(AuditEntry.objects.filter(action=_ADDED, subject__startswith=_PREFIX).values_list("subject", flat=True))
        shipment = _Shipment(now=now, known=known)
        _load_people(shipment)
        _load_presence(shipment)
        _load_promises(shipment)
        _load_topics(shipment)
        for facts in _read("joined"):
            shipment.add("joined topic", joined_topics.ship, facts)
        _load_templates(shipment)
        default_life.load(shipment, _read("life"), _read("topics"))
        _load_matching(shipment)
        maps = lines.load_maps(now=now)
        lines.load(shipment.add, shipment.known)
        default_likeness.ship(shipment.add)
        shipment.write_down()
        topics.forget()
        routebook.forget()
        if shipment.added:
            kept.changed()
        return {**shipment.added, **maps, **points.load(now=now), **shipped.load_all(now=now)}


def _read(name: str) -> Any:
    return json.loads((DATA / f"{name}.json").read_text("utf-8"))


def _load_people(shipment: _Shipment) -> None:
    staff = _read("staff")
    for facts in staff["roles"]:
        shipment.add("role", _add_role, facts)
    for facts in staff["groups"]:
        shipment.add("group", _add_group, facts)


def _add_role(facts: Facts) -> None:
    Role.objects.get_or_create(code=facts["code"], defaults=facts)


def _add_group(facts: Facts) -> None:
    Group.objects.get_or_create(code=facts["code"], defaults=facts)


def _load_presence(shipment: _Shipment) -> None:
    """Kinds of break, reasons to decline an offer, skills."""
    presence = _read("presence")
    kinds: Sequence[tuple[str, str, type[Model]]] = [
        ("break", "breaks", BreakKind),
        ("decline reason", "decline_reasons", DeclineReason),
        ("skill", "skills", Skill),
    ]
    for kind, place, model in kinds:
        for facts in presence[place]:
            shipment.add(kind, _add_by_code, facts, model)


def _add_by_code(facts: Facts, model: type[Model]) -> None:
    model._default_manager.get_or_create(code=facts["code"], defaults=facts)


def _load_promises(shipment: _Shipment) -> None:
    promises = _read("promises")
    for facts in promises["calendars"]:
        shipment.add("calendar", _add_calendar, facts)
    for facts in promises["policies"]:
        shipment.add("policy", _add_policy, facts)
    for facts in promises["queues"]:
        shipment.add("queue", _add_queue, facts)


def _add_calendar(facts: Facts) -> None:
    fields = {"name": facts["name"], "time_zone": facts["time_zone"]}
    calendar, made = Calendar.objects.get_or_create(code=facts["code"], defaults=fields)
    if made:
        WorkingInterval.objects.bulk_create(_intervals(calendar, facts["days"], facts["hours"]))


def _intervals(calendar: Calendar, days: Sequence[int], hours: Sequence[Sequence[str]]) -> Iterator[WorkingInterval]:
    for day in days:
        for starts, ends in hours:
            yield WorkingInterval(calendar=calendar, weekday=day, starts=time.fromisoformat(starts), ends=time.fromisoformat(ends))


def _add_policy(facts: Facts) -> None:
    fields = {**facts, "calendar": Calendar.objects.get(code=facts["calendar"])}
    Policy.objects.get_or_create(code=facts["code"], defaults=fields)


def _add_queue(facts: Facts) -> None:
    group, policy = Group.objects.get(code=facts["group"]), Policy.objects.get(code=facts["policy"])
    Queue.objects.get_or_create(code=facts["code"], defaults={**facts, "group": group, "policy": policy})


def _load_topics(shipment: _Shipment) -> None:
    for position, branch in enumerate(_read("topics")):
        shipment.add("topic", _add_topic, branch, None, position, shipment)
        for place, leaf in enumerate(branch["children"]):
            shipment.add("topic", _add_topic, leaf, branch["code"], place, shipment)


def _add_topic(facts: Facts, parent: str | None, position: int, shipment: _Shipment) -> None:
    """A parent, group or policy that a supervisor removed leaves its place empty: it is then inherited."""
    fields = {
        "name": facts["name"],
        "name_en": facts["en"],
        "parent": shipment.find(Topic, parent),
        "group": shipment.find(Group, facts.get("group")),
        "policy": shipment.find(Policy, facts.get("policy")),
        "store_involved": facts.get("store_involved"),
        "store_required": facts.get("store_required"),
        "needs_approval": facts.get("needs_approval"),
        "instruction": facts.get("instruction", ""),
        "position": position,
    }
    Topic.objects.get_or_create(code=facts["code"], defaults=fields)


def _load_templates(shipment: _Shipment) -> None:
    for position, facts in enumerate(_read("templates")):
        shipment.add("template", _add_template, facts, position, shipment)


def _add_template(facts: Facts, position: int, shipment: _Shipment) -> None:
    topic = shipment.find(Topic, facts["topic"])
    if topic is not None or facts["topic"] is None:
        AnswerTemplate.objects.create(topic=topic, name=facts["name"], text=facts["text"], position=position)


def _load_matching(shipment: _Shipment) -> None:
    for facts in _read("matching"):
        shipment.add("match_rule", _add_match_rule, facts)


def _add_match_rule(facts: Facts) -> None:
    MatchRule.objects.get_or_create(code=facts["code"], defaults=facts)
