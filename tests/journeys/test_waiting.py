"""Whether the guest waits, and for whom the clock runs: written, sent, failed, taken back, bounced."""

from datetime import timedelta

import pytest
from django.utils import timezone

from omni.channels.contract import Failed, Reason, Sent
from omni.models import Attempt, Session
from omni.services import answering, conversations, sending
from omni.states import SendState, SessionState
from sla.models import Clock
from tests import builders as b
from tickets.models import Case
from tickets.services import cases, opening
from tickets.states import CaseState
from worklist.models import Item
from worklist.states import ItemState

pytestmark = pytest.mark.django_db


@pytest.fixture
def now():
    return timezone.now()


@pytest.fixture
def operator():
    return b.a_person(groups=[b.a_group()])


@pytest.fixture
def account():
    return b.an_account("webchat")


def begin(account, operator, now, text="Кефир просрочен"):
    b.receive(account, b.webchat_event(text=text), now=now)
    session = Session.objects.get()
    if session.state == SessionState.WAITING:
        conversations.take(session_id=session.pk, by=operator, now=now)
    return session


def attempt_of(message):
    attempt = message.attempts.latest("number")
    Attempt.objects.filter(pk=attempt.pk).update(state=SendState.SENDING)
    return attempt.pk


def clock(session, metric="first_response"):
    return Clock.objects.filter(subject=f"session:{session.pk}", metric=metric).latest("cycle")


def test_a_promise_is_kept_when_the_answer_is_sent_not_when_it_is_written(account, operator, now):
    session = begin(account, operator, now)
    message = answering.answer(session_id=session.pk, text="Ответ", by=operator, now=now)
    assert clock(session).ended_at is None
    sending.finish(attempt_id=attempt_of(message), result=Sent(["x"]), now=now + timedelta(minutes=20))
    assert clock(session).met is False, "15 minutes were promised, the channel took 20"


def test_a_failed_answer_gives_the_wait_back_and_the_clock_never_stopped(account, operator, now):
    session = begin(account, operator, now)
    message = answering.answer(session_id=session.pk, text="Ответ", by=operator, now=now)
    assert Item.objects.get().state == ItemState.ANSWERED
    sending.finish(attempt_id=attempt_of(message), result=Failed("400", "нет", Reason.REJECTED), now=now)
    session.refresh_from_db()
    assert session.waiting_since is not None
    item = Item.objects.get()
    assert (item.state, item.unread) == (ItemState.ACTIVE, 1)
    assert clock(session).ended_at is None


def test_a_failed_answer_of_a_finished_dialogue_brings_it_back_to_the_queue(account, operator, now):
    session = begin(account, operator, now)
    message = answering.answer(session_id=session.pk, text="Ответ", by=operator, now=now)
    conversations.close(session_id=session.pk, by=operator, now=now)
    sending.finish(attempt_id=attempt_of(message), result=Failed("400", "нет", Reason.REJECTED), now=now)
    assert Session.objects.get().state == SessionState.WAITING


def test_an_answer_taken_back_after_another_was_sent_changes_nothing(account, operator, now):
    session = begin(account, operator, now)
    first = answering.answer(session_id=session.pk, text="Раз", by=operator, now=now)
    sending.finish(attempt_id=attempt_of(first), result=Sent(["x"]), now=now)
    second = answering.answer(session_id=session.pk, text="Два", by=operator, now=now)
    answering.take_back(message_id=second.pk, by=operator)
    assert Session.objects.get().waiting_since is None


def test_what_the_guest_writes_while_the_answer_is_on_its_way_waits_for_an_answer_of_its_own(account, operator, now):
    session = begin(account, operator, now)
    message = answering.answer(session_id=session.pk, text="Ответ", by=operator, now=now + timedelta(seconds=1))
    b.receive(account, b.webchat_event(text="И ещё"), now=now + timedelta(seconds=2))
    sending.finish(attempt_id=attempt_of(message), result=Sent(["x"]), now=now + timedelta(seconds=3))
    session.refresh_from_db()
    assert session.waiting_since is not None
    assert clock(session).met is True
    assert clock(session, "next_response").ended_at is None


def test_a_question_left_unanswered_goes_over_to_the_ticket_with_its_clock(account, operator, now):
    session = begin(account, operator, now)
    case = opening.open_ticket(session_id=session.pk, topic=b.a_topic(), by=operator, now=now)
    message = answering.answer(session_id=session.pk, text="Передали", by=operator, now=now)
    sending.finish(attempt_id=attempt_of(message), result=Sent(["x"]), now=now)
    b.receive(account, b.webchat_event(text="А когда ответят?"), now=now + timedelta(minutes=1))
    conversations.close(session_id=session.pk, by=operator, now=now + timedelta(minutes=2))
    case.refresh_from_db()
    assert case.waiting_since is not None
    assert Clock.objects.filter(subject=f"case:{case.pk}", metric="next_response", ended_at=None).exists()


def test_the_guests_word_ends_waiting_for_the_guest_even_while_an_operator_talks(account, operator, now):
    session = begin(account, operator, now)
    case = opening.open_ticket(session_id=session.pk, topic=b.a_topic(), by=operator, now=now)
    cases.take(case_id=case.pk, by=operator, now=now)
    cases.wait_for(case_id=case.pk, state=CaseState.WAITING_GUEST, by=operator, now=now)
    b.receive(account, b.webchat_event(text="Вот чек"), now=now + timedelta(hours=1))
    case.refresh_from_db()
    assert case.state == CaseState.IN_WORK
    assert Clock.objects.get(subject=f"case:{case.pk}", metric="resolution").paused_at is None


