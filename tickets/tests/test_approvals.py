"""Approvals of what is done to a ticket: quorum, four eyes, substitutes, reminders, the end of time, two at once."""

import threading
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.timezone import localdate

from accounts.models import Staff
from accounts.rights import Right
from core.models import AuditEntry
from core.refusal import Refusal
from escalation import senders
from escalation.senders import Outcome
from escalation.states import Channel, DeliveryState
from omni.models import Message, Session
from omni.services import answering, conversations
from omni.states import SessionState
from tests import builders as b
from tickets.approving import ApprovalState
from tickets.models import Absence, Approval, ApprovalRule, ApprovalSeat, Case, CaseLetter, CaseStep, Topic
from tickets.services import approval_ticks, approvals, cases, mailing, opening, topics
from tickets.states import CaseState, Cause, Step
from tickets.tests.asking_builders import a_session
from worklist.models import Item

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def _fresh_tree():
    topics.forget()
    yield
    topics.forget()


@pytest.fixture
def now():
    return timezone.now()


@pytest.fixture
def operator():
    return b.a_person(groups=[b.a_group(), b.a_group("quality", "Качество")])


def a_boss(login, **fields):
    person = b.a_person(login, login.title(), role=b.a_role("boss", [Right.CASES_READ]))
    Staff.objects.filter(pk=person.pk).update(email=f"{login}@lukoshko.example", **fields)
    return Staff.objects.get(pk=person.pk)


@pytest.fixture
def bosses():
    return [a_boss(login) for login in ("orlova", "sokolov", "vorobev")]


def a_rule(deed="close", topic=None, **fields):
    code = f"rule-{ApprovalRule.objects.count()}"
    wanted = {"role": b.a_role("boss"), "topic": topic or b.a_topic(), **fields}
    return ApprovalRule.objects.create(code=code, name="Крупный возврат", deed=deed, **wanted)


@pytest.fixture
def case(operator, now):
    session = a_session(operator, now=now)
    made = opening.open_ticket(session_id=session.pk, topic=b.a_topic(), by=operator, now=now)
    conversations.close(session_id=session.pk, by=operator, now=now)
    return cases.take(case_id=made.pk, by=operator, now=now)


def ask(case, rule, by, now, question="Вернуть 12 000 ₽"):
    return approvals.ask(case_id=case.pk, rule=rule, question=question, by=by, now=now)


def decide(approval, by, now, *, yes=True, reason="Чек приложен"):
    return approvals.decide(approval_id=approval.pk, yes=yes, reason=reason, by=by, now=now)


def close(case, by, now, cause=Cause.SOLVED):
    return cases.close(case_id=case.pk, cause=cause, by=by, now=now)


def refused(deed):
    with pytest.raises(Refusal) as refusal:
        deed()
    return refusal.value.code


def test_a_ticket_is_not_closed_before_it_is_approved(case, operator, bosses, now):
    rule = a_rule(quorum=2)
    assert refused(lambda: close(case, operator, now)) == "approval_needed"
    approval = ask(case, rule, operator, now)
    decide(approval, bosses[0], now)
    assert refused(lambda: close(case, operator, now)) == "approval_needed"
    decide(approval, bosses[1], now)
    assert Approval.objects.get().state == ApprovalState.APPROVED
    assert close(case, operator, now).state == CaseState.CLOSED
    steps = CaseStep.objects.filter(case=case).values_list("step", flat=True)
    assert {Step.APPROVAL_ASKED, Step.APPROVED} <= set(steps)
    assert AuditEntry.objects.filter(action="case.approval_decided").count() == 2


def test_what_was_approved_before_the_ticket_was_opened_again_is_spent(case, operator, bosses, now):
    rule = a_rule()
    decide(ask(case, rule, operator, now), bosses[0], now)
    close(case, operator, now)
    cases.reopen(case_id=case.pk, by=operator, reason="Вернулся", now=now + HOUR)
    assert refused(lambda: close(case, operator, now + HOUR)) == "approval_needed"
    decide(ask(case, rule, operator, now + HOUR), bosses[0], now + HOUR)
    close(case, operator, now + HOUR)


@pytest.mark.parametrize("cause", [Cause.DUPLICATE, Cause.NO_ANSWER])
def test_some_causes_need_no_approval(case, operator, bosses, now, cause):
    a_rule()
    assert close(case, operator, now, cause).state == CaseState.CLOSED


