"""The question of satisfaction: once for each ticket; a bare mark in the next message answers it, anything else is a message."""

import threading
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from escalation import senders
from escalation.senders import Outcome
from escalation.states import Channel, DeliveryState
from omni.models import Message, Notice, Session
from omni.services import answering, conversations
from omni.states import SessionState
from tests import builders as b
from tickets import tokens
from tickets.models import CaseLetter, CaseStep, Survey, SurveyRule
from tickets.services import cases, mailing, opening, surveys
from tickets.states import CaseState, Cause, Step
from tickets.telling import OnLow, SurveyState, Untold
from tickets.tests.asking_builders import a_session

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 11, 20, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)
LATER = NOON + HOUR


@pytest.fixture
def operator():
    return b.a_person(groups=[b.a_group(), b.a_group("quality", "Качество")])


@pytest.fixture
def account():
    return b.an_account("webchat")


def a_rule(**fields):
    texts = {"question": "Оцените от 1 до 5", "link_question": "Оцените: {link}", "comment_question": "Что улучшить?", "thanks": "Спасибо!"}
    return SurveyRule.objects.create(name="Оценка", **{**texts, **fields})


def closed_case(operator, account, *, now=NOON, cause=Cause.SOLVED, visitor="visitor-1"):
    session = a_session(operator, now=now, account=account, visitor=visitor)
    case = opening.open_ticket(session_id=session.pk, topic=b.a_topic(), by=operator, now=now)
    conversations.close(session_id=session.pk, by=operator, now=now)
    cases.close(case_id=case.pk, cause=cause, by=operator, now=now)
    return case


def said(account, text, *, now=LATER, visitor="visitor-1"):
    b.receive(account, b.webchat_event(visitor=visitor, text=text), now=now)


def ours():
    return list(Message.objects.filter(direction="out").order_by("pk").values_list("text", flat=True))


def asked(operator, account, **rule):
    a_rule(**rule)
    case = closed_case(operator, account)
    surveys.ask_due(now=LATER)
    return case


def test_it_is_asked_once_after_the_delay_with_buttons(operator, account):
    a_rule(delay_minutes=60)
    case = closed_case(operator, account)
    surveys.ask_due(now=LATER - timedelta(seconds=1))
    assert ours() == []
    for _ in range(3):
        surveys.ask_due(now=LATER)
    assert ours() == ["Оцените от 1 до 5"]
    question = Survey.objects.get(case=case).asked
    assert question.choices.labels == ["5", "4", "3", "2", "1"]
    assert Session.objects.get().state == SessionState.CLOSED


def test_a_question_that_is_switched_off_is_asked_no_more_though_it_was_due(operator, account):
    a_rule()
    closed_case(operator, account)
    SurveyRule.objects.update(is_active=False)
    surveys.ask_due(now=LATER)
    assert ours() == []
    assert Survey.objects.get().state == SurveyState.SKIPPED


def test_a_bare_mark_is_kept_with_the_ticket_and_opens_no_dialogue(operator, account):
    case = asked(operator, account)
    said(account, "4")
    survey = Survey.objects.get()
    assert (survey.mark, survey.state) == (4, SurveyState.MARKED)
    assert (Session.objects.get().state, Session.objects.get().waiting_since) == (SessionState.CLOSED, None)
    assert ours()[-1] == "Что улучшить?"
    assert CaseStep.objects.get(case=case, step=Step.RATED).details == {"mark": 4}


def test_the_comment_is_asked_for_once_and_a_kind_one_opens_nothing(operator, account):
    asked(operator, account)
    said(account, "5")
    said(account, "Быстро ответили")
    survey = Survey.objects.get()
    assert (survey.comment, survey.state) == ("Быстро ответили", SurveyState.DONE)
    assert Session.objects.get().state == SessionState.CLOSED
    assert ours() == ["Оцените от 1 до 5", "Что улучшить?", "Спасибо!"]
    said(account, "А ещё у вас пропал творог")
    assert Session.objects.get().state == SessionState.WAITING
    assert Survey.objects.get().comment == "Быстро ответили"


@pytest.mark.parametrize(("mark", "words"), [("1", "Никто не ответил"), ("5", "А когда вернёте деньги?")])
def test_a_comment_that_complains_or_asks_is_kept_and_reaches_people(operator, account, mark, words):
    asked(operator, account)
    said(account, mark)
    said(account, words)
    assert Survey.objects.get().comment == words
    session = Session.objects.get()
    assert (session.state, session.waiting_since is not None) == (SessionState.WAITING, True)


