"""Rules of promises: the first that fits holds, the topic's own policy is the last resort, a person's choice stays."""

from dataclasses import replace

import pytest
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import ProtectedError
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from core.refusal import Refusal
from customers.models import Guest
from omni.models import Session
from sla.models import Clock, Metric, Policy
from tests import builders as b
from tickets.models import Case, CaseStep, PolicyRule, Topic
from tickets.promising import Matter, Rule, first_fitting, unfit
from tickets.services import cases, opening, promising, terms, topics
from tickets.states import Step

NOW = timezone.now()
MATTER = Matter(topics=(3, 1), channel="telegram", priority=2, group_id=7, chain_id=1, region_id=5, store_id=9, segment="vip")


@pytest.mark.parametrize(
    ("fields", "misfits"),
    [
        ({}, []),
        ({"topic_id": 3}, []),
        ({"topic_id": 1}, []),
        ({"topic_id": 2}, ["topic"]),
        ({"channel": "telegram", "segment": "vip"}, []),
        ({"channel": "email"}, ["channel"]),
        ({"segment": "staff"}, ["segment"]),
        ({"least_priority": 2}, []),
        ({"least_priority": 3}, ["least_priority"]),
        ({"least_priority": -1}, []),
        ({"chain_id": 1, "region_id": 5, "store_id": 9, "group_id": 7}, []),
        ({"chain_id": 2, "region_id": 6, "store_id": 8, "group_id": 1}, ["chain", "region", "store", "group"]),
    ],
)
def test_what_fits_and_what_does_not(fields, misfits):
    assert list(unfit(Rule(1, "r", 1, **fields), MATTER)) == misfits


def test_a_ticket_without_a_store_fits_no_rule_of_a_store():
    nowhere = replace(MATTER, store_id=None, chain_id=None, region_id=None)
    assert list(unfit(Rule(1, "r", 1, store_id=9, chain_id=1), nowhere)) == ["chain", "store"]


small = st.one_of(st.none(), st.integers(0, 2))
words = st.sampled_from(["", "a", "b"])
a_rule = st.builds(
    Rule, id=st.integers(1, 99), name=st.just(""), policy_id=st.integers(1, 5), topic_id=small, channel=words, least_priority=small,
    chain_id=small, region_id=small, store_id=small, group_id=small, segment=words,
)  # fmt: skip
a_matter = st.builds(
    Matter, topics=st.lists(st.integers(0, 2), max_size=3), channel=words, priority=st.integers(-1, 3), group_id=st.integers(0, 2),
    chain_id=small, region_id=small, store_id=small, segment=words,
)  # fmt: skip


def fits_by_the_book(rule, matter):
    """Written from the words of the rule: each thing that the rule names must be so."""
    wishes = [
        rule.topic_id is None or any(topic == rule.topic_id for topic in matter.topics),
        rule.channel == "" or rule.channel == matter.channel,
        rule.segment == "" or rule.segment == matter.segment,
        rule.least_priority is None or not matter.priority < rule.least_priority,
        rule.chain_id is None or rule.chain_id == matter.chain_id,
        rule.region_id is None or rule.region_id == matter.region_id,
        rule.store_id is None or rule.store_id == matter.store_id,
        rule.group_id is None or rule.group_id == matter.group_id,
    ]
    return wishes.count(False) == 0


@given(st.lists(a_rule, max_size=6), a_matter)
def test_the_first_fitting_rule_holds(rules, matter):
    expected = [rule for rule in rules if fits_by_the_book(rule, matter)]
    assert first_fitting(rules, matter) == (expected[0] if expected else None)


@pytest.fixture
def operator(db):
    return b.a_person(groups=[b.a_group()])


@pytest.fixture
def session(operator):
    account = b.an_account("webchat")
    b.receive(account, b.webchat_event(text="Просроченный кефир"), now=NOW)
    yield Session.objects.get()
    promising.forget()


