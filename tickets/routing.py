"""Where a ticket goes by its topic, and why: pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

INHERITED = ("group_id", "policy_id", "line_id", "store_involved", "store_required", "instruction", "needs_approval")


class Need(StrEnum):
    """What a topic says about a detail."""

    REQUIRED = "required"
    OFFERED = "offered"
    DROPPED = "dropped"


@dataclass(frozen=True)
class DetailRule:
    """A topic asks for a detail, offers it, or drops what a topic above asks for."""

    code: str
    need: str


@dataclass(frozen=True)
class TopicFacts:
    """A topic as routing sees it; None or "" = inherited."""

    id: int
    parent_id: int | None
    name: str
    group_id: int | None = None
    policy_id: int | None = None
    store_involved: bool | None = None
    store_required: bool | None = None
    instruction: str = ""
    is_active: bool = True
    line_id: int | None = None
    needs_approval: bool | None = None
    code: str = ""
    details: tuple[DetailRule, ...] = ()


@dataclass(frozen=True)
class Resolved:
    """A topic with everything inherited. `sources` names the topic that each value came from."""

    topic_id: int
    path: tuple[str, ...]
    group_id: int | None
    policy_id: int | None
    store_involved: bool
    store_required: bool
    instruction: str
    sources: Mapping[str, str]
    line_id: int | None = None
    needs_approval: bool = False
    details: tuple[DetailRule, ...] = ()
    ids: tuple[int, ...] = ()
    """The topic and those above it, its own first."""


class TopicCycle(ValueError):
    """A topic is its own ancestor."""


def resolve(topic_id: int, topics: Mapping[int, TopicFacts]) -> Resolved:
    """The topic with what it inherits; the nearest ancestor that says something wins. Raises TopicCycle, KeyError."""
    line: list[TopicFacts] = []
    above: int | None = topic_id
    while above is not None:
        topic = topics[above]
        if topic in line:
            raise TopicCycle(f"topic {topic_id} is its own ancestor")
        line.append(topic)
        above = topic.parent_id
    found: dict[str, object] = {}
    sources: dict[str, str] = {}
    for topic in line:
        for name in INHERITED:
            value = getattr(topic, name)
            if name not in found and value not in (None, ""):
                found[name], sources[name] = value, topic.name
    return Resolved(
        topic_id=topic_id,
        path=tuple(topic.name for topic in reversed(line)),
        group_id=found.get("group_id"),  # type: ignore[arg-type]
        policy_id=found.get("policy_id"),  # type: ignore[arg-type]
        store_involved=bool(found.get("store_involved", False)),
        store_required=bool(found.get("store_required", False)),
        instruction=str(found.get("instruction", "")),
        sources=sources,
        line_id=found.get("line_id"),  # type: ignore[arg-type]
        needs_approval=bool(found.get("needs_approval", False)),
        details=_details(line),
        ids=tuple(topic.id for topic in line),
    )


def _details(line: Sequence[TopicFacts]) -> tuple[DetailRule, ...]:
    """What is asked for over the whole branch: the nearest topic's word on a detail wins; in the branch's order, the root's first."""
    said: dict[str, DetailRule] = {}
    for topic in reversed(line):
        for rule in topic.details:
            said[rule.code] = rule
    return tuple(rule for rule in said.values() if rule.need != Need.DROPPED)
