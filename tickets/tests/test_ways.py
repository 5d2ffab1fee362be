"""Tickets on their way: rules, equals, persons, stores, stand-ins; re-routing with its clock; versions of the tree."""

import threading
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from accounts.models import Membership
from core.models import AuditEntry
from core.refusal import Refusal
from omni.models import Session
from sla.models import Clock, Policy
from tests import builders as b
from tickets.models import Case, CaseStep, Detail, GroupFallback, PolicyRule, RouteRule, RouteTest, Topic, TopicVersion
from tickets.models.versions import VersionState
from tickets.selectors import list_steps
from tickets.services import kept, opening, promising, rerouting, routebook, topics, trials, versions, ways
from tickets.services.rerouting import Change
from tickets.states import CaseState, Step
from tickets.wording import step_text, why_here

pytestmark = pytest.mark.django_db
NOW = timezone.now()


@pytest.fixture(autouse=True)
def fresh():
    yield
    topics.forget()
    routebook.forget()


@pytest.fixture
def operator():
    return b.a_person("operator", "Анна Иванова", groups=[b.a_group(), b.a_group("quality", "Качество")])


@pytest.fixture
def session(operator):
    b.receive(b.an_account("webchat"), b.webchat_event(text="Кефир просрочен"), now=NOW)
    return Session.objects.get()


def a_rule(*groups, **fields):
    rule = RouteRule.objects.create(name=fields.pop("name", "Правило"), **fields)
    rule.groups.set(groups)
    routebook.forget()
    return rule


def opened(session, operator, **fields):
    return opening.open_ticket(session_id=session.pk, topic=fields.pop("topic", None) or b.a_topic(), by=operator, now=NOW, **fields)


def test_a_rule_of_the_region_beats_the_topic_and_says_so(session, operator):
    other = b.a_group("moscow", "Москва")
    Membership.objects.create(staff=operator, group=other)
    a_rule(other, name="Москва сама", region=b.a_store().region)
    case = opened(session, operator, store=b.a_store())
    assert case.group == other
    assert "Москва сама" in " ".join(why_here(case.routing))
    assert "Москва сама" in step_text(list_steps(case)[1])
    assert opened(session, operator).group.code == "quality"


def test_of_equals_the_least_loaded_gets_it(session, operator):
    first, second = b.a_group("first", "Первая"), b.a_group("second", "Вторая")
    for group, people in ((first, 1), (second, 3)):
        for number in range(people):
            b.a_person(f"{group.code}-{number}", groups=[group])
    a_rule(first, second)
    found = [opened(session, operator).group.code for _case in range(8)]
    # One to three, as their people are.
    assert (found.count("first"), found.count("second")) == (2, 6)


def test_a_person_by_name_and_by_load(session, operator):
    group = b.a_group("shared", "Общая")
    busy, free = b.a_person("busy", "Занятая", groups=[group]), b.a_person("free", "Свободный", groups=[group])
    for person in (busy, free):
        b.go_on_line(person, now=NOW, capacity=2)
    rule = a_rule(group, shares=True)
    assert {opened(session, operator).owner for _case in range(4)} == {busy, free}
    full = opened(session, operator)
    assert (full.owner, full.state) == (None, CaseState.ROUTED)
    assert full.routing["way"]["nobody_on_line"]
    RouteRule.objects.filter(pk=rule.pk).update(person=free, shares=False)
    routebook.forget()
    named = opened(session, operator)
    assert (named.owner, named.state) == (free, CaseState.IN_WORK)
    free.is_active = False
    free.save()
    assert opened(session, operator).owner is None


def test_a_group_that_is_off_is_refused_or_replaced(session, operator):
    topic, stand_in = b.a_topic(), b.a_group("stand-in", "Подмена")
    Membership.objects.create(staff=operator, group=stand_in)
    topic.group.is_active = False
    topic.group.save()
    routebook.forget()
    with pytest.raises(Refusal) as refusal, transaction.atomic():
        opened(session, operator)
    assert refusal.value.code == "no_route"
    GroupFallback.objects.create(group=topic.group, to=stand_in)
    routebook.forget()
    case = opened(session, operator)
    assert case.group == stand_in
    assert "Качество" in " ".join(why_here(case.routing))


def test_an_empty_group_keeps_its_tickets_unless_somebody_stands_in(session, operator):
    topic = b.a_topic("lonely", group=b.a_group("lonely", "Пустая"), name="Одинокая")
    assert opened(session, operator, topic=topic).routing["way"]["empty"]
    GroupFallback.objects.create(group=topic.group, to=b.a_group("quality", "Качество"))
    routebook.forget()
    assert opened(session, operator, topic=topic).group.code == "quality"