def test_a_ticket_over_a_closed_dialogue_joins_the_newer_one(account, operator, now):
    session = begin(account, operator, now)
    conversations.close(session_id=session.pk, by=operator, now=now)
    b.receive(account, b.webchat_event(text="Через месяц"), now=now + timedelta(days=30))
    newer = Session.objects.exclude(pk=session.pk).get()
    case = opening.open_ticket(session_id=session.pk, topic=b.a_topic(), by=operator, now=now + timedelta(days=30))
    assert case.session == newer
    cases.close(case_id=case.pk, cause="solved", by=operator, now=now + timedelta(days=30))
    conversations.close(session_id=newer.pk, by=operator, now=now + timedelta(days=30))
    assert cases.reopen(case_id=case.pk, by=operator, reason="снова", now=now + timedelta(days=31)).session == newer
    assert Session.objects.get(pk=newer.pk).state == SessionState.PARKED


def test_a_late_success_after_the_claim_ran_out_calls_the_repeat_off(account, operator, now):
    session = begin(account, operator, now)
    message = answering.answer(session_id=session.pk, text="Ответ", by=operator, now=now)
    first = attempt_of(message)
    Attempt.objects.update(claimed_until=now)
    sending.recover_lost(now=now + timedelta(seconds=1))
    assert sending.finish(attempt_id=first, result=Sent(["late"]), now=now + timedelta(seconds=2)) == SendState.SENT
    assert message.attempts.get(number=2).state == SendState.CANCELLED
    message.refresh_from_db()
    assert message.send_state == SendState.SENT


def test_a_message_from_the_distant_past_counts_from_its_arrival(account, operator, now, monkeypatch):
    from omni.channels.webchat import adapter

    monkeypatch.setattr(adapter.WebChatAdapter, "parse", _dated(adapter.WebChatAdapter.parse, now - timedelta(days=9000)))
    session = begin(account, operator, now)
    assert session.waiting_since == now


def _dated(parse, at):
    from dataclasses import replace

    return lambda self, event, account: [replace(item, sent_at=at) for item in parse(self, event, account)]


def test_a_calendar_that_never_opens_stops_no_message(account, operator, now):
    from sla.models import WorkingInterval
    from sla.services import clocks

    WorkingInterval.objects.all().delete()
    clocks.forget_hours()
    session = begin(account, operator, now)
    assert not Clock.objects.exists()
    assert session.waiting_since is not None
    clocks.forget_hours()


def test_a_weight_changed_meanwhile_leaves_no_load_behind(account, operator, now):
    presence = b.go_on_line(operator, now=now)
    account.weight = 3
    account.save()
    session = begin(account, operator, now)
    account.weight = 1
    account.save()
    conversations.close(session_id=session.pk, by=operator, now=now)
    presence.refresh_from_db()
    assert presence.load == 0


def test_somebody_who_went_off_the_line_gives_the_dialogues_back(account, operator, now):
    from omni.services import presence

    b.go_on_line(operator, now=now)
    session = begin(account, operator, now)
    presence.change(staff=operator, state="offline", by=operator, now=now)
    assert presence.sweep(now=now + timedelta(seconds=30)) == 0
    assert presence.sweep(now=now + timedelta(seconds=90)) == 1
    session.refresh_from_db()
    assert (session.state, session.owner) == (SessionState.WAITING, None)


def test_what_is_taken_by_hand_off_the_line_stays_with_the_open_screen(account, operator, now):
    from omni.services import presence

    b.go_on_line(operator, now=now)
    presence.change(staff=operator, state="offline", by=operator, now=now)
    session = begin(account, operator, now + timedelta(minutes=1))
    presence.heartbeat(staff_id=operator.pk, now=now + timedelta(minutes=20))
    assert presence.sweep(now=now + timedelta(minutes=20, seconds=5)) == 0
    session.refresh_from_db()
    assert session.owner == operator


def test_what_somebody_had_before_going_off_the_line_goes_back_though_the_screen_is_open(account, operator, now):
    from omni.services import presence

    b.go_on_line(operator, now=now)
    begin(account, operator, now)
    presence.change(staff=operator, state="offline", by=operator, now=now + timedelta(minutes=1))
    presence.heartbeat(staff_id=operator.pk, now=now + timedelta(minutes=7))
    assert presence.sweep(now=now + timedelta(minutes=7)) == 1


def test_one_heavy_dialogue_does_not_keep_lighter_ones_waiting(operator, now):
    from omni.services import distribution

    b.go_on_line(operator, now=now, capacity=2)
    heavy, light = b.an_account("webchat"), b.an_account("telegram")
    heavy.weight = 3
    heavy.save()
    b.receive(heavy, b.webchat_event(), now=now)
    b.receive(light, b.telegram_update(1), now=now + timedelta(seconds=1))
    assert distribution.give_out(group_id=b.a_group().pk, now=now + timedelta(seconds=2)) == 1
    assert Session.objects.get(state=SessionState.ACTIVE).account == light
    assert Case.objects.count() == 0