def opened(session, operator, **fields):
    promising.forget()
    return opening.open_ticket(session_id=session.pk, topic=fields.pop("topic", None) or b.a_topic(), by=operator, now=NOW, **fields)


def a_rule_row(position, policy, **fields):
    return PolicyRule.objects.create(position=position, name=f"rule {position}", policy=policy, **fields)


def test_a_ticket_says_which_rule_gave_its_policy(session, operator):
    fast, slow = b.a_policy("fast", 5, 5, 60), b.a_policy("slow", 60, 60, 4800)
    parent = b.a_topic("food")
    topic = b.a_topic("kefir", parent=parent)
    a_rule_row(1, fast, topic=parent, channel="telegram")
    a_rule_row(2, slow, topic=parent, channel="webchat")
    a_rule_row(3, fast)
    case = opened(session, operator, topic=topic)
    assert (case.policy, case.routing["promise"]["rule"], case.routing["promise"]["place"]) == (slow, "rule 2", 2)
    assert Clock.objects.get(subject=case.clock_subject, metric=Metric.RESOLUTION).target_seconds == 4800 * 60


def test_without_a_fitting_rule_the_topic_names_the_policy(session, operator):
    a_rule_row(1, b.a_policy("fast", 5, 5, 60), segment="vip")
    case = opened(session, operator)
    assert (case.policy.code, case.routing["promise"]) == ("chat", {"topic": "Просрочка на полке"})
    Guest.objects.filter(pk=case.guest_id).update(segment="vip")
    assert opened(session, operator).policy.code == "fast"


def test_an_inactive_rule_does_not_count_and_a_rule_helps_a_topic_without_a_policy(session, operator):
    rule = a_rule_row(1, b.a_policy("fast", 5, 5, 60), is_active=False)
    topic = b.a_topic()
    Topic.objects.update(policy=None)
    topics.forget()
    with pytest.raises(Refusal, match="SLA"), transaction.atomic():
        opened(session, operator, topic=topic)
    PolicyRule.objects.filter(pk=rule.pk).update(is_active=True)
    assert opened(session, operator, topic=topic).policy.code == "fast"


def test_another_topic_brings_other_promises_and_keeps_the_time_used(session, operator):
    case = opened(session, operator)
    other = b.a_topic("delivery", policy=b.a_policy("fast", 5, 5, 60))
    with transaction.atomic():
        locked = cases.lock(case.pk)
        locked.topic = other
        assert terms.reconsider(locked, by=operator, now=NOW) is True
        cases.save(locked, now=NOW)
        assert terms.reconsider(locked, by=operator, now=NOW) is False
    case = Case.objects.get(pk=case.pk)
    assert case.policy.code == "fast"
    assert CaseStep.objects.get(case=case, step=Step.TERMS).details["to"] == "fast"
    assert Clock.objects.get(subject=case.clock_subject, metric=Metric.RESOLUTION).earlier_terms.count() == 1


def test_what_a_person_chose_stays(session, operator):
    case = opened(session, operator)
    terms.change_policy(case_id=case.pk, policy=b.a_policy("fast", 5, 5, 60), by=operator, reason="гость из прессы", now=NOW)
    with transaction.atomic():
        locked = cases.lock(case.pk)
        locked.topic = b.a_topic("delivery")
        assert terms.reconsider(locked, by=operator, now=NOW) is False
    assert locked.policy.code == "fast"


def test_what_a_rule_names_cannot_be_deleted_and_impossible_rules_are_refused(session, operator):
    group, store = b.a_group("quality"), b.a_store()
    a_rule_row(1, b.a_policy(), group=group)
    with pytest.raises(ProtectedError):
        group.delete()
    region = type(store.region).objects.create(code="kazan", name="Казань")
    with pytest.raises(ValidationError, match="никогда не подойдёт"):
        PolicyRule(name="x", policy=Policy.objects.first(), store=store, region=region).clean()