def test_stand_ins_that_go_round_lead_nowhere(operator):
    one, two = b.a_group("one"), b.a_group("two")
    type(one).objects.filter(pk__in=[one.pk, two.pk]).update(is_active=False)
    GroupFallback.objects.create(group=one, to=two)
    GroupFallback.objects.create(group=two, to=one)
    assert ways.stand_in(one.pk, routebook.book(), {}) is None


def test_details_are_checked_only_when_somebody_is_asked(session, operator):
    topic = b.a_topic()
    topic.details.create(detail=Detail.objects.create(code="product", name="Товар"), need="required")
    topics.forget()
    assert opened(session, operator).details == {}
    with pytest.raises(Refusal) as refusal, transaction.atomic():
        opened(session, operator, details={})
    assert (refusal.value.code, refusal.value.status) == ("bad_detail", 400)
    assert opened(session, operator, details={"product": " Кефир  1% "}).details == {"product": "Кефир 1%"}


def handovers(case):
    return Clock.objects.filter(subject=case.clock_subject, metric="handover").order_by("cycle")


def test_rerouting_changes_topic_and_group_with_reason_history_and_clock(session, operator):
    case = opened(session, operator)
    type(case.policy).objects.filter(pk=case.policy_id).update(handover_minutes=60)
    case = opened(session, operator)
    prices = b.a_topic("prices", group=b.a_group("prices", "Цены"), name="Цены")
    later = NOW + timedelta(minutes=10)
    done = rerouting.reroute(case_id=case.pk, change=Change(topic=prices), by=operator, reason="Это про ценник", now=later)
    assert (done.topic, done.group.code, done.owner, done.state) == (prices, "prices", None, CaseState.ROUTED)
    steps = {step.step: step for step in list_steps(done)}
    assert steps[Step.RECLASSIFIED].details["to"] == "Цены"
    assert "Это про ценник" in step_text(steps[Step.ROUTED])
    assert [(clock.met, clock.ended_at is None) for clock in handovers(done)] == [(True, False), (None, True)]
    assert AuditEntry.objects.filter(action="case.reclassified", subject=f"case:{case.pk}").exists()


def test_rerouting_to_the_store_and_to_a_person(session, operator):
    case = opened(session, operator)
    a_rule(to_store=True)
    done = rerouting.reroute(case_id=case.pk, change=Change(store=b.a_store()), by=operator, reason="Ответит магазин", now=NOW)
    assert (done.state, done.at_store) == (CaseState.WAITING_STORE, True)
    named = rerouting.reroute(case_id=case.pk, change=Change(person=operator), by=operator, reason="Беру сама", now=NOW)
    assert (named.owner, named.state, named.at_store) == (operator, CaseState.IN_WORK, False)


@pytest.mark.parametrize(
    ("change", "reason", "code"),
    [
        (lambda: Change(), "почему", "nothing_changes"),
        (lambda: Change(topic=b.a_topic()), "почему", "nothing_changes"),
        (lambda: Change(group=b.a_group("x")), " ", "reason_needed"),
        (lambda: Change(topic=b.a_topic("off", is_active=False)), "почему", "topic_off"),
        (lambda: Change(topic=b.a_topic("needy", store_required=True)), "почему", "store_needed"),
    ],
)
def test_rerouting_refuses_in_words(session, operator, change, reason, code):
    case = opened(session, operator)
    with pytest.raises(Refusal) as refusal:
        rerouting.reroute(case_id=case.pk, change=change(), by=operator, reason=reason, now=NOW)
    assert refusal.value.code == code


def test_a_trial_sees_what_the_rules_of_promises_would_change(session, operator):
    case = opened(session, operator)
    parent = Topic.objects.create(code="food", name="Еда")
    quick = Policy.objects.create(code="quick", name="Быстро", calendar=case.policy.calendar)
    PolicyRule.objects.create(name="еда", topic=parent, policy=quick, position=1)
    promising.forget()
    draft = versions.draft(by=operator, now=NOW)
    entry = draft.entries.get(code="expired")
    assert trials.run(version=draft, now=NOW + timedelta(minutes=1))["moved"] == 0
    entry.parent = draft.entries.get(code="food")
    entry.save()
    found = trials.run(version=draft, now=NOW + timedelta(minutes=1))
    assert (found["cases"], found["moved"]) == (1, 1)
    assert found["list"][0]["from"] == f"Качество · {case.policy.name}"
    assert found["list"][0]["to"] == "Качество · Быстро"
    PolicyRule.objects.update(segment="gold")
    promising.forget()
    assert trials.run(version=draft, now=NOW + timedelta(minutes=1))["moved"] == 0
    promising.forget()


