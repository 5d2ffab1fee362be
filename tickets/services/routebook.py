"""The rules of routing with what they need to know of groups, kept in the process for a moment."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Count, Q

from accounts.models import Group
from tickets.models import GroupFallback, RouteRule
from tickets.rules import RuleFacts
from tickets.services.kept import Kept

_CONDITIONS = (
    "id", "position", "name", "topic_id", "region_id", "cluster_id", "chain_id", "store_id", "channel", "priority_from", "since", "until",
    "person_id", "to_store", "shares",
)  # fmt: skip


@dataclass(frozen=True)
class GroupFacts:
    """A group as routing sees it. `members` = active people."""

    id: int
    name: str
    is_active: bool
    members: int


@dataclass(frozen=True)
class RouteBook:
    """Active rules in order; stand-ins by group (None = of tickets without one); all groups by id."""

    rules: Sequence[RuleFacts]
    stand_ins: Mapping[int | None, int]
    groups: Mapping[int, GroupFacts]


def facts_of(rule: RouteRule, group_ids: Sequence[int]) -> RuleFacts:
    """The rule as the pure code reads it."""
    return RuleFacts(**{name: getattr(rule, name) for name in _CONDITIONS}, group_ids=tuple(group_ids))


def read_rules() -> list[RuleFacts]:
    """The active rules in their order, as they are in the database."""
    groups: dict[int, list[int]] = defaultdict(list)
    for rule_id, group_id in RouteRule.groups.through.objects.order_by("pk").values_list("routerule_id", "group_id"):
        groups[rule_id].append(group_id)
    return [facts_of(rule, groups[rule.pk]) for rule in RouteRule.objects.filter(is_active=True)]


def _read() -> RouteBook:
    people = Count("memberships", filter=Q(memberships__staff__is_active=True))
    groups = Group.objects.annotate(people=people).values_list("pk", "name", "is_active", "people")
    return RouteBook(
        rules=read_rules(),
        stand_ins=dict(GroupFallback.objects.values_list("group_id", "to_id")),
        groups={pk: GroupFacts(pk, name, is_active, members) for pk, name, is_active, members in groups},
    )


_kept = Kept(_read)


def book() -> RouteBook:
    """What routing goes by; a change of the rules is noticed within a second, one of groups within ten."""
    return _kept.get()


def forget() -> None:
    """Read the rules anew at the next use."""
    _kept.forget()