def test_rules_reach_down_the_tree_and_no_farther(operator, bosses, now):
    parent = b.a_topic("food")
    leaf, other = b.a_topic("curd", parent=parent), b.a_topic("parking")
    a_rule(topic=parent)
    ApprovalRule.objects.create(code="flagged", name="По отметке", deed="close", role=b.a_role("boss"))
    found = {}
    for topic in (leaf, other):
        session = a_session(operator, now=now, visitor=topic.code)
        found[topic.code] = opening.open_ticket(session_id=session.pk, topic=topic, by=operator, now=now)
    assert refused(lambda: close(found["curd"], operator, now)) == "approval_needed"
    Topic.objects.filter(pk=other.pk).update(needs_approval=True)
    topics.forget()
    assert refused(lambda: close(found["parking"], operator, now)) == "approval_needed"
    Topic.objects.filter(pk=other.pk).update(needs_approval=False)
    topics.forget()
    close(found["parking"], operator, now)


def test_the_guest_is_not_answered_on_the_ticket_before_it_is_approved(case, operator, bosses, now):
    rule = a_rule(deed="answer")
    answer = lambda: answering.answer(session_id=case.session_id, text="Вернём деньги", by=operator, now=now)  # noqa: E731
    assert refused(answer) == "approval_needed"
    assert not Message.objects.filter(direction="out").exists()
    decide(ask(case, rule, operator, now), bosses[0], now)
    answer()
    assert Message.objects.filter(direction="out").count() == 1


def test_while_an_operator_talks_to_the_guest_the_ticket_s_approval_stops_nobody(operator, bosses, now):
    a_rule(deed="answer")
    session = a_session(operator, now=now)
    opening.open_ticket(session_id=session.pk, topic=b.a_topic(), by=operator, now=now)
    assert Session.objects.get().state == SessionState.ACTIVE
    answering.answer(session_id=session.pk, text="Уже смотрим", by=operator, now=now)


def test_one_refusal_declines_and_it_can_be_asked_again(case, operator, bosses, now):
    rule = a_rule(quorum=2)
    approval = ask(case, rule, operator, now)
    assert refused(lambda: ask(case, rule, operator, now)) == "asked_already"
    decide(approval, bosses[0], now, yes=False, reason="Чека нет")
    approval.refresh_from_db()
    assert approval.state == ApprovalState.DECLINED
    assert refused(lambda: decide(approval, bosses[1], now)) == "decided"
    assert refused(lambda: close(case, operator, now)) == "approval_needed"
    assert "Чека нет" in Item.objects.get(kind="case").preview
    ask(case, rule, operator, now)


def test_nobody_approves_what_is_ones_own(case, operator, bosses, now):
    """The one who asks, who opened the ticket, and who has it now: also when they are named by the rule or stand in for another."""
    rule = a_rule()
    operator.roles.add(b.a_role("boss"))
    approval = ask(case, rule, operator, now)
    assert operator.pk not in approval.seats.values_list("staff", flat=True)
    assert refused(lambda: decide(approval, operator, now)) == "own"
    today = localdate(now)
    Absence.objects.create(staff=bosses[0], substitute=operator, since=today, until=today)
    assert refused(lambda: decide(approval, operator, now)) == "own"
    Case.objects.filter(pk=case.pk).update(owner=bosses[1])
    assert refused(lambda: decide(approval, bosses[1], now)) == "own"
    decide(approval, bosses[2], now)


def test_a_person_decides_once_and_strangers_never(case, operator, bosses, now):
    approval = ask(case, a_rule(quorum=2), operator, now)
    decide(approval, bosses[0], now)
    assert refused(lambda: decide(approval, bosses[0], now)) == "not_allowed"
    stranger = b.a_person("stranger", "Посторонний", role=b.a_role("nobody-special", [Right.CASES_READ]))
    assert refused(lambda: decide(approval, stranger, now)) == "not_allowed"
    with pytest.raises(IntegrityError):
        ApprovalSeat.objects.filter(staff=bosses[1]).update(decision="yes", by=bosses[0], at=now)