def test_a_draft_is_tried_published_and_rolled_back(session, operator):
    case = opened(session, operator)
    prices = b.a_group("prices", "Цены")
    draft = versions.draft(by=operator, now=NOW)
    entry = draft.entries.get(code="expired")
    entry.group = prices
    entry.save()
    draft.entries.create(code="new-topic", name="Новая", group=prices, policy=case.policy)
    assert versions.differences(draft, draft.base)
    found = trials.run(version=draft, now=NOW + timedelta(minutes=1))
    assert (found["cases"], found["moved"]) == (1, 1)
    assert found["list"][0]["number"] == case.number
    assert "Цены" in found["pairs"][0]["to"]
    assert topics.resolved(b.a_topic()).group_id != prices.pk  # nothing has changed yet
    versions.publish(version_id=draft.pk, by=operator, now=NOW)
    assert opened(session, operator, topic=Topic.objects.get(code="expired")).group == prices
    back = versions.publish(version_id=draft.base_id, by=operator, now=NOW)
    assert back.state == VersionState.PUBLISHED
    assert Topic.objects.get(code="expired").group.code == "quality"
    assert Topic.objects.get(code="new-topic").is_active is False
    assert TopicVersion.objects.filter(state=VersionState.PUBLISHED).count() == 1


def test_red_examples_circles_and_stale_drafts_are_not_published(operator):
    topic = b.a_topic()
    RouteTest.objects.create(name="Просрочка — качеству", topic_code="expired", group=topic.group)
    first, second = versions.draft(by=operator, now=NOW), versions.draft(by=operator, now=NOW)
    first.entries.update(group=b.a_group("prices", "Цены"))
    with pytest.raises(versions.Unpublishable) as refusal:
        versions.publish(version_id=first.pk, by=operator, now=NOW)
    assert "Просрочка — качеству" in refusal.value.faults[0]
    entry = second.entries.get(code="expired")
    child = second.entries.create(code="child", name="Дитя", parent=entry)
    second.entries.filter(pk=entry.pk).update(parent=child)
    with pytest.raises(versions.Unpublishable):
        versions.publish(version_id=second.pk, by=operator, now=NOW)
    third, fourth = versions.draft(by=operator, now=NOW), versions.draft(by=operator, now=NOW)
    third.entries.update(name="Иначе")
    versions.publish(version_id=third.pk, by=operator, now=NOW)
    with pytest.raises(Refusal) as stale:
        versions.publish(version_id=fourth.pk, by=operator, now=NOW)
    assert stale.value.code == "stale"


def test_what_changed_beside_the_versions_becomes_one(operator):
    b.a_topic()
    first = versions.published(now=NOW)
    assert versions.published(now=NOW) == first
    Topic.objects.update(name="Руками")
    second = versions.published(now=NOW)
    assert second.number == first.number + 1
    assert second.entries.get().name == "Руками"


def test_a_publication_is_noticed_by_a_process_that_kept_the_tree(operator, monkeypatch):
    topic = b.a_topic()
    assert topics.facts()[topic.pk].name == "Просрочка на полке"
    Topic.objects.update(name="Иначе")
    assert topics.facts()[topic.pk].name == "Просрочка на полке"
    kept.changed()
    monkeypatch.setattr(kept, "LOOK_SECONDS", 0)
    assert topics.facts()[topic.pk].name == "Иначе"


@pytest.mark.django_db(transaction=True)
def test_two_people_publishing_at_once_publish_one_after_the_other():
    operator = b.a_person("operator", groups=[b.a_group()])
    b.a_topic()
    drafts = [versions.draft(by=operator, now=NOW) for _draft in range(2)]
    for number, draft in enumerate(drafts):
        draft.entries.update(name=f"Имя {number}")
    said: list[int | str] = []

    def publish(draft):
        try:
            said.append(versions.publish(version_id=draft.pk, by=operator, now=NOW).pk)
        except Refusal as refusal:
            said.append(refusal.code)
        finally:
            connection.close()

    threads = [threading.Thread(target=publish, args=(draft,)) for draft in drafts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert "stale" in said
    assert TopicVersion.objects.filter(state=VersionState.PUBLISHED).count() == 1
    assert Topic.objects.get().name in {"Имя 0", "Имя 1"}
    assert Case.objects.count() == CaseStep.objects.count() == 0
