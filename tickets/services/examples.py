"""Examples of routing, kept with the rules and asked before anything is saved or published."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from accounts.models import Group
from sla.models import Policy
from tickets.models import RouteTest
from tickets.routing import TopicCycle, TopicFacts
from tickets.rules import HOME_ZONE, Ask, Outcome, RuleFacts, decide
from tickets.services import routebook, topics
from tickets.services.ways import place_of

NOON = time(12)
# Any ordinary day: rules ask for the hour only.
_DAY = datetime(2026, 3, 17, tzinfo=UTC).date()


@dataclass(frozen=True)
class Red:
    """An example that does not come out as expected; as text a whole sentence."""

    example: RouteTest
    got: str

    def __str__(self) -> str:
        return _("The example “%(name)s” does not come out: %(got)s.") % {"name": self.example.name, "got": self.got}


def red(
    tree: Mapping[int, TopicFacts] | None = None, rules: Sequence[RuleFacts] | None = None, tests: Iterable[RouteTest] | None = None
) -> list[Red]:
    """The examples that come out otherwise under this tree and these rules (None = as they are)."""
    tree = topics.facts() if tree is None else tree
    rules = routebook.read_rules() if rules is None else rules
    tests = RouteTest.objects.select_related("store", "group", "policy") if tests is None else tests
    ids = {topic.code: pk for pk, topic in tree.items()}
    found = []
    for example in tests:
        got = _otherwise(example, ids.get(example.topic_code), tree, rules)
        if got:
            found.append(Red(example, got))
    return found


def _otherwise(example: RouteTest, topic_id: int | None, tree: Mapping[int, TopicFacts], rules: Sequence[RuleFacts]) -> str:
    """What comes out instead of what is expected; empty = as expected."""
    if topic_id is None or not tree[topic_id].is_active:
        return _("there is no topic “%(code)s”") % {"code": example.topic_code}
    try:
        outcome = decide(ask_of(example, topic_id), tree, rules)
    except TopicCycle:
        return _("the topic is its own ancestor")
    return _differing(example, outcome)


def ask_of(example: RouteTest, topic_id: int) -> Ask:
    """The example's ticket as routing sees it."""
    zone = ZoneInfo(example.store.time_zone if example.store else HOME_ZONE)
    at = datetime.combine(_DAY, example.at or NOON, zone)
    return Ask(topic_id=topic_id, at=at, place=place_of(example.store), channel=example.channel, priority=example.priority)


def _differing(example: RouteTest, outcome: Outcome) -> str:
    if example.group_id is not None and example.group_id not in outcome.group_ids:
        names = Group.objects.filter(pk__in=outcome.group_ids).values_list("name", flat=True)
        return _("it goes to %(group)s") % {"group": ", ".join(names) or _("nobody")}
    if example.policy_id is not None and example.policy_id != outcome.topic.policy_id:
        policy = Policy.objects.filter(pk=outcome.topic.policy_id or 0).first()
        return _("its policy is %(policy)s") % {"policy": policy or _("none")}
    if example.to_store is not None and example.to_store != outcome.to_store:
        return _("the store answers") if outcome.to_store else _("the store does not answer")
    return ""
