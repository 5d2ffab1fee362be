"""A draft of the topics tried on the tickets of the last days: which of them would have gone elsewhere."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.utils.translation import gettext as _

from accounts.models import Group
from sla.models import Policy
from tickets.models import Case, TopicVersion
from tickets.routing import TopicCycle, TopicFacts
from tickets.rules import Ask, Outcome, Place, RuleFacts, decide
from tickets.services import routebook, topics, versions

DAYS = 7
LISTED = 300
_COLUMNS = (
    "pk", "number", "topic_id", "opened_at", "priority", "session__account__kind", "store_id", "store__region_id", "store__chain_id",
    "store__cluster_id", "store__time_zone",
)  # fmt: skip


def run(*, version: TopicVersion, now: datetime, days: int = DAYS) -> Mapping[str, Any]:
    """Route the tickets opened in the last days by the version's tree and by the published one, under today's rules.

    The result is kept with the version: `cases` looked at, `moved`, `pairs` of from, to and count, and the first LISTED of `list`.
    """
    old, new, rules = topics.facts(), versions.by_live_ids(versions.tree_of(version)), routebook.read_rules()
    names = _Names()
    cases, moved = 0, 0
    pairs: Counter[tuple[str, str]] = Counter()
    listed: list[dict[str, Any]] = []
    for number, ask in _asked(now - timedelta(days=days), now):
        cases += 1
        before, after = names.of(_outcome(ask, old, rules)), names.of(_outcome(ask, new, rules))
        if before == after:
            continue
        moved += 1
        pairs[before, after] += 1
        if len(listed) < LISTED:
            listed.append({"number": number, "topic": old[ask.topic_id].name if ask.topic_id in old else "", "from": before, "to": after})
    found = {"at": now.isoformat(), "days": days, "cases": cases, "moved": moved, "list": listed}
    found["pairs"] = [{"from": before, "to": after, "count": count} for (before, after), count in pairs.most_common()]
    version.trial = found
    version.save(update_fields=["trial"])
    return found


def _asked(since: datetime, until: datetime) -> Iterator[tuple[str, Ask]]:
    """The tickets opened in between, as routing saw them."""
    opened = Case.objects.filter(opened_at__gte=since, opened_at__lt=until).order_by("pk")
    for row in opened.values_list(*_COLUMNS).iterator(chunk_size=5000):
        _pk, number, topic_id, at, priority, channel, store_id, region_id, chain_id, cluster_id, zone = row
        place = Place(store_id, region_id, chain_id, cluster_id, zone) if store_id is not None else None
        yield number, Ask(topic_id=topic_id, at=at, place=place, channel=channel, priority=priority)


def _outcome(ask: Ask, tree: Mapping[int, TopicFacts], rules: Sequence[RuleFacts]) -> Outcome | None:
    try:
        return decide(ask, tree, rules) if ask.topic_id in tree and tree[ask.topic_id].is_active else None
    except TopicCycle:
        return None


class _Names:
    """Outcomes in words: group, policy, store first."""

    def __init__(self) -> None:
        self._groups = dict(Group.objects.values_list("pk", "name"))
        self._policies = dict(Policy.objects.values_list("pk", "name"))
        self._told: dict[tuple[Any, ...], str] = {}

    def of(self, outcome: Outcome | None) -> str:
        if outcome is None:
            return _("the topic is not there")
        key = (outcome.group_ids, outcome.topic.policy_id, outcome.to_store, outcome.person_id)
        if key not in self._told:
            groups = " / ".join(self._groups.get(pk, "?") for pk in outcome.group_ids) or _("nobody")
            policy = self._policies.get(outcome.topic.policy_id or 0, "–")
            self._told[key] = f"{groups} · {policy}" + (" · " + _("the store answers") if outcome.to_store else "")
        return self._told[key]
