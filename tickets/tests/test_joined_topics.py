"""Topics that turned out to be one: nothing of the retired one is lost, and its code means the other one."""

from datetime import timedelta

import pytest
from django.utils import timezone

from omni.services import conversations
from tests import builders as b
from tests import shipped
from tickets.models import AnswerTemplate, Case, ReopenRule, Topic
from tickets.services import cases, defaults, joined_topics, opening, topics
from tickets.states import Cause
from tickets.tests.asking_builders import a_session

pytestmark = pytest.mark.django_db
NOW = timezone.now()


@pytest.fixture
def two():
    old, new = b.a_topic("refund-card", name="Возврат не дошёл на карту"), b.a_topic("money-not-back", name="Деньги не пришли")
    yield old, new
    topics.forget()


def test_a_base_of_before_keeps_its_tickets_and_retires_the_topic_once(two):
    old, new = two
    AnswerTemplate.objects.create(topic=old, name="Сроки банка", text="До десяти дней.")
    operator = b.a_person(groups=[b.a_group(), b.a_group("quality", "Качество")])
    case = opening.open_ticket(session_id=a_session(operator, now=NOW).pk, topic=old, by=operator, now=NOW)
    assert defaults.load(now=NOW)["joined topic"] == 1
    old.refresh_from_db()
    assert (old.is_active, old.goes_on_as) == (False, new)
    assert Case.objects.get(pk=case.pk).topic == old
    assert AnswerTemplate.objects.get(name="Сроки банка").topic == new
    Topic.objects.filter(pk=old.pk).update(is_active=True)
    assert "joined topic" not in defaults.load(now=NOW)
    assert joined_topics.going_on(Topic.objects.get(pk=old.pk)) == old


def test_a_fresh_base_has_one_topic_for_money_that_has_not_come():
    shipped.load()
    assert not Topic.objects.filter(code="refund-card").exists()
    found = Topic.objects.get(code="money-not-back")
    assert (found.parent.code, topics.resolved(found).sources["instruction"]) == ("returns", found.name)
    topics.forget()


def test_whoever_comes_back_goes_on_in_the_joined_topic(two):
    old, new = two
    operator, account = b.a_person(groups=[b.a_group(), b.a_group("quality", "Качество")]), b.an_account("webchat")
    session = a_session(operator, now=NOW, account=account)
    case = opening.open_ticket(session_id=session.pk, topic=old, by=operator, now=NOW)
    conversations.close(session_id=session.pk, by=operator, now=NOW)
    cases.close(case_id=case.pk, cause=Cause.SOLVED, by=operator, now=NOW)
    ReopenRule.objects.create(days=0, later="new_case", until_days=30)
    joined_topics.join("refund-card", "money-not-back")
    topics.forget()
    later = NOW + timedelta(days=10)
    b.receive(account, b.webchat_event(text="Так и не пришли"), now=later)
    assert Case.objects.get(previous=case).topic == new


@pytest.mark.parametrize(("code", "into"), [("refund-card", "gone"), ("gone", "money-not-back"), ("refund-card", "refund-card")])
def test_what_is_not_there_is_not_joined(two, code, into):
    joined_topics.join(code, into)
    assert not Topic.objects.filter(is_active=False).exists()