def test_another_bare_mark_changes_the_mark(operator, account):
    asked(operator, account)
    said(account, "1")
    said(account, "5")
    assert (Survey.objects.get().mark, len(ours())) == (5, 2)


@pytest.mark.parametrize("words", ["Спасибо!", "5 штук", "касса 5", "10"])
def test_any_other_text_is_a_message_like_any_other(operator, account, words):
    asked(operator, account)
    said(account, words)
    assert Survey.objects.get().mark is None
    assert Session.objects.get().state == SessionState.WAITING
    said(account, "5")
    assert Survey.objects.get().mark is None, "only the next message is an answer"


def test_a_number_in_a_later_talk_is_no_mark(operator, account):
    asked(operator, account)
    said(account, "Где мой возврат?")
    session = Session.objects.get()
    conversations.take(session_id=session.pk, by=operator, now=LATER)
    answering.answer(session_id=session.pk, text="Сколько пачек вы купили?", by=operator, now=LATER)
    said(account, "5")
    assert Survey.objects.get().mark is None


def test_a_mark_of_somebody_else_or_too_late_is_no_mark(operator, account):
    asked(operator, account, keeps_hours=2)
    said(account, "5", visitor="stranger")
    said(account, "5", now=LATER + 3 * HOUR)
    assert Survey.objects.get().mark is None


def test_a_guest_without_questions_writes_numbers_as_ever(operator, account):
    said(account, "5", now=NOON)
    assert Session.objects.get().state == SessionState.WAITING


def test_the_same_message_twice_is_one_mark(operator, account):
    asked(operator, account)
    body = b.webchat_event(text="4", client_id=uuid.uuid4())
    b.receive(account, body, now=LATER)
    b.receive(account, body, now=LATER)
    assert Message.objects.filter(direction="in", text="4").count() == 1
    assert len(ours()) == 2


def test_nobody_is_asked_in_the_middle_of_a_talk_nor_after_it_was_opened_again(operator, account):
    a_rule()
    case = closed_case(operator, account)
    said(account, "Ещё вопрос", now=NOON + timedelta(minutes=30))
    surveys.ask_due(now=LATER)
    assert ours() == []
    assert Survey.objects.get().state == SurveyState.DUE
    conversations.close(session_id=Session.objects.get().pk, by=operator, now=LATER)
    cases.reopen(case_id=case.pk, by=operator, reason="Вернулся", now=LATER)
    surveys.ask_due(now=LATER + HOUR)
    assert (Survey.objects.get().state, Survey.objects.get().why_not) == (SurveyState.SKIPPED, Untold.OUTDATED)
    cases.close(case_id=case.pk, cause=Cause.SOLVED, by=operator, now=LATER + HOUR)
    surveys.ask_due(now=LATER + 3 * HOUR)
    assert ours() == ["Оцените от 1 до 5"], "asked after the last close"
    cases.reopen(case_id=case.pk, by=operator, reason="Вернулся", now=LATER + 3 * HOUR)
    cases.close(case_id=case.pk, cause=Cause.SOLVED, by=operator, now=LATER + 3 * HOUR)
    surveys.ask_due(now=LATER + 6 * HOUR)
    assert len(ours()) == 1, "once for each ticket"


def test_one_guest_is_not_asked_too_often(operator, account):
    a_rule(rest_days=7)
    closed_case(operator, account)
    surveys.ask_due(now=LATER)
    closed_case(operator, account, now=LATER + HOUR)
    surveys.ask_due(now=LATER + 3 * HOUR)
    assert Survey.objects.latest("pk").why_not == Untold.RESTING
    assert len(ours()) == 1


@pytest.mark.parametrize("cause", [Cause.DUPLICATE, Cause.NO_ANSWER])
def test_some_causes_ask_nothing(operator, account, cause):
    a_rule()
    closed_case(operator, account, cause=cause)
    assert not Survey.objects.exists()


def test_a_low_mark_opens_the_ticket_again_if_the_rule_says_so(operator, account):
    case = asked(operator, account, on_low=OnLow.REOPEN)
    said(account, "2")
    case.refresh_from_db()
    assert (case.state, case.owner) == (CaseState.REOPENED, None)
    assert Session.objects.get().state == SessionState.PARKED
    assert CaseStep.objects.get(case=case, step=Step.REOPENED).by is None


