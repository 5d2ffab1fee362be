"""A guest is told of each state of a ticket once, where the guest wrote, by day, by consent; else by push or SMS; else not at all."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.utils import timezone

from customers.models import Consent, Guest
from omni.models import Attempt, ChannelAccount, Message, Notice, Session
from omni.services import conversations
from omni.states import AccountState, SessionState
from stores.models import Chain
from tests import builders as b
from tickets.models import AskingSettings, Case, CaseStep, GuestNotice, GuestText
from tickets.services import cases, opening, telling, topics
from tickets.states import CaseState, Cause, Step
from tickets.telling import GuestStatus, TellState, TellWay, Untold
from tickets.tests.asking_builders import a_mailed_store, a_session, a_store_case
from worklist.models import Item

pytestmark = pytest.mark.django_db
# Noon in Moscow.
NOON = datetime(2026, 11, 20, 9, tzinfo=UTC)
NIGHT = NOON + timedelta(hours=14)


@pytest.fixture(autouse=True)
def _fresh_tree():
    topics.forget()
    yield
    topics.forget()


@pytest.fixture
def operator():
    return b.a_person(groups=[b.a_group(), b.a_group("quality", "Качество")])


def a_text(status, text="{guest}, обращение {number} ({topic})", **fields):
    return GuestText.objects.create(status=status, title="Обращение {number}", text=text, **fields)


def open_case(operator, *, now=NOON, topic=None, store=None, **session):
    opened = a_session(operator, now=now, **session)
    return opening.open_ticket(session_id=opened.pk, topic=topic or b.a_topic(), by=operator, store=store, now=now)


def told():
    return [message.text for message in Message.objects.filter(direction="out").order_by("pk")]


def test_each_state_is_told_once_with_its_own_words(operator):
    for status in GuestStatus:
        a_text(status, f"{status}: {{number}}")
    case = open_case(operator)
    telling.tell_due(now=NOON)
    conversations.close(session_id=case.session_id, by=operator, now=NOON)
    cases.take(case_id=case.pk, by=operator, now=NOON)
    telling.tell_due(now=NOON)
    cases.wait_for(case_id=case.pk, state=CaseState.WAITING_GUEST, by=operator, now=NOON)
    telling.tell_due(now=NOON)
    b.receive(case.session.account, b.webchat_event(text="Вот чек"), now=NOON)
    cases.wait_for(case_id=case.pk, state=CaseState.WAITING_GUEST, by=operator, now=NOON)
    cases.close(case_id=case.pk, cause=Cause.SOLVED, by=operator, now=NOON)
    cases.reopen(case_id=case.pk, by=operator, reason="Ещё раз", now=NOON)
    cases.close(case_id=case.pk, cause=Cause.SOLVED, by=operator, now=NOON)
    for _ in range(3):
        telling.tell_due(now=NOON)
    assert told() == [f"{status}: {case.number}" for status in ("opened", "in_work", "waiting", "solved")]
    assert CaseStep.objects.filter(case=case, step=Step.NOTIFIED).count() == 4
    assert set(GuestNotice.objects.values_list("state", "way")) == {(TellState.TOLD, TellWay.CHANNEL)}


def test_a_notice_gives_nobody_work_and_opens_nothing(operator):
    a_text(GuestStatus.SOLVED)
    case = open_case(operator)
    conversations.close(session_id=case.session_id, by=operator, now=NOON)
    cases.close(case_id=case.pk, cause=Cause.SOLVED, by=operator, now=NOON)
    telling.tell_due(now=NOON)
    session = Session.objects.get()
    assert (session.state, session.waiting_since, len(told())) == (SessionState.CLOSED, None, 1)
    assert {item.state for item in Item.objects.all()} == {"closed"}
    assert Message.objects.get(direction="out").is_automatic
    assert Attempt.objects.count() == 1


def test_without_a_text_nothing_is_written_down(operator):
    a_text(GuestStatus.OPENED, is_active=False)
    open_case(operator)
    assert not GuestNotice.objects.exists()


def test_a_text_that_is_switched_off_goes_out_no_more_though_it_was_due(operator):
    text = a_text(GuestStatus.OPENED)
    open_case(operator)
    GuestText.objects.filter(pk=text.pk).update(is_active=False)
    telling.tell_due(now=NOON)
    assert told() == []
    assert GuestNotice.objects.get().state == TellState.SKIPPED


def test_the_words_of_the_nearest_topic_and_of_the_chain(operator):
    parent = b.a_topic("food")
    leaf = b.a_topic("curd", parent=parent)
    other = Chain.objects.create(code="other", name="Другая")
    a_text(GuestStatus.OPENED, "общие")
    a_text(GuestStatus.OPENED, "о еде", topic=parent)
    a_text(GuestStatus.OPENED, "о еде в Лукошке", topic=parent, chain=a_mailed_store().chain)
    a_text(GuestStatus.OPENED, "о еде у других", topic=parent, chain=other)
    open_case(operator, topic=leaf, store=a_mailed_store())
    open_case(operator, topic=leaf, visitor="v2")
    open_case(operator, topic=b.a_topic("elsewhere"), store=a_mailed_store(), visitor="v3")
    telling.tell_due(now=NOON)
    assert told() == ["о еде в Лукошке", "о еде", "общие"]


@pytest.mark.parametrize(
    ("spoken", "known", "told_in"),
    [("en", "ru", "en"), ("", "en", "en"), ("", "ru", "ru"), ("ru", "en", "ru"), ("de", "ru", "ru"), ("", "", "ru")],
)
def test_a_guest_is_told_in_the_own_language_and_else_in_russian(operator, spoken, known, told_in):
    topic = b.a_topic(name_en="Expired goods")
    for language in ("ru", "en"):
        a_text(GuestStatus.OPENED, f"{language}: {{topic}}", language=language)
    opened = a_session(operator, now=NOON)
    Session.objects.update(language=spoken)
    opened.guest.__class__.objects.update(language=known)
    opening.open_ticket(session_id=opened.pk, topic=topic, by=operator, now=NOON)
    telling.tell_due(now=NOON)
    assert told() == [{"ru": f"ru: {topic.name}", "en": "en: Expired goods"}[told_in]]


def test_russian_words_of_the_topic_do_when_there_are_none_in_the_language(operator):
    a_text(GuestStatus.OPENED, "по-русски", topic=b.a_topic())
    a_text(GuestStatus.OPENED, "elsewhere", topic=b.a_topic("elsewhere"), language="en")
    opened = a_session(operator, now=NOON)
    Session.objects.update(language="en")
    opening.open_ticket(session_id=opened.pk, topic=b.a_topic(), by=operator, now=NOON)
    telling.tell_due(now=NOON)
    assert told() == ["по-русски"]


def test_names_are_filled_in_and_braces_of_a_guest_are_not(operator):
    a_text(GuestStatus.OPENED)
    case = open_case(operator)
    Guest.objects.update(name="{number} Петрова")
    telling.tell_due(now=NOON)
    assert told() == [f"{{number}}, обращение {case.number} ({case.topic.name})"]


def test_at_night_it_waits_for_the_morning_unless_the_guest_wrote_a_moment_ago(operator):
    a_text(GuestStatus.OPENED)
    a_text(GuestStatus.SOLVED, "решено")
    case = open_case(operator, now=NIGHT)
    telling.tell_due(now=NIGHT + timedelta(minutes=5))
    assert len(told()) == 1
    cases.close(case_id=case.pk, cause=Cause.SOLVED, by=operator, now=NIGHT + timedelta(hours=1))
    telling.tell_due(now=NIGHT + timedelta(hours=1))
    assert len(told()) == 1
    morning = GuestNotice.objects.get(status=GuestStatus.SOLVED).next_at
    assert morning == datetime(2026, 11, 21, 6, tzinfo=UTC)
    telling.tell_due(now=morning)
    assert told()[-1] == "решено"


def test_what_is_no_longer_so_is_not_told(operator):
    a_text(GuestStatus.IN_WORK)
    case = open_case(operator)
    cases.take(case_id=case.pk, by=operator, now=NOON)
    cases.close(case_id=case.pk, cause=Cause.SOLVED, by=operator, now=NOON)
    telling.tell_due(now=NOON)
    assert told() == []
    assert GuestNotice.objects.get().why_not == Untold.OUTDATED


def withdraw(session):
    Consent.objects.create(identity=session.identity, given_at=NOON, withdrawn_at=NOON)


def block(session):
    session.identity.blocked_at = NOON
    session.identity.save()


def switch_off(session):
    ChannelAccount.objects.update(state=AccountState.DISABLED)


def make_public(session):
    AskingSettings.objects.create(pk=1, public_channels=[session.account.kind])


@pytest.mark.parametrize(
    ("change", "why", "noticed"),
    [(withdraw, Untold.NO_CONSENT, 0), (block, Untold.NOWHERE, 1), (switch_off, Untold.NOWHERE, 1), (make_public, Untold.NOWHERE, 1)],
)
@pytest.mark.parametrize("falls_back", [False, True])
def test_where_the_channel_is_closed_push_or_sms_stand_in_if_the_text_says_so(operator, change, why, noticed, falls_back):
    a_text(GuestStatus.OPENED, falls_back=falls_back)
    case = open_case(operator)
    change(case.session)
    telling.tell_due(now=NOON)
    row = GuestNotice.objects.get()
    assert told() == []
    if falls_back and noticed:
        notice = Notice.objects.get(key=f"case:{case.pk}:opened")
        assert (row.state, row.way, row.notice, notice.guest) == (TellState.TOLD, TellWay.NOTICE, notice, case.guest)
        assert case.number in notice.text
    else:
        assert (row.state, row.why_not, Notice.objects.count()) == (TellState.SKIPPED, why, 0)


def test_a_ticket_that_goes_to_its_store_at_once_is_told_as_opened(operator):
    a_text(GuestStatus.OPENED)
    a_store_case(operator, now=NOON)
    telling.tell_due(now=NOON)
    assert len(told()) == 1


@pytest.mark.django_db(transaction=True)
def test_four_workers_tell_once(operator):
    now = timezone.now()
    a_text(GuestStatus.OPENED)
    open_case(operator, now=now)
    begin = threading.Barrier(4)

    def run():
        begin.wait()
        telling.tell_due(now=now)
        connection.close()

    threads = [threading.Thread(target=run) for _ in range(4)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert (len(told()), Case.objects.count()) == (1, 1)
