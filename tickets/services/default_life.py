"""The shipped settings of topics' details, routing and a ticket's life; a part of `defaults.load`."""

from collections.abc import Sequence
from datetime import time
from typing import TYPE_CHECKING, Any

from accounts.models import Group
from sla.models import Calendar, Policy
from tickets.models import ClosingCause, Detail, GroupFallback, ReopenRule, RouteRule, RouteTest, Topic, TopicDetail, WaitReason

if TYPE_CHECKING:
    from tickets.services.defaults import Facts, _Shipment

Row = Sequence[Any]


def load(shipment: "_Shipment", given: "Facts", branches: "Sequence[Facts]") -> None:
    """Add what was never added before; what points to something that a supervisor removed is left out."""
    for place, row in enumerate(given["details"]):
        shipment.add("detail", _add_detail, {"code": row[0]}, row, place)
    for topic in [*branches, *(child for branch in branches for child in branch["children"])]:
        for code, need in topic.get("details", {}).items():
            shipment.add("topic_detail", _add_topic_detail, {"code": f"{topic['code']}:{code}"}, topic["code"], code, need, shipment)
    for place, row in enumerate(given["closing"]):
        shipment.add("closing_cause", _add_closing, {"code": row[0]}, row, place)
    for facts in given["waits"]:
        shipment.add("wait_reason", _add_wait, facts)
    for row in given["reopen"]:
        shipment.add("reopen_rule", _add_reopen, {"code": row[0] or "-"}, row)
    for facts in given["rules"]:
        shipment.add("route_rule", _add_rule, facts)
    names = {facts["code"]: facts["name"] for facts in given["rules"]}
    for row in given["examples"]:
        shipment.add("route_example", _add_example, {"code": row[1]}, row, names.get(row[0]))
    for to, group in given["stand_ins"]:
        shipment.add("stand_in", _add_stand_in, {"code": f"{group or '-'}"}, to, group)


def _add_detail(facts: "Facts", row: Row, place: int) -> None:
    code, name, name_en, kind, hint, options = row
    values = {"name": name, "name_en": name_en, "kind": kind, "hint": hint, "options": options, "position": place}
    Detail.objects.get_or_create(code=code, defaults=values)


def _add_topic_detail(facts: "Facts", topic_code: str, code: str, need: str, shipment: "_Shipment") -> None:
    topic, detail = shipment.find(Topic, topic_code), shipment.find(Detail, code)
    if topic is not None and detail is not None:
        TopicDetail.objects.get_or_create(topic=topic, detail=detail, defaults={"need": need})


def _add_closing(facts: "Facts", row: Row, place: int) -> None:
    code, name, name_en, kind, topic_code, needs_note = row
    topic = Topic.objects.filter(code=topic_code).first()
    if topic is None and topic_code is not None:
        return
    values = {"name": name, "name_en": name_en, "kind": kind, "topic": topic, "needs_note": bool(needs_note), "position": place}
    ClosingCause.objects.get_or_create(code=code, defaults=values)


def _add_wait(facts: "Facts") -> None:
    calendar = Calendar.objects.filter(code=facts["calendar"]).first()
    closing = ClosingCause.objects.filter(code=facts.get("closing")).first()
    if calendar is None or ("closing" in facts and closing is None):
        return
    WaitReason.objects.get_or_create(code=facts["code"], defaults={**facts, "calendar": calendar, "closing": closing})


def _add_reopen(facts: "Facts", row: Row) -> None:
    topic_code, days, later, until = row
    topic = Topic.objects.filter(code=topic_code).first()
    if topic is not None or topic_code is None:
        ReopenRule.objects.get_or_create(topic=topic, defaults={"days": days, "later": later, "until_days": until})


def _add_rule(facts: "Facts") -> None:
    topic = Topic.objects.filter(code=facts["topic"]).first()
    groups = list(Group.objects.filter(code__in=facts["groups"]))
    if (topic is None and facts["topic"] is not None) or len(groups) != len(facts["groups"]):
        return
    plain = {name: facts[name] for name in ("name", "channel", "priority_from", "position") if name in facts}
    hours = {name: time.fromisoformat(facts[name]) for name in ("since", "until") if name in facts}
    rule = RouteRule.objects.create(topic=topic, **plain, **hours)
    rule.groups.set(groups)


def _add_example(facts: "Facts", row: Row, rule_name: str | None) -> None:
    _code, name, topic_code, channel, priority, at, group_code, policy_code = row
    rule = RouteRule.objects.filter(name=rule_name).first() if rule_name else None
    group = Group.objects.filter(code=group_code).first()
    if group is None or (rule_name and rule is None) or not Topic.objects.filter(code=topic_code).exists():
        return
    policy = Policy.objects.filter(code=policy_code).first()
    values = {"topic_code": topic_code, "channel": channel, "priority": priority, "at": time.fromisoformat(at), "group": group}
    RouteTest.objects.create(rule=rule, name=name, policy=policy, **values)


def _add_stand_in(facts: "Facts", to_code: str, group_code: str | None) -> None:
    to, group = Group.objects.filter(code=to_code).first(), Group.objects.filter(code=group_code).first()
    if to is not None and (group is not None or group_code is None):
        GroupFallback.objects.get_or_create(group=group, defaults={"to": to})