def test_a_substitute_decides_in_the_days_of_absence_and_gets_the_letter(case, operator, bosses, now):
    stand_in, today = a_boss("zamenin"), localdate(now)
    stand_in.roles.clear()
    stand_in.roles.add(b.a_role("reader", [Right.CASES_READ]))
    Absence.objects.create(staff=bosses[0], substitute=stand_in, since=today, until=today)
    approval = ask(case, a_rule(quorum=3), operator, now)
    addresses = set(CaseLetter.objects.values_list("address", flat=True))
    assert addresses == {"zamenin@lukoshko.example", "sokolov@lukoshko.example", "vorobev@lukoshko.example"}
    decide(approval, stand_in, now)
    seat = approval.seats.get(staff=bosses[0])
    assert (seat.by, seat.decision) == (stand_in, "yes")
    assert refused(lambda: decide(approval, bosses[0], now)) == "not_allowed"


@pytest.mark.parametrize("question", ["", "   "])
def test_a_question_has_words(case, operator, bosses, now, question):
    assert refused(lambda: ask(case, a_rule(), operator, now, question)) == "empty"


def test_a_decision_has_a_reason(case, operator, bosses, now):
    approval = ask(case, a_rule(), operator, now)
    assert refused(lambda: decide(approval, bosses[0], now, reason=" ")) == "reason_needed"


def test_too_few_people_or_another_topic_s_rule_is_refused(case, operator, bosses, now):
    assert refused(lambda: ask(case, a_rule(quorum=4), operator, now)) == "too_few"
    assert refused(lambda: ask(case, a_rule(topic=b.a_topic("other")), operator, now)) == "other_rule"
    Staff.objects.filter(pk=bosses[0].pk).update(is_active=False)
    assert refused(lambda: ask(case, a_rule(quorum=3), operator, now)) == "too_few"


# Timers


@pytest.fixture
def post(monkeypatch):
    sent = []

    class Post:
        def send(self, letter):
            sent.append(letter)
            return Outcome(DeliveryState.SENT)

    monkeypatch.setitem(senders._senders, str(Channel.EMAIL), Post())
    return sent


def test_reminders_go_to_who_has_not_decided_each_once(case, operator, bosses, post, now):
    approval = ask(case, a_rule(quorum=2, hours=10, remind_hours=4), operator, now)
    decide(approval, bosses[0], now)
    for _ in range(3):
        approval_ticks.tick(now=now + 4 * HOUR)
    mailing.send_due(now=now + 4 * HOUR)
    addresses = sorted(letter.address.split("@")[0] for letter in post)
    assert addresses == ["orlova", "sokolov", "sokolov", "vorobev", "vorobev"]
    assert f"/approvals/{approval.pk}/" in post[0].text
    approval_ticks.tick(now=now + 8 * HOUR)
    approval.refresh_from_db()
    assert (approval.reminders, approval.next_at) == (2, approval.deadline_at)


def test_a_letter_of_what_is_decided_does_not_go_out(case, operator, bosses, post, now):
    decide(ask(case, a_rule(), operator, now), bosses[0], now)
    mailing.send_due(now=now)
    assert post == []


def test_when_the_time_is_over_others_are_asked_and_after_them_it_has_expired(case, operator, bosses, now):
    chief = b.a_person("chief", "Главный", role=b.a_role("chief", [Right.CASES_READ]))
    approval = ask(case, a_rule(hours=5, remind_hours=0, then_role=b.a_role("chief")), operator, now)
    assert refused(lambda: decide(approval, bosses[0], now + 5 * HOUR)) == "too_late"
    approval_ticks.tick(now=now + 5 * HOUR)
    approval.refresh_from_db()
    assert (approval.round, approval.state, approval.seats.filter(staff=chief).count()) == (2, ApprovalState.WAITING, 1)
    assert CaseStep.objects.filter(case=case, step=Step.ESCALATED).count() == 1
    approval_ticks.tick(now=now + 9 * HOUR)
    assert Approval.objects.get().state == ApprovalState.WAITING
    approval_ticks.tick(now=now + 10 * HOUR)
    assert Approval.objects.get().state == ApprovalState.EXPIRED
    assert refused(lambda: close(case, operator, now + 10 * HOUR)) == "approval_needed"


