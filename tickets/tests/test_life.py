"""A ticket's life: waits with reminders and closing for silence, calls, causes, the guest's return, followers."""

import threading
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from core.models import LiveEvent
from core.refusal import Refusal
from omni.models import Attempt, Message, Session
from omni.services import conversations
from omni.states import SessionState
from sla.models import Calendar
from tests import builders as b
from tickets import wording
from tickets.models import ApprovalRule, CallBack, Case, CaseStep, CaseWait, ClosingCause, ReopenRule, Topic, WaitReason
from tickets.selectors import list_steps
from tickets.services import call_backs, cases, closing, opening, topics, waits, watching
from tickets.states import CaseState, Cause, Step

pytestmark = pytest.mark.django_db
NOW = timezone.now()
DAY = timedelta(days=1)


@pytest.fixture
def expert():
    return b.a_person("expert", "Борис Эксперт", groups=[b.a_group("quality", "Качество"), b.a_group()])


@pytest.fixture
def case(expert):
    account = b.an_account("webchat", queue=b.a_queue(reopen="within", reopen_days=30))
    b.receive(account, b.webchat_event(text="Кефир просрочен", name="Анна"), now=NOW)
    session = Session.objects.get()
    conversations.take(session_id=session.pk, by=expert, now=NOW)
    case = opening.open_ticket(session_id=session.pk, topic=b.a_topic(), by=expert, now=NOW)
    conversations.close(session_id=session.pk, by=expert, now=NOW)
    return cases.take(case_id=case.pk, by=expert, now=NOW)


@pytest.fixture
def reason(case):
    silent = ClosingCause.objects.create(code="silent", name="Гость не ответил", kind=Cause.NO_ANSWER)
    return WaitReason.objects.create(
        code="photo", name="Ждём фото", calendar=Calendar.objects.get(code="always"), remind_after=[1, 2], close_after=3, closing=silent,
        reminder="{guest}, ждём фото по обращению {number}.", farewell="Закрываем {number}.",
    )  # fmt: skip


def again(case):
    return Case.objects.get(pk=case.pk)


def guest_writes(text, at, key="visitor-1"):
    return b.receive(Session.objects.first().account, b.webchat_event(visitor=key, text=text, name="Анна"), now=at)


def test_a_silent_guest_is_reminded_twice_and_then_the_ticket_is_closed(case, reason, expert):
    waits.begin(case_id=case.pk, reason_id=reason.pk, by=expert, now=NOW)
    assert waits.carry_on(now=NOW + DAY / 2) == 0
    for days in (1, 2):
        assert waits.carry_on(now=NOW + days * DAY) == 1
        assert waits.carry_on(now=NOW + days * DAY) == 0  # twice is the same as once
    told = Message.objects.filter(is_automatic=True, direction="out").order_by("pk")
    assert [message.text for message in told] == [f"Анна, ждём фото по обращению {case.number}."] * 2
    assert Attempt.objects.filter(message__in=told).count() == 2
    assert again(case).state == CaseState.WAITING_GUEST
    waits.carry_on(now=NOW + 3 * DAY)
    closed = again(case)
    assert (closed.state, closed.cause, closed.closing.code) == (CaseState.CLOSED, Cause.NO_ANSWER, "silent")
    assert Message.objects.filter(text=f"Закрываем {case.number}.").exists()
    assert [step.step for step in list_steps(case)].count(Step.REMINDED) == 2
    assert not CaseWait.objects.filter(ended_at=None).exists()


def test_the_guests_answer_wakes_the_ticket_and_stops_the_timer(case, reason, expert):
    waits.begin(case_id=case.pk, reason_id=reason.pk, by=expert, now=NOW)
    guest_writes("Вот фото", NOW + DAY / 2)
    assert again(case).state == CaseState.IN_WORK
    assert waits.carry_on(now=NOW + 5 * DAY) == 0
    assert Message.objects.filter(is_automatic=True, direction="out").count() == 0


