"""A draft of the topics tried on the tickets of the last days: which of them would have gone elsewhere."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils.translation import gettext as _

from accounts.models import Group
from sla.models import Policy
from tickets.models import Case, TopicVersion
from tickets.promising import Matter, Rule, first_fitting
from tickets.routing import TopicCycle, TopicFacts
from tickets.rules import Ask, Outcome, Place, RuleFacts, decide
from tickets.services import promising, routebook, topics, versions

DAYS = 7
LISTED = 300
_COLUMNS = (
    "pk", "number", "guest__segment", "topic_id", "opened_at", "priority", "session__account__kind", "store_id", "store__region_id",
    "store__chain_id", "store__cluster_id", "store__time_zone",
)  # fmt: skip


def run(*, version: TopicVersion, now: datetime, days: int = DAYS) -> Mapping[str, Any]:
    """Route the tickets opened in the last days by the version's tree and by the published one, under today's rules of ways and promises.

    The result is kept with the version: `cases` looked at, `moved`, `pairs` of from, to and count, and the first LISTED of `list`.
    """
    rules, promises, names = routebook.read_rules(), promising.rules(), _Names()
    old, new = (_Tree(tree, rules, promises) for tree in (topics.facts(), versions.by_live_ids(versions.tree_of(version))))
    cases, moved = 0, 0
    pairs: Counter[tuple[str, str]] = Counter()
    listed: list[dict[str, Any]] = []
    for number, segment, ask in _asked(now - timedelta(days=days), now):
        cases += 1
        before, after = names.of(old.end_of(ask, segment)), names.of(new.end_of(ask, segment))
        if before == after:
            continue
        moved += 1
        pairs[before, after] += 1
        if len(listed) < LISTED:
            listed.append({"number": number, "topic": old.name_of(ask.topic_id), "from": before, "to": after})
    found = {"at": now.isoformat(), "days": days, "cases": cases, "moved": moved, "list": listed}
    found["pairs"] = [{"from": before, "to": after, "count": count} for (before, after), count in pairs.most_common()]
    version.trial = found
    version.save(update_fields=["trial"])
    return found


def _asked(since: datetime, until: datetime) -> Iterator[tuple[str, str, Ask]]:
    """The tickets opened in between, as routing saw them: number, the guest's segment, the matter."""
    opened = Case.objects.filter(opened_at__gte=since, opened_at__lt=until).order_by("pk")
    for row in opened.values_list(*_COLUMNS).iterator(chunk_size=5000):
        _pk, number, segment, topic_id, at, priority, channel, store_id, region_id, chain_id, cluster_id, zone = row
        place = Place(store_id, region_id, chain_id, cluster_id, zone) if store_id is not None else None
        yield number, segment or "", Ask(topic_id=topic_id, at=at, place=place, channel=channel, priority=priority)


@dataclass(frozen=True)
class _End:
    """Where a ticket ends: its way, and the SLA policies that it would have with each of the groups."""

    way: Outcome
    policy_ids: tuple[int | None, ...]


@dataclass(frozen=True)
class _Tree:
    """A tree of topics under rules of ways and of promises."""

    facts: Mapping[int, TopicFacts]
    rules: Sequence[RuleFacts]
    promises: Sequence[Rule]

    def name_of(self, topic_id: int) -> str:
        return self.facts[topic_id].name if topic_id in self.facts else ""

    def end_of(self, ask: Ask, segment: str) -> _End | None:
        """None = the topic is not there."""
        if ask.topic_id not in self.facts or not self.facts[ask.topic_id].is_active:
            return None
        try:
            way = decide(ask, self.facts, self.rules)
        except TopicCycle:
            return None
        found = [self._policy(ask, way, group_id, segment) for group_id in way.group_ids or (None,)]
        return _End(way, tuple(dict.fromkeys(found)))

    def _policy(self, ask: Ask, way: Outcome, group_id: int | None, segment: str) -> int | None:
        place = ask.place
        matter = Matter(
            topics=way.topic.ids,
            channel=ask.channel,
            priority=ask.priority,
            group_id=group_id,
            chain_id=place.chain_id if place else None,
            region_id=place.region_id if place else None,
            store_id=place.id if place else None,
            segment=segment,
        )
        rule = first_fitting(self.promises, matter)
        return rule.policy_id if rule else way.topic.policy_id


class _Names:
    """Ends in words: groups, policies, whether the store is first."""

    def __init__(self) -> None:
        self._groups = dict(Group.objects.values_list("pk", "name"))
        self._policies = dict(Policy.objects.values_list("pk", "name"))
        self._told: dict[tuple[Any, ...], str] = {}

    def of(self, end: _End | None) -> str:
        if end is None:
            return _("the topic is not there")
        way = end.way
        key = (way.group_ids, end.policy_ids, way.to_store, way.person_id)
        if key not in self._told:
            groups = " / ".join(self._groups.get(pk, "?") for pk in way.group_ids) or _("nobody")
            policies = " / ".join(self._policies.get(pk or 0, "–") for pk in end.policy_ids)
            self._told[key] = f"{groups} · {policies}" + (" · " + _("the store answers") if way.to_store else "")
        return self._told[key]
