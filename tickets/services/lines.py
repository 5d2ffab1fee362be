"""Which line of the shipped escalation maps each branch of the shipped topics has."""

import json
from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from escalation.models import MapLine
from escalation.services import defaults as maps
from tickets.models import Topic

DATA = Path(__file__).resolve().parent.parent / "data" / "lines.json"
Facts = Mapping[str, Any]


def load_maps(*, now: datetime) -> Mapping[str, int]:
    """Add the shipped maps; how many of each kind are new, those without news left out."""
    return {f"escalation {kind}": number for kind, number in maps.load(now=now).items() if number}


def load(add: Callable[..., None], known: Collection[str]) -> None:
    """Give shipped topics their lines, each once in the life of a base; a topic that has a line keeps it. As in a shipment."""
    for facts in _wanted(known):
        add("topic line", _set_line, facts)


def _wanted(known: Collection[str]) -> Iterator[Facts]:
    shipped = json.loads(DATA.read_text("utf-8"))
    own = {facts["code"] for facts in shipped["topics"]}
    yield from shipped["topics"]
    for code in Topic.objects.filter(parent=None).exclude(code__in=own).order_by("pk").values_list("code", flat=True):
        if f"default:topic:{code}" in known:  # a supervisor's own branch is the supervisor's matter
            yield {"code": code, "line": shipped["branches"]}


def _set_line(facts: Facts) -> None:
    line = MapLine.objects.filter(code=facts["line"]).first()
    Topic.objects.filter(code=facts["code"], line=None).update(line=line)