def test_a_guest_who_cannot_be_reached_is_not_closed_for_silence(case, reason, expert):
    waits.begin(case_id=case.pk, reason_id=reason.pk, by=expert, now=NOW)
    identity = case.session.identity
    identity.blocked_at = NOW
    identity.save()
    for days in (1, 2, 3):
        waits.carry_on(now=NOW + days * DAY)
    assert again(case).state == CaseState.IN_WORK
    steps = [step for step in list_steps(case) if step.step == Step.REMINDED]
    assert all(step.details["not_sent"] for step in steps)


def test_who_closes_second_with_another_cause_is_told_which_one_holds(case, expert):
    cases.close(case_id=case.pk, cause=Cause.SOLVED, by=expert, now=NOW)
    assert cases.close(case_id=case.pk, cause=Cause.SOLVED, by=expert, now=NOW).cause == Cause.SOLVED
    with pytest.raises(Refusal, match=str(Cause.SOLVED.label)):
        cases.close(case_id=case.pk, cause=Cause.DUPLICATE, by=expert, now=NOW)
    assert cases.close(case_id=case.pk, cause=Cause.NO_ANSWER, by=None, now=NOW).cause == Cause.SOLVED


def test_a_wait_that_fails_holds_up_nobody_else_and_is_looked_at_later(case, reason, expert, monkeypatch):
    broken = WaitReason.objects.create(code="bad", name="Сломано", calendar=reason.calendar, remind_after=[1], reminder="{guest}")
    waits.begin(case_id=case.pk, reason_id=broken.pk, by=expert, now=NOW)
    other = opening.open_in(case.session, topic=b.a_topic("other", name="Другое"), by=expert, now=NOW)
    cases.take(case_id=other.pk, by=expert, now=NOW)
    waits.begin(case_id=other.pk, reason_id=reason.pk, by=expert, now=NOW + DAY / 24)
    write = waits.conversations.add_outgoing
    monkeypatch.setattr(waits.conversations, "add_outgoing", lambda **how: write(**how) if how["text"] != "Анна" else 1 / 0)
    at = NOW + DAY + DAY / 12
    assert waits.carry_on(now=at) == 2
    assert [wait.reminded for wait in CaseWait.objects.order_by("pk")] == [0, 1]
    assert waits.carry_on(now=at) == 0
    assert waits.carry_on(now=at + waits.FAULT_PAUSE) == 1


def test_what_needs_an_approval_is_not_closed_for_silence_and_holds_up_nobody_else(case, reason, expert):
    rule = {"code": "close", "name": "Закрытие", "deed": "close", "topic": case.topic, "skipped_causes": []}
    ApprovalRule.objects.create(**rule)
    waits.begin(case_id=case.pk, reason_id=reason.pk, by=expert, now=NOW)
    other = opening.open_in(case.session, topic=b.a_topic("other", name="Другое"), by=expert, now=NOW)
    cases.take(case_id=other.pk, by=expert, now=NOW)
    waits.begin(case_id=other.pk, reason_id=reason.pk, by=expert, now=NOW + DAY / 24)
    for days in (1, 2, 3):
        waits.carry_on(now=NOW + days * DAY + DAY / 12)
    assert (again(case).state, again(other).state) == (CaseState.IN_WORK, CaseState.CLOSED)
    assert "Закрытие" in wording.step_text(list_steps(case)[-1])
    assert not CaseWait.objects.filter(ended_at=None).exists()
    assert not Message.objects.filter(text=f"Закрываем {case.number}.").exists()


def test_causes_belong_to_branches_and_may_need_a_note(case, expert):
    other = Topic.objects.create(code="other", name="Другое")
    own = ClosingCause.objects.create(code="own", name="Сняли с полки", kind=Cause.SOLVED, topic=case.topic, needs_note=True)
    strange = ClosingCause.objects.create(code="strange", name="Чужая", kind=Cause.SOLVED, topic=other)
    topics.forget()
    assert [one.code for one in closing.list_causes(case.topic_id)] == ["own"]
    for cause, note, code in ((strange, "", "choose"), (own, " ", "note_needed")):
        with pytest.raises(Refusal) as refusal:
            closing.close(case_id=case.pk, closing_id=cause.pk, note=note, by=expert, now=NOW)
        assert refusal.value.code == code
    closed = closing.close(case_id=case.pk, closing_id=own.pk, note="Партию сняли", by=expert, now=NOW)
    assert (closed.cause, closed.closing) == (Cause.SOLVED, own)
    assert list_steps(closed)[-1].details["note"] == "Партию сняли"


