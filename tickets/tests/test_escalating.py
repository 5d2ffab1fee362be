"""A ticket near or over its promise climbs its topic's ladder; what people do with the ticket is what they do with the run."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import Staff
from escalation import subjects
from escalation.models import Run, UnmappedHit
from escalation.services import tick
from escalation.states import EventKind, RunState
from escalation.tests import builders as e
from omni.models import Session
from omni.services import conversations
from sla.models import Metric
from sla.services import clocks
from tests import builders as b
from tickets.models import Topic
from tickets.services import cases, handing, opening, topics
from tickets.states import CaseState, Cause

pytestmark = pytest.mark.django_db
NOW = timezone.now()
MINUTE = timedelta(minutes=1)


@pytest.fixture
def operator():
    return b.a_person(groups=[b.a_group(), b.a_group("quality", "Качество")])


@pytest.fixture
def line():
    person = e.a_colleague("dezhurnyi")
    return e.a_line(levels=[[("role", {"role": e.a_role("duty", staff=person)})], [("role", {"role": e.a_role("lead", staff=person)})]])


@pytest.fixture
def case(operator, line):
    account = b.an_account("webchat")
    b.receive(account, b.webchat_event(text="Испорченный творог"), now=NOW)
    session = Session.objects.get()
    conversations.take(session_id=session.pk, by=operator, now=NOW)
    parent = b.a_topic("food", group=b.a_group("quality", "Качество"))
    topic = b.a_topic("curd", group=b.a_group("quality", "Качество"), parent=parent)
    Topic.objects.filter(pk=parent.pk).update(line=line)
    topics.forget()
    yield opening.open_ticket(session_id=session.pk, topic=topic, by=operator, now=NOW)
    topics.forget()


def sweep(now):
    return subjects._kinds["case"].start_due(now=now)


def open_run():
    return Run.objects.get(state__in=[RunState.CALLING, RunState.TAKEN])


def test_a_promise_that_is_near_starts_the_inherited_ladder_once(case):
    """The policy of the tests promises a first answer within 15 minutes, the settings call 15 minutes before."""
    e.numbers(near_minutes=5)
    assert sweep(NOW + 9 * MINUTE) == 0
    assert [sweep(NOW + 11 * MINUTE) for _ in range(3)] == [1, 0, 0]
    run = open_run()
    assert (run.subject, run.title, run.link) == (f"case:{case.pk}", f"№ {case.number} · {case.topic.name}", f"/desk/case/{case.pk}/")
    tick.tick(now=NOW + 11 * MINUTE)
    assert run.events.get(kind=EventKind.STEP).details["to"] == ["Dezhurnyi"]


def test_a_breach_starts_it_at_once_and_a_topic_without_a_line_is_counted(case, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        clocks.mark_breaches(now=NOW + 16 * MINUTE)
    assert open_run().subject == f"case:{case.pk}"
    Run.objects.all().delete()
    Topic.objects.update(line=None)
    topics.forget()
    case.refresh_from_db()
    with django_capture_on_commit_callbacks(execute=True):
        clocks.mark_breaches(now=NOW + timedelta(days=9))
    assert UnmappedHit.objects.get().key == "topic:curd"


def test_taking_the_ticket_takes_the_run_and_giving_it_back_calls_anew(case, operator):
    sweep(NOW + 10 * MINUTE)
    tick.tick(now=NOW + 10 * MINUTE)
    cases.take(case_id=case.pk, by=operator, now=NOW + 11 * MINUTE)
    run = open_run()
    assert (run.state, run.holder, run.reaction_due) == (RunState.TAKEN, operator, None)
    assert run.deal_due is not None
    handing.give_back(case_id=case.pk, reason="не моё", by=operator, now=NOW + 12 * MINUTE)
    run = open_run()
    assert (run.state, run.holder, run.deal_due) == (RunState.CALLING, None, NOW + 40 * MINUTE)


def test_handing_the_ticket_hands_the_run_and_closing_ends_it(case, operator):
    other = b.a_person("petrov", "Пётр Петров", groups=[b.a_group("quality", "Качество")])
    sweep(NOW + 10 * MINUTE)
    cases.take(case_id=case.pk, by=operator, now=NOW + 11 * MINUTE)
    handing.hand_to(case_id=case.pk, to=other, note="", by=operator, now=NOW + 12 * MINUTE)
    assert open_run().holder == other
    cases.close(case_id=case.pk, cause=Cause.SOLVED, by=other, now=NOW + 13 * MINUTE)
    assert Run.objects.get().state == RunState.RESOLVED


def test_a_ticket_that_is_taken_already_starts_taken(case, operator):
    cases.take(case_id=case.pk, by=operator, now=NOW)
    sweep(NOW + 10 * MINUTE)
    assert (open_run().state, open_run().holder) == (RunState.TAKEN, operator)
    assert tick.tick(now=NOW + 10 * MINUTE) == 0


def test_a_promise_kept_after_all_ends_the_ladder(case):
    sweep(NOW + 10 * MINUTE)
    clocks.meet(subject=case.clock_subject, metrics=[Metric.FIRST_RESPONSE], now=NOW + 11 * MINUTE)
    sweep(NOW + 12 * MINUTE)
    assert Run.objects.get().state == RunState.RESOLVED


def test_a_clock_that_stands_calls_nobody_and_calls_again_when_it_goes_on(case, operator):
    clocks.meet(subject=case.clock_subject, metrics=[Metric.FIRST_RESPONSE], now=NOW)
    late = NOW + 470 * MINUTE
    assert sweep(late) == 1
    cases.take(case_id=case.pk, by=operator, now=late)
    cases.wait_for(case_id=case.pk, state=CaseState.WAITING_GUEST, by=operator, now=late)
    sweep(late)
    assert Run.objects.get().state == RunState.CANCELLED
    with_owner = cases.lock(case.pk)
    cases.move(with_owner, CaseState.IN_WORK)
    cases.save(with_owner, now=late + 60 * MINUTE)
    assert sweep(late + 61 * MINUTE) == 1


def test_a_run_taken_in_the_panel_takes_the_ticket(case, operator, client):
    sweep(NOW + 10 * MINUTE)
    boss = b.a_person("boss", "Начальник", groups=[b.a_group("quality", "Качество")], role=b.a_role("duty", ["admin", "cases.work"]))
    client.force_login(boss)
    answer = client.post(f"/admin/escalation/run/{open_run().pk}/do/take/")
    assert answer.status_code == 302
    case.refresh_from_db()
    assert (case.owner, open_run().holder) == (boss, boss)
    assert Staff.objects.filter(pk=boss.pk).exists()
