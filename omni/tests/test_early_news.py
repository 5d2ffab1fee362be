"""News of a message that is not here yet: a deletion waits for it, a status is kept for a while."""

import threading
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from omni.channels.contract import Retry, Sent
from omni.channels.facebook.tests.conftest import SECRETS, facebook_frame, server, settings_of  # noqa: F401  fixtures
from omni.models import Attempt, ChannelAccount, EarlyStatus, InboundEvent, Message, Session
from omni.services import answering, journal, sending
from omni.states import EventState, SendState
from tests import builders as b
from tests import channel_checks as checks

pytestmark = pytest.mark.django_db


@pytest.fixture
def account(facebook_frame, server):  # noqa: F811  fixtures
    return b.an_account("facebook", settings=settings_of(facebook_frame), **SECRETS)


@pytest.fixture
def said_and_taken_back(server, account):  # noqa: F811
    [said] = server.guest_says("Где кефир?", comment=True)
    [item] = journal.adapter_for("facebook").parse(_raw(said), account.config())
    [taken_back] = server.guest_says(remove=item.external_id)
    return said, taken_back


def _raw(event):
    return journal.RawEvent(event.body, {name.lower(): value for name, value in event.headers.items()}, timezone.now())


def deliver(client, account, event):
    assert checks.deliver(client, account, event.body, headers=event.headers).status_code == 200
    return InboundEvent.objects.latest("pk")


def test_a_deletion_waits_for_its_message(client, account, said_and_taken_back):
    said, taken_back = said_and_taken_back
    now = timezone.now()
    early = deliver(client, account, taken_back)
    assert journal.process(early.pk, now=now) == EventState.RECEIVED
    early.refresh_from_db()
    assert (early.next_at, early.tries) == (now + timedelta(seconds=5), 1)
    assert journal.find_left_behind(now=now + timedelta(seconds=4), older_than=timedelta(0)) == []
    journal.process(deliver(client, account, said).pk, now=now)
    later = timezone.now() + timedelta(seconds=6)
    assert journal.find_left_behind(now=later, older_than=timedelta(0)) == [early.pk]
    assert journal.process(early.pk, now=later) == EventState.PROCESSED
    assert Message.objects.get().deleted_at == later


def test_a_deletion_of_what_never_came_ends(client, account, said_and_taken_back):
    early = deliver(client, account, said_and_taken_back[1])
    ended = [journal.process(early.pk, now=timezone.now()) for _try in range(len(journal.RETRY_AFTER) + 1)]
    assert ended == [EventState.RECEIVED] * len(journal.RETRY_AFTER) + [EventState.PROCESSED]
    assert journal.process(early.pk, now=timezone.now(), again=True) == EventState.PROCESSED, "a replay does not begin to wait again"
    assert Message.objects.count() == 0


def test_statuses_of_nothing_are_forgotten_after_a_week(account):
    now = timezone.now()
    for days in (6, 8):
        sending.apply_status(account=account, external_id=f"m{days}", state="delivered", error="", now=now - timedelta(days=days))
    assert sending.forget_early(now=now) == 1
    assert EarlyStatus.objects.get().external_id == "m6"


def an_attempt(account, now):
    """An answer that is being handed to the channel."""
    b.receive(account, b.telegram_update(1), now=now)
    answering.answer(session_id=Session.objects.get().pk, text="Ответ", by=b.a_person(), now=now)
    Attempt.objects.update(state=SendState.SENDING)
    return Attempt.objects.get()


@pytest.mark.django_db(transaction=True)
def test_a_status_that_crosses_the_commit_of_its_messages_id_is_not_lost():
    account, now = b.an_account(), timezone.now()
    attempt = an_attempt(account, now)
    written, go_on = threading.Event(), threading.Event()

    def finish():
        try:
            with transaction.atomic():
                sending.finish(attempt_id=attempt.pk, result=Sent(("5:7",)), now=now)
                written.set()
                go_on.wait(10)
        finally:
            connection.close()

    beside = threading.Thread(target=finish)
    beside.start()
    assert written.wait(10)
    sending.apply_status(account=account, external_id="5:7", state="read", error="", now=now)
    go_on.set()
    beside.join(10)
    assert Message.objects.get(pk=attempt.message_id).send_state == SendState.SENT, "neither saw the other"
    assert sending.settle_early(now=now + timedelta(seconds=1)) == 0, "it may still be under way"
    assert sending.settle_early(now=now + timedelta(seconds=3)) == 1
    assert Message.objects.get(pk=attempt.message_id).send_state == SendState.READ
    assert not EarlyStatus.objects.exists()
    assert sending.settle_early(now=now + timedelta(seconds=4)) == 0


def test_a_status_of_nothing_is_not_looked_for_again_and_again():
    account, now = b.an_account(), timezone.now()
    sending.apply_status(account=account, external_id="foreign", state="read", error="", now=now)
    assert sending.settle_early(now=now + timedelta(seconds=3)) == 0
    assert EarlyStatus.objects.count() == 1


def test_a_mad_pause_neither_stops_an_account_for_months_nor_keeps_a_message_for_days():
    account, now = b.an_account(), timezone.now()
    attempt = an_attempt(account, now)
    throttled = Retry("throttled", "slow down", after=9_999_999, whole_account=True)
    sending.finish(attempt_id=attempt.pk, result=throttled, now=now)
    day = timedelta(hours=24)
    assert ChannelAccount.objects.get(pk=account.pk).paused_until == now + day
    second = Attempt.objects.get(number=2)
    assert (second.state, second.next_at) == (SendState.QUEUED, now + day)
    Attempt.objects.filter(pk=second.pk).update(state=SendState.SENDING)
    sending.finish(attempt_id=second.pk, result=throttled, now=now + day)
    assert Message.objects.get(pk=attempt.message_id).send_state == SendState.FAILED
    assert Attempt.objects.get(number=2).is_permanent


def test_a_failure_told_before_we_knew_the_id_gives_the_wait_back():
    account, now = b.an_account(), timezone.now()
    attempt = an_attempt(account, now)
    assert Session.objects.get().waiting_since is None
    sending.apply_status(account=account, external_id="5:7", state="failed", error="131026: undeliverable", now=now)
    sending.finish(attempt_id=attempt.pk, result=Sent(("5:7",)), now=now)
    message = Message.objects.get(pk=attempt.message_id)
    assert (message.send_state, message.send_error) == (SendState.FAILED, "131026: undeliverable")
    assert Session.objects.get().waiting_since is not None, "the guest waits as before"
    assert Attempt.objects.get().is_permanent


def test_news_of_a_part_wait_for_the_rest():
    account, now = b.an_account(), timezone.now()
    attempt = an_attempt(account, now)
    sending.finish(attempt_id=attempt.pk, result=Retry("partly_sent", "x", sent=("5:7",)), now=now)
    sending.apply_status(account=account, external_id="5:7", state="read", error="", now=now)
    Attempt.objects.filter(number=2).update(state=SendState.SENDING)
    sending.finish(attempt_id=Attempt.objects.get(number=2).pk, result=Sent(("5:7", "5:8")), now=now)
    assert Message.objects.get(pk=attempt.message_id).send_state == SendState.READ