def closed_then_written(case, expert, days):
    cases.close(case_id=case.pk, cause=Cause.SOLVED, by=expert, now=NOW)
    guest_writes("Опять то же самое", NOW + days * DAY)
    return Session.objects.order_by("-pk").first()


def test_a_guest_who_returns_soon_reopens_the_ticket_for_its_group(case, expert):
    ReopenRule.objects.create(days=3)
    session = closed_then_written(case, expert, 2)
    reopened = again(case)
    assert (reopened.state, reopened.owner, reopened.unread) == (CaseState.REOPENED, None, 1)
    assert session.state == SessionState.PARKED
    assert list_steps(case)[-2].step == Step.REOPENED


def test_later_a_new_ticket_goes_on_from_the_old_one_or_the_queue_has_it(case, expert):
    rule = ReopenRule.objects.create(days=1, later="new_case", until_days=10)
    session = closed_then_written(case, expert, 5)
    new = Case.objects.exclude(pk=case.pk).get()
    assert (new.previous, new.opened_by, new.topic, new.state) == (case, None, case.topic, CaseState.ROUTED)
    assert session.state == SessionState.PARKED
    cases.close(case_id=new.pk, cause=Cause.SOLVED, by=expert, now=NOW + 6 * DAY)
    rule.later = "queue"
    rule.save()
    guest_writes("И снова", NOW + 10 * DAY)
    assert Case.objects.count() == 2
    assert Session.objects.order_by("-pk").first().state == SessionState.WAITING


def test_what_a_guest_writes_later_goes_to_people_before_it_goes_to_a_store(case, expert):
    Topic.objects.filter(pk=case.topic_id).update(store_involved=True)
    topics.forget()
    ReopenRule.objects.create(days=0, later="new_case", until_days=10)
    Case.objects.filter(pk=case.pk).update(store=b.a_store("4217"))
    cases.close(case_id=case.pk, cause=Cause.SOLVED, by=expert, now=NOW)
    guest_writes("Сдаю помещение под магазин", NOW + DAY)
    new = Case.objects.exclude(pk=case.pk).get()
    assert (new.store, new.at_store, new.state) == (again(case).store, False, CaseState.ROUTED)


def test_a_ticket_of_a_dialogue_that_was_opened_again_tells_what_the_guest_wrote_now(case, expert):
    assert case.summary == "Кефир просрочен"
    cases.close(case_id=case.pk, cause=Cause.SOLVED, by=expert, now=NOW)
    guest_writes("На кассе пробили дороже", NOW + DAY)
    session = Session.objects.get()
    new = opening.open_ticket(session_id=session.pk, topic=case.topic, by=expert, now=NOW + DAY)
    assert new.summary == "На кассе пробили дороже"


def test_without_a_rule_the_guest_comes_to_the_operators(case, expert):
    assert closed_then_written(case, expert, 0).state == SessionState.WAITING
    assert again(case).state == CaseState.CLOSED


def test_a_call_is_told_until_it_is_made(case, expert):
    row = call_backs.plan(case_id=case.pk, at=NOW + DAY, phone="+7 916 123-45-67", note="Сказать о возврате", by=expert, now=NOW)
    assert call_backs.ring(now=NOW) == 0
    for tenth in range(2):
        assert call_backs.ring(now=NOW + DAY + timedelta(minutes=11 * tenth)) == 1
    heard = LiveEvent.objects.filter(kind="call_back").order_by("pk")
    assert heard.count() in {0, 2}  # published at once where Redis is
    with pytest.raises(Refusal):
        call_backs.end(case_id=case.pk, call_id=row.pk, made=True, outcome="", by=expert, now=NOW)
    call_backs.end(case_id=case.pk, call_id=row.pk, made=True, outcome="Договорились", by=expert, now=NOW + DAY)
    assert call_backs.ring(now=NOW + 2 * DAY) == 0
    assert CallBack.objects.get().state == CallBack.State.DONE
    assert [step.step for step in list_steps(case)][-2:] == [Step.CALL_SET, Step.CALLED]


