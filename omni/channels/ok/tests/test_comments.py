"""Comments under a group's topics: asked for by signed calls, kept once, never answered with a private word; and with faults."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from core.refusal import Refusal
from omni.channels.contract import Failed, PollFault
from omni.channels.ok.adapter import OkAdapter
from omni.channels.ok.tests.conftest import GUEST, SECRET, account_of, outgoing, settings_of
from omni.models import InboundEvent, Message, PollPosition
from omni.services import answering, naming, polling
from omni.services.reach import is_private
from omni.states import AccountState, SendState
from tests import builders as b
from tests.channel_checks import deliver, process_all, send_all
from tests.providers.faults import Fault, FaultKind
from tests.providers.ok import APPLICATION_KEY, APPLICATION_SECRET, COMMENTS_TOKEN, GROUP, TOKEN

NOW = timezone.now()
TOPIC = "155500777"
KEYS = {"comments_token": COMMENTS_TOKEN, "application_secret": APPLICATION_SECRET}
PLACES = {"group_id": GROUP, "application_key": APPLICATION_KEY}
poll = OkAdapter().poll


@pytest.fixture
def config(ok_frame, server):
    """An account with all that comments need; the group has one topic."""
    server.topic(TOPIC, "Скидки недели\nи ещё слова")
    return account_of(ok_frame, settings=PLACES, secrets=KEYS)


def texts(polled):
    return [OkAdapter().parse(event, None)[0].text for event in polled.events]


def test_without_a_key_nobody_is_asked(server, account):
    polled = poll(account, {"topics": {}}, now=NOW)
    assert (list(polled.events), dict(polled.cursor), polled.heals) == ([], {"topics": {}}, False)


def test_only_what_is_new_is_told_in_its_order(server, config):
    server.comment(TOPIC, "очень старый", "571", at=NOW - timedelta(days=3))
    server.comment(TOPIC, "первый", "571", at=NOW - timedelta(hours=2))
    server.comment(TOPIC, "второй", "572", at=NOW - timedelta(hours=1))
    first = poll(config, {}, now=NOW)
    assert texts(first) == ["первый", "второй"]
    server.comment(TOPIC, "третий", "571", at=NOW - timedelta(minutes=1))
    second = poll(config, first.cursor, now=NOW)
    assert texts(second) == ["второй", "третий"], "what is as old as the mark comes again; the journal knows it"
    assert server.violations.after() == []


def test_more_comments_than_a_page_holds(server, config):
    for number in range(250):
        server.comment(TOPIC, f"№ {number}", "571", at=NOW - timedelta(minutes=300 - number))
    server.topic("155500778", "Другая тема")
    server.comment("155500778", "и тут", "571", at=NOW)
    assert sorted(texts(poll(config, {}, now=NOW))) == sorted([f"№ {number}" for number in range(250)] + ["и тут"])
    assert server.violations.after() == []


FAULTS = {
    "too fast": (FaultKind.THROTTLED, "просит подождать", 60.0, False),
    "out of order": (FaultKind.SERVER_ERROR, "500", None, False),
    "garbage": (FaultKind.GARBAGE, "не удалось прочитать", None, False),
    "a key taken back": (FaultKind.TOKEN_REVOKED, "не принимает наш ключ: 102", None, True),
}


@pytest.mark.parametrize(("kind", "words", "after", "refused"), FAULTS.values(), ids=FAULTS)
def test_faults(server, config, kind, words, after, refused):
    server.faults.add(Fault(kind))
    with pytest.raises(PollFault, match=words) as fault:
        poll(config, {}, now=NOW)
    assert (fault.value.after, fault.value.refused) == (after, refused)


WRONG = {
    "a wrong key": ({}, {"comments_token": "guessed"}, "103"),
    "a wrong signature": ({}, {"application_secret": "guessed"}, "104"),
    "another application": ({"application_key": "CGUESSED"}, {}, "101"),
    "no secret": ({}, {"application_secret": ""}, "application_secret"),
    "no group": ({"group_id": ""}, {}, "group_id"),
}


@pytest.mark.parametrize(("settings", "secrets", "words"), WRONG.values(), ids=WRONG)
def test_what_is_set_up_wrongly_is_said(ok_frame, server, settings, secrets, words):
    with pytest.raises(PollFault, match=words) as fault:
        poll(account_of(ok_frame, settings=PLACES | settings, secrets=KEYS | secrets), {}, now=NOW)
    assert fault.value.refused
    assert COMMENTS_TOKEN not in str(fault.value)


def test_the_connection_is_checked(ok_frame, server, account, config):
    assert len(OkAdapter().check(account, "https://desk/")) == 2, "nothing about comments without a key for them"
    assert OkAdapter().check(config, "https://desk/")[-1].works
    wrong = OkAdapter().check(account_of(ok_frame, settings=PLACES, secrets=KEYS | {"comments_token": "guessed"}), "https://desk/")[-1]
    assert (wrong.works, "103" in wrong.text) == (False, True)


def test_another_groups_number_is_no_refusal_of_the_key(ok_frame, server):
    with pytest.raises(PollFault, match="300: NOT_FOUND") as fault:
        poll(account_of(ok_frame, settings=PLACES | {"group_id": "1"}, secrets=KEYS), {}, now=NOW)
    assert not fault.value.refused


def test_a_comment_is_not_answered_with_a_message(server, config):
    result = OkAdapter().send(outgoing("Ответ", recipient=f"comments:{TOPIC}"), config)
    assert isinstance(result, Failed)
    assert (result.code, len(server.accepted.after())) == ("cannot_be_answered", 0)


@pytest.mark.django_db
def test_through_the_database(client, ok_frame, server):
    """A comment becomes a dialogue of its own beside the same person's messages, once; an answer is refused with a sentence."""
    account = b.an_account(
        "ok", settings=settings_of(ok_frame, **PLACES), access_token=TOKEN, webhook_secret=SECRET, comments_token=COMMENTS_TOKEN,
        application_secret=APPLICATION_SECRET,
    )  # fmt: skip
    server.topic(TOPIC, "Скидки недели")
    server.comment(TOPIC, "А в Химках есть?", str(GUEST), name="Анна Демо", at=NOW)
    (event,) = server.guest_says("Личный вопрос", id=GUEST)
    deliver(client, account, event.body, query=f"secret={SECRET}")
    polling.find_due(now=NOW)
    assert polling.poll(account.pk, now=NOW) == 1
    process_all(NOW)
    later = NOW + timedelta(seconds=121)
    assert polling.find_due(now=later) == [account.pk]
    assert polling.poll(account.pk, now=later) == 0, "known already"
    public, private = Message.objects.get(text="А в Химках есть?").session, Message.objects.get(text="Личный вопрос").session
    assert public != private
    assert (is_private(public), is_private(private)) == (False, True)
    assert InboundEvent.objects.count() == 2
    assert naming.name_guest(public.identity_id, now=later) == "Анна Демо"
    operator = b.a_person()
    with pytest.raises(Refusal) as refused:
        answering.answer(session_id=public.pk, text="Есть!", by=operator, now=later)
    assert refused.value.code == "unanswerable", "said before anybody writes"
    said = answering.answer(session_id=private.pk, text="Есть!", by=operator, now=later)
    send_all(later)
    said.refresh_from_db()
    assert said.send_state == SendState.SENT
    assert (len(server.accepted.after()), server.violations.after()) == (1, [])


