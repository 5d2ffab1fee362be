"""The maps that come with the product: roles without people yet, lines after the catalogue of alerts."""

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from django.db import transaction

from accounts.models import Group
from core import audit
from core.locks import serialise
from core.models import AuditEntry
from escalation.models import DutyRole, EscalationMap, MapLine, MapStep
from escalation.services import limits
from escalation.states import StepKind

DATA = Path(__file__).resolve().parent.parent / "data" / "maps.json"
_ADDED = "defaults.added"
_PREFIX = "default:escalation-"
Facts = Mapping[str, Any]


def load(*, now: datetime) -> Mapping[str, int]:
    """Add the shipped roles, maps and lines that were never added before; returns how many of each kind are new.

    Each is added once in the life of a base: what was changed stays changed, what was deleted stays away.
    """
    shipped, added = json.loads(DATA.read_text("utf-8")), {"role": 0, "map": 0, "line": 0}
    with transaction.atomic():
        serialise("shipped escalation maps")
        limits.current()
        known = set(AuditEntry.objects.filter(action=_ADDED, subject__startswith=_PREFIX).values_list("subject", flat=True))

        new: list[str] = []

        def add(kind: str, facts: Facts, make: Callable[[Facts], object]) -> None:
            subject = f"{_PREFIX}{kind}:{facts['code']}"
            if subject not in known:
                make(facts)
                new.append(subject)
                added[kind] += 1

        for role in shipped["roles"]:
            add("role", role, _add_role)
        for of in shipped["maps"]:
            add("map", of, lambda facts: _add_map(facts, now))
            for position, line in enumerate(of["lines"]):
                add("line", line, lambda facts, of=of, position=position: _add_line(facts, of["code"], position))  # type: ignore[misc]
        audit.record_all(action=_ADDED, subjects=new, now=now)
    return added


def _add_role(facts: Facts) -> None:
    group = Group.objects.filter(code=facts.get("group", "")).first()
    DutyRole.objects.get_or_create(code=facts["code"], defaults={"name": facts["name"], "name_en": facts["name_en"], "group": group})


def _add_map(facts: Facts, now: datetime) -> None:
    # Shipped is not reviewed: the map stands as out of date until its owner has read it.
    EscalationMap.objects.get_or_create(code=facts["code"], defaults={"name": facts["name"], "about": facts["about"]})


def _add_line(facts: Facts, map_code: str, position: int) -> None:
    """A map that a supervisor removed takes its lines with it."""
    of = EscalationMap.objects.filter(code=map_code).first()
    if of is None:
        return
    fields = {name: facts[name] for name in ("name", "severity", "signals", "may_do", "chat", "message") if name in facts}
    minutes = {f"{name}_minutes": facts.get(name) for name in ("reaction", "deal", "update")}
    line, made = MapLine.objects.get_or_create(code=facts["code"], defaults={"map": of, "position": position, **fields, **minutes})
    if made:
        MapStep.objects.bulk_create(
            _step(line, level, number, step) for level, steps in enumerate(facts["levels"], 1) for number, step in enumerate(steps)
        )


def _step(line: MapLine, level: int, number: int, step: list[Any]) -> MapStep:
    """`["role", code]`, `["wait", minutes]`, or a kind that needs nothing."""
    made = MapStep(line=line, level=level, position=number, kind=StepKind(step[0]))
    if made.kind == StepKind.ROLE:
        made.role = DutyRole.objects.get(code=step[1])
    elif made.kind == StepKind.WAIT:
        made.minutes = step[1]
    return made
