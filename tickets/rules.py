"""Rules of routing: pure. Rows in their order, the first that fits says which group, person or store gets the ticket."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from zoneinfo import ZoneInfo

from tickets.routing import Resolved, TopicFacts, resolve

# The wall clock of tickets without a store.
HOME_ZONE = "Europe/Moscow"


@dataclass(frozen=True)
class Place:
    """A store as rules see it."""

    id: int
    region_id: int
    chain_id: int
    cluster_id: int | None = None
    zone: str = HOME_ZONE


@dataclass(frozen=True)
class Ask:
    """A ticket that has to go somewhere. `at` is an aware time."""

    topic_id: int
    at: datetime
    place: Place | None = None
    channel: str = ""
    priority: int = 0


@dataclass(frozen=True)
class RuleFacts:
    """A rule: conditions (None or "" = any), then where to. Several groups are equals: the least loaded one gets the ticket.

    `to_store` None = as the topic says. `shares` = within the group the least loaded person on line gets it.
    """

    id: int
    position: int
    name: str
    topic_id: int | None = None
    region_id: int | None = None
    cluster_id: int | None = None
    chain_id: int | None = None
    store_id: int | None = None
    channel: str = ""
    priority_from: int | None = None
    since: time | None = None
    until: time | None = None
    group_ids: tuple[int, ...] = ()
    person_id: int | None = None
    to_store: bool | None = None
    shares: bool = False


@dataclass(frozen=True)
class Outcome:
    """Where a ticket goes before anybody's load is looked at. No group = nobody is responsible."""

    topic: Resolved
    rule: RuleFacts | None
    group_ids: tuple[int, ...]
    person_id: int | None
    to_store: bool
    shares: bool


@dataclass(frozen=True)
class Load:
    """How much a group or a person has: open tickets, and how many are meant to be had at a time."""

    id: int
    open: int
    capacity: int


def fits(rule: RuleFacts, ask: Ask, branch: Sequence[int]) -> bool:
    """Whether every condition of the rule holds. `branch` = the topic and those above it."""
    place = ask.place
    of_place = (
        (rule.region_id, place.region_id if place else None),
        (rule.cluster_id, place.cluster_id if place else None),
        (rule.chain_id, place.chain_id if place else None),
        (rule.store_id, place.id if place else None),
    )
    return (
        (rule.topic_id is None or rule.topic_id in branch)
        and all(wanted is None or wanted == here for wanted, here in of_place)
        and (not rule.channel or rule.channel == ask.channel)
        and (rule.priority_from is None or ask.priority >= rule.priority_from)
        and in_hours(rule.since, rule.until, ask)
    )


def in_hours(since: time | None, until: time | None, ask: Ask) -> bool:
    """Whether the ticket's wall clock (its store's, else Moscow's) stands in the hours; they may go over midnight."""
    if since is None or until is None:
        return True
    local = ask.at.astimezone(ZoneInfo(ask.place.zone if ask.place else HOME_ZONE)).time()
    return since <= local < until if since < until else local >= since or local < until


def first_fit(ask: Ask, rules: Sequence[RuleFacts], branch: Sequence[int]) -> RuleFacts | None:
    """The first rule, in order, that fits."""
    return next((rule for rule in rules if fits(rule, ask, branch)), None)


def decide(ask: Ask, tree: Mapping[int, TopicFacts], rules: Sequence[RuleFacts]) -> Outcome:
    """Where the ticket goes by the rules in order, in the end by its topic. A store is asked only when one is named.

    Raises KeyError (no such topic), TopicCycle.
    """
    topic = resolve(ask.topic_id, tree)
    rule = first_fit(ask, rules, topic.ids)
    of_topic = (topic.group_id,) if topic.group_id is not None else ()
    wants_store = topic.store_involved if rule is None or rule.to_store is None else rule.to_store
    return Outcome(
        topic=topic,
        rule=rule,
        group_ids=(rule.group_ids if rule else ()) or of_topic,
        person_id=rule.person_id if rule else None,
        to_store=wants_store and ask.place is not None,
        shares=bool(rule and rule.shares),
    )


def least_loaded(loads: Sequence[Load]) -> Load | None:
    """Who has the smallest part of the capacity in use; of equals the first. Without capacity nobody gets anything."""
    able = [load for load in loads if load.capacity > 0]
    return min(able, key=lambda load: load.open / load.capacity) if able else None