@pytest.mark.django_db
def test_comments_neither_hide_nor_heal_what_ails_the_messages(ok_frame, server):
    account = b.an_account("ok", settings=settings_of(ok_frame, **PLACES), access_token=TOKEN, webhook_secret=SECRET, **KEYS)
    account.state, account.state_reason = AccountState.DEGRADED, "102: no such key"
    account.save()
    polling.find_due(now=NOW)
    polling.poll(account.pk, now=NOW)
    account.refresh_from_db()
    assert (account.state, account.state_reason) == (AccountState.DEGRADED, "102: no such key")
    server.faults.add(Fault(FaultKind.TOKEN_REVOKED))
    for seconds, state in ((200, AccountState.DEGRADED), (400, AccountState.ENABLED)):
        polling.poll(account.pk, now=NOW + timedelta(seconds=seconds))
        account.refresh_from_db()
        assert account.state == state
    assert PollPosition.objects.get().failures == 0


def test_the_clock_of_comments_is_moscows(server, config):
    server.comment(TOPIC, "когда?", "571", at=datetime(2026, 3, 3, 8, 0, 5, tzinfo=UTC))
    (event,) = poll(config, {"since": "2026-03-01 00:00:00"}, now=NOW).events
    assert OkAdapter().parse(event, config)[0].sent_at == datetime(2026, 3, 3, 8, 0, 5, tzinfo=UTC)
