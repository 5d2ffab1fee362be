"""Which SLA policy a ticket gets, and why: pure. Rules are looked at in their order, the first that fits holds."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Rule:
    """A rule of promises; None or "" fits everything."""

    id: int
    name: str
    policy_id: int
    topic_id: int | None = None
    channel: str = ""
    least_priority: int | None = None
    chain_id: int | None = None
    region_id: int | None = None
    store_id: int | None = None
    group_id: int | None = None
    segment: str = ""


@dataclass(frozen=True)
class Matter:
    """A ticket as the rules see it. `topics` = its topic and all above it."""

    topics: Sequence[int]
    channel: str
    priority: int
    group_id: int | None
    chain_id: int | None = None
    region_id: int | None = None
    store_id: int | None = None
    segment: str = ""


def unfit(rule: Rule, matter: Matter) -> Iterator[str]:
    """The names of the rule's fields that do not fit the matter; none = it fits."""
    if rule.topic_id is not None and rule.topic_id not in matter.topics:
        yield "topic"
    if rule.least_priority is not None and matter.priority < rule.least_priority:
        yield "least_priority"
    for name in ("channel", "segment"):
        if getattr(rule, name) not in ("", getattr(matter, name)):
            yield name
    for name in ("chain_id", "region_id", "store_id", "group_id"):
        if getattr(rule, name) not in (None, getattr(matter, name)):
            yield name.removesuffix("_id")


def first_fitting(rules: Sequence[Rule], matter: Matter) -> Rule | None:
    """The rule that holds; None = the topic's own policy does."""
    return next((rule for rule in rules if not any(unfit(rule, matter))), None)