def test_a_low_mark_writes_one_letter_with_the_comment(operator, account, monkeypatch):
    sent = []

    class Post:
        def send(self, letter):
            sent.append(letter)
            return Outcome(DeliveryState.SENT)

    monkeypatch.setitem(senders._senders, str(Channel.EMAIL), Post())
    case = asked(operator, account, on_low=OnLow.ALERT, alert_address="boss@lukoshko.example")
    said(account, "1")
    said(account, "Хуже некуда")
    mailing.send_due(now=LATER)
    assert sent == []
    mailing.send_due(now=LATER + timedelta(minutes=15))
    assert [letter.address for letter in sent] == ["boss@lukoshko.example"]
    assert f"/desk/case/{case.pk}/" in sent[0].text
    assert CaseLetter.objects.count() == 1


@pytest.mark.parametrize("mark", ["3", "5"])
def test_a_mark_that_is_not_low_does_nothing_more(operator, account, mark):
    case = asked(operator, account, on_low=OnLow.REOPEN)
    said(account, mark)
    case.refresh_from_db()
    assert case.state == CaseState.CLOSED


# By link


def link_of(survey, name="mark_link"):
    return reverse(name, kwargs={"token": tokens.token_of("mark", survey.public_id)})


def test_the_page_takes_a_mark_a_comment_and_another_mark(operator, account):
    case = asked(operator, account)
    survey = Survey.objects.get()
    Survey.objects.update(expires_at=timezone.now() + HOUR)
    client = Client(enforce_csrf_checks=True)
    assert client.get(link_of(survey)).status_code == 200
    key = {"csrfmiddlewaretoken": client.cookies["csrftoken"].value}
    assert client.post(link_of(survey, "mark_link_give"), {"mark": "2", "comment": "Долго", **key}).status_code == 302
    client.post(link_of(survey, "mark_link_give"), {"mark": "4", "comment": "Другое", **key})
    survey.refresh_from_db()
    assert (survey.mark, survey.comment, survey.state) == (4, "Долго", SurveyState.DONE)
    assert CaseStep.objects.filter(case=case, step=Step.RATED).count() == 2
    assert ours() == ["Оцените от 1 до 5"]


def test_a_low_mark_by_link_opens_the_ticket_again(operator, account):
    case = asked(operator, account, on_low=OnLow.REOPEN)
    Survey.objects.update(expires_at=timezone.now() + HOUR)
    assert Client().post(link_of(Survey.objects.get(), "mark_link_give"), {"mark": "1"}).status_code == 302
    case.refresh_from_db()
    assert (case.state, Session.objects.get().state) == (CaseState.REOPENED, SessionState.PARKED)


@pytest.mark.parametrize("mark", ["", "0", "6", "x", "²", "55"])
def test_the_page_takes_no_other_mark(operator, account, mark):
    asked(operator, account)
    Survey.objects.update(expires_at=timezone.now() + HOUR)
    survey = Survey.objects.get()
    assert Client().post(link_of(survey, "mark_link_give"), {"mark": mark}).status_code == 400
    assert Survey.objects.get().mark is None


def test_a_forged_or_old_link_is_refused(operator, account):
    asked(operator, account)
    survey = Survey.objects.get()
    Survey.objects.update(expires_at=timezone.now() - HOUR)
    assert Client().get(link_of(survey)).status_code == 410
    assert Client().get("/m/forged/").status_code == 404
    assert Client().get(reverse("mark_link", kwargs={"token": tokens.token_of("store", survey.public_id)})).status_code == 404


def test_where_the_channel_is_closed_the_link_goes_by_push_or_sms(operator, account):
    a_rule(falls_back=True)
    closed_case(operator, account)
    identity = Session.objects.get().identity
    identity.blocked_at = NOON
    identity.save()
    surveys.ask_due(now=LATER)
    survey = Survey.objects.get()
    assert (survey.state, survey.way, survey.identity) == (SurveyState.ASKED, "notice", None)
    assert tokens.token_of("mark", survey.public_id) in Notice.objects.get().text


@pytest.mark.django_db(transaction=True)
def test_four_workers_ask_once_and_equal_marks_in_parallel_are_one(operator, account):
    a_rule()
    closed_case(operator, account)

    def at_once(deed, number=4):
        begin = threading.Barrier(number)

        def run(at):
            begin.wait()
            deed(at)
            connection.close()

        threads = [threading.Thread(target=run, args=(at,)) for at in range(number)]
        [thread.start() for thread in threads]
        [thread.join() for thread in threads]

    at_once(lambda _at: surveys.ask_due(now=LATER))
    assert len(ours()) == 1
    at_once(lambda at: said(account, str(at + 1)))
    assert (CaseStep.objects.filter(step=Step.RATED).count(), len(ours())) == (4, 2)
    assert Session.objects.get().state == SessionState.CLOSED