def test_the_others_decide_in_their_time(case, operator, bosses, now):
    chief = b.a_person("chief", "Главный", role=b.a_role("chief", [Right.CASES_READ]))
    approval = ask(case, a_rule(hours=5, then_role=b.a_role("chief")), operator, now)
    approval_ticks.tick(now=now + 5 * HOUR)
    decide(approval, chief, now + 6 * HOUR)
    close(case, operator, now + 6 * HOUR)
    case.refresh_from_db()
    assert (Approval.objects.get().state, case.state) == (ApprovalState.APPROVED, CaseState.CLOSED)


def test_a_question_about_a_closed_ticket_falls_away(case, operator, bosses, now):
    ask(case, a_rule(hours=5), operator, now)
    close(case, operator, now, Cause.NO_ANSWER)
    approval_ticks.tick(now=now + 4 * HOUR)
    assert Approval.objects.get().state == ApprovalState.WITHDRAWN


def test_who_asked_takes_it_back(case, operator, bosses, now):
    approval = ask(case, a_rule(), operator, now)
    assert refused(lambda: approvals.withdraw(approval_id=approval.pk, by=bosses[0], now=now)) == "not_allowed"
    approvals.withdraw(approval_id=approval.pk, by=operator, now=now)
    assert refused(lambda: decide(approval, bosses[0], now)) == "decided"


# The page


def signed_in(person):
    client = Client(enforce_csrf_checks=False)
    client.force_login(person)
    return client


def test_those_who_approve_see_it_and_decide_on_the_page(case, operator, bosses, now):
    approval = ask(case, a_rule(), operator, now)
    client = signed_in(bosses[0])
    address = reverse("approval", kwargs={"approval_id": approval.pk})
    assert address in client.get("/approvals/").content.decode()
    shown = client.get(address).content.decode()
    assert "Вернуть 12 000 ₽" in shown
    assert "123-45-67" not in shown
    assert client.post(f"{address}decide/", {"decision": "yes", "reason": ""}).status_code == 400
    assert client.post(f"{address}decide/", {"decision": "maybe", "reason": "x"}).status_code == 400
    assert client.post(f"{address}decide/", {"decision": "yes", "reason": "Чек есть"}).status_code == 302
    assert Approval.objects.get().state == ApprovalState.APPROVED
    assert address not in client.get("/approvals/").content.decode()
    assert "<textarea" not in client.get(address).content.decode()


def test_strangers_do_not_see_it(case, operator, bosses, now):
    approval = ask(case, a_rule(), operator, now)
    stranger = b.a_person("stranger", "Посторонний", role=b.a_role("reader", [Right.CASES_READ]))
    for address in (f"/approvals/{approval.pk}/", f"/approvals/{approval.pk}/decide/"):
        assert signed_in(stranger).get(address).status_code in {404, 405}
        assert signed_in(stranger).post(address, {"decision": "yes", "reason": "x"}).status_code in {404, 405}


@pytest.mark.django_db(transaction=True)
def test_decisions_at_once_are_counted_once_each(operator, bosses, now):
    session = a_session(operator, now=now)
    case = opening.open_ticket(session_id=session.pk, topic=b.a_topic(), by=operator, now=now)
    approval = ask(case, a_rule(quorum=2), operator, now)
    begin, found = threading.Barrier(6), []

    def press(by):
        begin.wait()
        try:
            decide(approval, by, timezone.now())
            found.append("counted")
        except Refusal as refusal:
            found.append(refusal.code)
        finally:
            connection.close()

    threads = [threading.Thread(target=press, args=(by,)) for by in (*bosses, *bosses)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert found.count("counted") == 2
    assert set(found) <= {"counted", "decided", "not_allowed"}
    approval.refresh_from_db()
    assert (approval.state, approval.seats.exclude(by=None).count()) == (ApprovalState.APPROVED, 2)
    assert CaseStep.objects.filter(step=Step.APPROVED).count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_tickers_remind_once(operator, bosses, now):
    session = a_session(operator, now=now)
    case = opening.open_ticket(session_id=session.pk, topic=b.a_topic(), by=operator, now=now)
    ask(case, a_rule(hours=10, remind_hours=4), operator, now)
    begin = threading.Barrier(3)

    def run():
        begin.wait()
        approval_ticks.tick(now=now + 4 * HOUR)
        connection.close()

    threads = [threading.Thread(target=run) for _ in range(3)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert (CaseLetter.objects.count(), Approval.objects.get().reminders) == (6, 1)