@pytest.mark.parametrize(("at", "phone", "code"), [(-DAY, "", "bad_time"), (61 * DAY, "", "bad_time"), (DAY, "звоните", "bad_phone")])
def test_a_call_that_cannot_be_is_refused(case, expert, at, phone, code):
    with pytest.raises(Refusal) as refusal:
        call_backs.plan(case_id=case.pk, at=NOW + at, phone=phone, note="", by=expert, now=NOW)
    assert refusal.value.code == code


def test_followers_hear_of_what_others_do_while_they_may_see_it(case, expert, monkeypatch):
    follower, stranger = b.a_person("follower", groups=[case.group]), b.a_person("stranger", groups=[b.a_group("other")])
    told = []
    monkeypatch.setattr(watching, "announce", lambda **event: told.append(event["topics"]))
    for person in (follower, stranger, expert):
        watching.watch(case_id=case.pk, by=person, now=NOW)
        watching.watch(case_id=case.pk, by=person, now=NOW)
    cases.wait_for(case_id=case.pk, state=CaseState.WAITING_GUEST, by=expert, now=NOW)
    assert told == [[f"staff:{follower.pk}"]]
    watching.unwatch(case_id=case.pk, by=follower, now=NOW)
    cases.close(case_id=case.pk, cause=Cause.SOLVED, by=expert, now=NOW)
    assert len(told) == 1


@pytest.fixture
def many():
    """Tickets of twelve guests that wait for their photo since yesterday, each with a call that is due."""
    expert = b.a_person("expert", "Борис Эксперт", groups=[b.a_group("quality", "Качество"), b.a_group()])
    account, topic = b.an_account("webchat"), b.a_topic()
    reason = WaitReason.objects.create(
        code="photo", name="Фото", calendar=Calendar.objects.get(code="always"), remind_after=[1], reminder="Ждём фото по {number}."
    )
    made = []
    for number in range(12):
        b.receive(account, b.webchat_event(visitor=f"visitor-{number}", text="Кефир просрочен", name="Анна"), now=NOW - DAY)
        session = Session.objects.latest("pk")
        case = opening.open_ticket(session_id=session.pk, topic=topic, by=expert, now=NOW - DAY)
        conversations.close(session_id=session.pk, by=expert, now=NOW - DAY)
        cases.take(case_id=case.pk, by=expert, now=NOW - DAY)
        waits.begin(case_id=case.pk, reason_id=reason.pk, by=expert, now=NOW - DAY)
        call_backs.plan(case_id=case.pk, at=NOW, phone="", note=case.number, by=expert, now=NOW - DAY)
        made.append(case)
    return made


def at_once(*deeds):
    """Each deed in a thread with a connection of its own, all begun at the same moment."""
    begin, faults = threading.Barrier(len(deeds)), []

    def run(deed):
        begin.wait(10)
        try:
            deed()
        except Exception as fault:  # noqa: BLE001  told to the test
            faults.append(fault)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(deed,)) for deed in deeds]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert faults == []


@pytest.mark.django_db(transaction=True)
def test_two_sweeps_at_once_remind_of_each_wait_once(many):
    at_once(*[lambda: waits.carry_on(now=NOW)] * 3)
    reminders = Message.objects.filter(is_automatic=True, direction="out").values_list("text", flat=True)
    assert sorted(reminders) == sorted(f"Ждём фото по {case.number}." for case in many)
    assert Attempt.objects.filter(message__is_automatic=True).count() == len(many)
    assert CaseStep.objects.filter(step=Step.REMINDED).count() == len(many)
    assert set(CaseWait.objects.values_list("reminded", flat=True)) == {1}


@pytest.mark.django_db(transaction=True)
def test_two_sweeps_at_once_tell_of_each_call_once(many, monkeypatch):
    told, plain = [], call_backs.announce

    def announce(**given):  # what is published is gone from the base soon after
        told.append(given["payload"]["case_id"])
        return plain(**given)

    monkeypatch.setattr(call_backs, "announce", announce)
    at_once(*[lambda: call_backs.ring(now=NOW)] * 3)
    assert sorted(told) == sorted(case.pk for case in many)
    assert set(CallBack.objects.values_list("told", flat=True)) == {1}
