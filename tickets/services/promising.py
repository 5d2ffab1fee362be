"""A ticket's SLA policy: by the first rule that fits, else its topic's own; explained in `case.routing["promise"]`."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.statements import Prepared
from customers.models import Guest
from stores.models import Store
from tickets.models import Case, PolicyRule
from tickets.promising import Matter, Rule, first_fitting
from tickets.routing import Resolved
from tickets.services import topics

KEPT_SECONDS = 10
_kept: list[tuple[float, Sequence[Rule]]] = []
_FIELDS = ("id", "name", "policy_id", "topic_id", "channel", "least_priority", "chain_id", "region_id", "store_id", "group_id", "segment")
_RULES = Prepared(lambda: PolicyRule.objects.filter(is_active=True).order_by("position", "id").values_list(*_FIELDS))


@dataclass(frozen=True)
class Promise:
    """A policy and why it: `reason` goes into `case.routing["promise"]`. `policy_id` None = neither a rule nor a topic names one."""

    policy_id: int | None
    reason: Mapping[str, Any]


def rules() -> Sequence[Rule]:
    """The active rules in their order, at most KEPT_SECONDS old."""
    if _kept and time.monotonic() - _kept[0][0] < KEPT_SECONDS:
        return _kept[0][1]
    found = [Rule(*row) for row in _RULES.all()]
    _kept[:] = [(time.monotonic(), found)]
    return found


def forget() -> None:
    """Read the rules anew at the next use."""
    _kept.clear()


def promise_for(way: Resolved, *, channel: str, priority: int, group_id: int | None, guest: Guest | None, store: Store | None) -> Promise:
    """What a ticket on this topic is promised."""
    known = rules()
    matter = Matter(
        topics=topics.line_of(way.topic_id) if known else (),
        channel=channel,
        priority=priority,
        group_id=group_id,
        chain_id=store.chain_id if store else None,
        region_id=store.region_id if store else None,
        store_id=store.pk if store else None,
        segment=guest.segment if guest else "",
    )
    rule = first_fitting(known, matter)
    if rule is not None:
        return Promise(rule.policy_id, {"rule": rule.name, "rule_id": rule.id, "place": known.index(rule) + 1})
    return Promise(way.policy_id, {"topic": way.sources.get("policy_id", "")})


def promise_of(case: Case) -> Promise:
    """What the ticket would be promised as it is now: its topic, group, store and priority."""
    way = topics.resolved(case.topic)
    return promise_for(
        way, channel=case.session.account.kind, priority=case.priority, group_id=case.group_id, guest=case.guest, store=case.store
    )  # fmt: skip
