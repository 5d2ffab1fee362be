"""The settings that come with the product: complete, usable, and never put back over a supervisor's hand."""

from io import StringIO

import pytest
from django.core.management import call_command
from django.utils import timezone

from accounts.models import Group, Role
from accounts.rights import Right
from omni.models import Queue
from sla.models import Policy
from sla.services import clocks
from tests import builders as b
from tests import shipped
from tickets.models import (
    AnswerTemplate,
    ApprovalRule,
    Detail,
    GroupFallback,
    GuestText,
    RouteRule,
    RouteTest,
    SurveyRule,
    Topic,
    WaitReason,
)
from tickets.selectors import list_templates, list_topics
from tickets.services import asked, default_asking, defaults, examples, topics
from tickets.telling import GuestStatus

pytestmark = pytest.mark.django_db


@pytest.fixture
def loaded():
    return shipped.load()


def test_every_leaf_topic_leads_to_a_group_and_a_promise(loaded):
    leaves = list_topics()
    assert 115 <= len(leaves) <= 140
    for leaf in leaves:
        way = topics.resolved(Topic.objects.get(pk=leaf.id))
        assert way.group_id, leaf.path
        assert way.policy_id, leaf.path
        assert way.line_id, leaf.path
        assert way.instruction.count(".") in {1, 2, 3, 4}, leaf.path
        assert not (way.store_involved and not way.store_required), f"the store answers but need not be named: {leaf.path}"


def test_texts_are_whole(loaded):
    assert not Topic.objects.filter(name_en="").exists()
    assert not Group.objects.filter(name_en="").exists()
    assert AnswerTemplate.objects.count() >= 40
    shown = {"guest": "Анна", "number": "100234"}
    for template in AnswerTemplate.objects.all():
        filled = template.text.format(**shown)
        assert "{" not in filled
        assert filled.endswith((".", "!", "?")), template.name


def test_every_promise_can_be_kept_by_its_calendar(loaded):
    for policy in Policy.objects.select_related("calendar"):
        assert clocks.promises(policy)
        assert clocks.hours_of(policy.calendar, now=timezone.now()).week, policy.code


def test_rights_are_rights_and_every_one_is_given_to_somebody(loaded):
    given = {right for rights in Role.objects.values_list("rights", flat=True) for right in rights}
    assert given == set(Right.values)


def test_a_second_loading_adds_nothing(loaded):
    assert loaded["topic"] == Topic.objects.count()
    assert defaults.load(now=timezone.now()) == {}


def test_what_a_supervisor_changed_or_removed_stays_so(loaded):
    Queue.objects.filter(code="mail").update(reopen_days=30)
    Topic.objects.filter(code="prices").update(name="Цены", is_active=False)
    AnswerTemplate.objects.filter(name="Прощание").delete()
    AnswerTemplate.objects.filter(name="Приветствие").update(name="Привет", text="Добрый день!")
    count = AnswerTemplate.objects.count()
    defaults.load(now=timezone.now())
    assert Queue.objects.get(code="mail").reopen_days == 30
    assert Topic.objects.get(code="prices").is_active is False
    assert AnswerTemplate.objects.count() == count
    assert next(template.name for template in list_templates(None)) == "Привет"


def test_what_somebody_made_before_under_the_same_code_is_kept():
    Group.objects.create(code="quality", name="Наше качество")
    defaults.load(now=timezone.now())
    assert Group.objects.get(code="quality").name == "Наше качество"


def test_the_command_says_what_it_added():
    first, second = StringIO(), StringIO()
    call_command("load_defaults", stdout=first)
    call_command("load_defaults", stdout=second)
    assert "topic" in first.getvalue()
    assert "already" in second.getvalue()


def test_every_branch_has_ready_answers(loaded):
    for branch in Topic.objects.filter(parent=None):
        assert any(template.topic_id for template in list_templates(branch.pk)), branch.name
    leaf = Topic.objects.filter(parent__code="marketplaces").first()
    assert {template.topic.code for template in list_templates(leaf.pk) if template.topic} == {"marketplaces"}


def test_examples_of_routing_are_green_and_settings_of_life_are_whole(loaded):
    assert RouteTest.objects.count() >= 6
    assert [str(one) for one in examples.red()] == []
    for thing in [*WaitReason.objects.all(), *RouteRule.objects.all(), *GroupFallback.objects.all(), *Detail.objects.all()]:
        thing.full_clean()
    assert Topic.objects.get(code="compensation").needs_approval


def test_guests_are_told_and_asked_and_two_deeds_are_approved_out_of_the_box(loaded):
    texts = GuestText.objects.filter(is_active=True, topic=None, chain=None).values_list("status", "language")
    assert set(texts) == {(status, language) for status in GuestStatus for language in ("ru", "en")}
    assert SurveyRule.objects.get().is_active
    rules = ApprovalRule.objects.all()
    assert {(rule.code, rule.deed, rule.topic.code, rule.role.code) for rule in rules if rule.is_active} == {
        ("health-close", "close", "health", "supervisor"),
        ("privacy-answer", "answer", "personal-data", "supervisor"),
    }
    for row in (*GuestText.objects.all(), *SurveyRule.objects.all(), *rules):
        row.full_clean()


def test_what_was_switched_off_stays_off(loaded):
    for model in (GuestText, SurveyRule, ApprovalRule):
        model.objects.update(is_active=False)
    defaults.load(now=timezone.now())
    assert not any(model.objects.filter(is_active=True).exists() for model in (GuestText, SurveyRule, ApprovalRule))


def test_a_rule_of_approval_without_its_role_comes_switched_off():
    facts = {"code": "x", "name": "Без роли", "deed": "close", "topic": b.a_topic().code, "role": "nobody"}
    default_asking._approval(facts)
    assert ApprovalRule.objects.get().is_active is False


def test_topics_ask_for_what_their_experts_need(loaded):
    asks = {spec.code: spec.is_required for spec in asked.specs_for(Topic.objects.get(code="dairy"))}
    assert (asks["product"], asks["bought"], asks["receipt"]) == (True, True, False)
    own = {spec.code for spec in asked.specs_for(Topic.objects.get(code="own-brand"))}
    assert own >= {"product", "batch"}
    assert "bought" not in own
