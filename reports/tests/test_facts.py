"""One fact per closed ticket: at once by the event, by the sweep for what was missed, anew after another close."""

from datetime import timedelta

import pytest
from django.core.cache import cache
from django.utils import timezone

from omni.channels.contract import Sent
from omni.models import Session
from omni.services import answering, sending
from omni.states import SendState
from reports import tasks
from reports.models import CaseFact
from reports.services import facts
from tests import builders as b
from tickets.models import Case
from tickets.services import cases, opening
from tickets.states import CaseState, Cause

pytestmark = pytest.mark.django_db
NOW = timezone.now()


def later(minutes):
    return NOW + timedelta(minutes=minutes)


@pytest.fixture(autouse=True)
def _a_new_hour():
    cache.delete(tasks.WHOLE_HISTORY)


@pytest.fixture
def expert():
    return b.a_person("petrov", "Пётр Петров", groups=[b.a_group("quality", "Качество")])


@pytest.fixture
def case(expert):
    b.receive(b.an_account("webchat"), b.webchat_event(text="Кефир"), now=NOW)
    return opening.open_ticket(session_id=Session.objects.get().pk, topic=b.a_topic(), by=expert, now=NOW, store=b.a_store())


def answer(case, text, expert, *, minutes):
    """Written and taken by the channel in the same minute: the promise is kept when it is sent."""
    message = answering.answer(session_id=case.session_id, text=text, by=expert, now=later(minutes))
    message.attempts.update(state=SendState.SENDING)
    sending.finish(attempt_id=message.attempts.get().pk, result=Sent(["1"]), now=later(minutes))


def close(case, expert, *, minutes):
    return cases.close(case_id=case.pk, cause=Cause.SOLVED, by=expert, now=later(minutes))


def test_the_fact_of_a_ticket(case, expert, django_capture_on_commit_callbacks):
    cases.take(case_id=case.pk, by=expert, now=later(5))
    answer(case, "Смотрим", expert, minutes=10)
    cases.wait_for(case_id=case.pk, state=CaseState.WAITING_GUEST, by=expert, now=later(20))
    b.receive(case.session.account, b.webchat_event(text="Ага"), now=later(50))
    with django_capture_on_commit_callbacks(execute=True):
        close(case, expert, minutes=60)
    fact = CaseFact.objects.get()
    assert (fact.number, fact.group.code, fact.channel, fact.cause) == (case.number, "quality", "webchat", "solved")
    assert (fact.store.number, fact.region.code, fact.owner) == ("4217", "moscow", expert)
    assert fact.first_answer_seconds == 600
    assert (fact.messages_in, fact.messages_out, fact.reopened) == (2, 1, 0)
    assert fact.answered_in_time is True
    assert fact.resolved_in_time is True
    assert fact.resolution_seconds == 30 * 60  # the half hour in which the guest was waited for does not count


def test_a_late_answer_is_counted_as_late(case, expert):
    answer(case, "Простите", expert, minutes=500)
    close(case, expert, minutes=510)
    facts.count(case_ids=[case.pk], now=NOW)
    fact = CaseFact.objects.get()
    assert (fact.answered_in_time, fact.resolved_in_time) == (False, False)
    assert fact.resolution_seconds == 510 * 60


def test_closed_without_an_answer_has_no_answer_time(case, expert):
    close(case, expert, minutes=5)
    facts.count(case_ids=[case.pk], now=NOW)
    fact = CaseFact.objects.get()
    assert (fact.first_answer_seconds, fact.answered_in_time) == (None, None)


def test_the_sweep_finds_what_was_missed_and_repeats_change_nothing(case, expert):
    close(case, expert, minutes=5)
    assert not CaseFact.objects.exists()
    for _round in range(2):
        tasks.count_closed()
        assert CaseFact.objects.get().case == case


def test_the_sweep_finds_old_history_once_an_hour(case, expert):
    close(case, expert, minutes=5)
    Case.objects.update(closed_at=NOW - timedelta(days=400), opened_at=NOW - timedelta(days=401))
    assert facts.find_missing(closed_since=NOW - timedelta(days=2)) == []
    tasks.count_closed()
    assert CaseFact.objects.get().resolution_seconds == 5 * 60
    CaseFact.objects.all().delete()
    tasks.count_closed()
    assert not CaseFact.objects.exists()


def test_reopened_leaves_the_reports_and_the_next_close_counts_anew(case, expert, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        close(case, expert, minutes=5)
    assert CaseFact.objects.get().resolution_seconds == 300
    with django_capture_on_commit_callbacks(execute=True):
        cases.reopen(case_id=case.pk, by=expert, reason="Снова", now=later(100))
    assert not CaseFact.objects.exists()
    close(case, expert, minutes=110)
    tasks.count_closed()
    fact = CaseFact.objects.get()
    assert (fact.reopened, fact.resolution_seconds) == (1, 15 * 60)
    assert fact.closed_at == later(110)


def test_a_stale_fact_is_rewritten(case, expert):
    close(case, expert, minutes=5)
    facts.count(case_ids=[case.pk], now=NOW)
    CaseFact.objects.update(closed_at=NOW, messages_in=99)
    tasks.count_closed()
    assert CaseFact.objects.get().messages_in == 1


def test_a_batch_asks_as_often_as_one(case, expert, django_assert_max_num_queries):
    for _n in range(4):
        opening.open_ticket(session_id=case.session_id, topic=b.a_topic(), by=expert, now=NOW)
    Case.objects.update(state=CaseState.CLOSED, closed_at=later(5))
    with django_assert_max_num_queries(9):
        assert facts.count(case_ids=Case.objects.values_list("pk", flat=True), now=NOW) == 5
