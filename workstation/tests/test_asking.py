"""The ticket's page shows what others were asked, and asks them: the store, those who approve."""

import uuid

import pytest
from django.test import Client
from django.utils import timezone
from django.utils.html import escape

from accounts.rights import Right
from tests import builders as b
from tickets.models import Approval, ApprovalRule, GuestNotice, GuestText, StoreLink
from tickets.selectors import list_steps
from tickets.services import approval_gates, approvals, cases, opening, store_links, telling
from tickets.states import CaseState, Cause
from tickets.tests.asking_builders import a_session, a_store_case
from workstation.asking import asking_context

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _fresh_rules():
    approval_gates.forget()
    yield
    approval_gates.forget()


@pytest.fixture
def now():
    return timezone.now()


@pytest.fixture
def operator():
    return b.a_person(groups=[b.a_group(), b.a_group("quality", "Качество")])


@pytest.fixture
def boss():
    return b.a_person("boss", "Орлова", groups=[b.a_group("quality", "Качество")], role=b.a_role("boss", [Right.DESK, Right.CASES_READ]))


@pytest.fixture
def case(operator, now):
    return a_store_case(operator, now=now)


def client_of(person):
    client = Client()
    client.force_login(person)
    return client


def page(person, case):
    return client_of(person).get(f"/desk/case/{case.pk}/header/?panel=ticket").json()["panel"]


def send(person, case, name, fields=None, key=None):
    headers = {"Idempotency-Key": str(key or uuid.uuid4()), "Accept": "application/json"}
    return client_of(person).post(f"/desk/case/{case.pk}/{name}/", fields or {}, headers=headers)


def test_the_store_is_asked_anew_once_for_each_press(case, operator, now):
    store_links.sweep(now=now)
    key = uuid.uuid4()
    for _ in range(2):
        assert send(operator, case, "ask-store", {"question": "Какая партия?"}, key).status_code == 200
    assert StoreLink.objects.count() == 2
    assert "m4217@lukoshko.example" in page(operator, case)
    cases.close(case_id=case.pk, cause=Cause.SOLVED, by=operator, now=now)
    assert send(operator, case, "ask-store").status_code == 409


def test_an_approval_is_asked_for_decided_and_shown_at_the_desk(case, operator, boss, now):
    rule = ApprovalRule.objects.create(code="r", name="Крупный возврат", deed="close", topic=case.topic, role=b.a_role("boss"))
    assert 'data-command="ask-approval"' in page(operator, case)
    assert send(operator, case, "ask-approval", {"rule": rule.pk, "question": "Вернуть 12 000 ₽"}).status_code == 200
    approval = Approval.objects.get()
    assert 'data-command="ask-approval"' not in page(operator, case)
    assert 'data-command="decide-approval"' not in page(operator, case)
    assert 'data-command="decide-approval"' in page(boss, case)
    assert send(operator, case, "decide-approval", {"approval": approval.pk, "decision": "yes", "reason": "x"}).status_code == 403
    answer = send(boss, case, "decide-approval", {"approval": approval.pk, "decision": "yes", "reason": "Чек есть"})
    assert answer.json()["state"] == "approved"
    assert "Чек есть" in page(operator, case)
    cases.close(case_id=case.pk, cause=Cause.SOLVED, by=operator, now=now)


def test_a_question_is_taken_back_and_another_ticket_s_approval_is_not_found(case, operator, boss, now):
    rule = ApprovalRule.objects.create(code="r", name="Крупный возврат", deed="close", topic=case.topic, role=b.a_role("boss"))
    approval = approvals.ask(case_id=case.pk, rule=rule, question="Вернуть?", by=operator, now=now)
    other = a_store_case(operator, now=now, visitor="other")
    for wrong in (str(approval.pk), "", "x", "9" * 30):
        assert send(operator, other, "withdraw-approval", {"approval": wrong}).status_code == 404
    assert send(operator, case, "withdraw-approval", {"approval": approval.pk}).status_code == 200
    assert Approval.objects.get().state == "withdrawn"


def test_the_page_tells_what_the_guest_was_told(case, operator, now):
    text = GuestText.objects.create(status="opened", title="Обращение", text="Открыто")
    GuestNotice.objects.create(case=case, status="opened", wording=text, next_at=now, created_at=now)
    telling.tell_due(now=now)
    assert case.state == CaseState.WAITING_STORE
    assert escape(GuestNotice.objects.get().get_way_display()) in page(operator, case)


def test_a_page_of_a_ticket_that_asked_nobody_asks_the_database_nothing_for_it(operator, now, django_assert_num_queries):
    session = a_session(operator, now=now)
    case = opening.open_ticket(session_id=session.pk, topic=b.a_topic(), by=operator, now=now)
    steps = list_steps(case)
    asking_context(case=case, steps=steps, staff=operator, now=now)
    with django_assert_num_queries(0):
        shown = asking_context(case=case, steps=steps, staff=operator, now=now)
    assert not any(shown.values())
