"""A person chooses a ticket's priority: row, history and audit follow, promises too."""

import pytest
from django.utils import timezone

from core.models import AuditEntry
from core.refusal import Refusal
from omni.models import Session
from sla.models import Clock
from tests import builders as b
from tickets import wording
from tickets.models import CaseStep, PolicyRule
from tickets.services import cases, opening, priorities, promising
from tickets.states import Cause, Priority, Step
from worklist.models import Item

pytestmark = pytest.mark.django_db
NOW = timezone.now()


@pytest.fixture
def operator():
    return b.a_person(groups=[b.a_group()])


@pytest.fixture
def case(operator):
    b.receive(b.an_account("webchat"), b.webchat_event(text="Где мой заказ?"), now=NOW)
    return opening.open_ticket(session_id=Session.objects.get().pk, topic=b.a_topic(group=b.a_group()), by=operator, now=NOW)


def test_the_row_the_history_and_the_audit_tell_of_it(case, operator):
    priorities.change(case_id=case.pk, priority=Priority.URGENT, by=operator, now=NOW)
    assert Item.objects.get(kind="case", subject_id=case.pk).priority == Priority.URGENT
    step = CaseStep.objects.get(case=case, step=Step.PRIORITY)
    assert (step.by, wording.step_text(step)) == (operator, "обычный → срочный")
    assert AuditEntry.objects.get(action="case.priority").details == {"from": 0, "to": 2}


def test_the_same_again_changes_nothing(case, operator):
    for _time in range(2):
        priorities.change(case_id=case.pk, priority=Priority.HIGH, by=operator, now=NOW)
    assert CaseStep.objects.filter(case=case, step=Step.PRIORITY).count() == 1


def test_promises_follow_a_rule_that_names_priorities(case, operator):
    soon = b.a_policy("soon", first=5, resolution=60)
    PolicyRule.objects.create(name="Срочное", policy=soon, least_priority=2)
    promising.forget()
    changed = priorities.change(case_id=case.pk, priority=Priority.URGENT, by=operator, now=NOW)
    assert changed.policy == soon
    assert Clock.objects.get(subject=case.clock_subject, metric="resolution").target_seconds == 3600
    promising.forget()


@pytest.mark.parametrize("number", [-10, 3, 100])
def test_a_number_that_is_no_choice_is_refused(case, operator, number):
    with pytest.raises(Refusal) as refused:
        priorities.change(case_id=case.pk, priority=number, by=operator, now=NOW)
    assert refused.value.code == "choose"


def test_a_closed_ticket_keeps_its_own(case, operator):
    cases.close(case_id=case.pk, cause=Cause.SOLVED, by=operator, now=NOW)
    with pytest.raises(Refusal) as refused:
        priorities.change(case_id=case.pk, priority=Priority.HIGH, by=operator, now=NOW)
    assert refused.value.code == "wrong_state"
