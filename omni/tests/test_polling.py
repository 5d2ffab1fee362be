"""Asking providers: events and position together or not at all, faults and pauses, one process at a time."""

import threading
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from core.embedded.waiting import wait_until
from omni.channels.contract import Polled, PollFault, RawEvent
from omni.channels.wildberries.adapter import WildberriesAdapter
from omni.models import ChannelAccount, InboundEvent, PollPosition
from omni.services import journal, polling
from omni.states import AccountState
from tests import builders as b

pytestmark = pytest.mark.django_db
NOW = timezone.now()


class Provider:
    """Answers `poll` with what is queued: pages, or faults to raise."""

    def __init__(self, monkeypatch):
        self.answers, self.cursors = [], []
        monkeypatch.setattr(WildberriesAdapter, "poll", lambda _adapter, account, cursor, *, now: self.poll(cursor, now))

    def poll(self, cursor, now):
        self.cursors.append(dict(cursor))
        answer = self.answers.pop(0) if self.answers else Polled((), cursor)
        if isinstance(answer, Exception):
            raise answer
        return answer


def page(number, *, more=False, count=1):
    bodies = [f'{{"eventID": "e{number}-{part}", "chatID": "c", "sender": "client"}}' for part in range(count)]
    return Polled([RawEvent(body.encode(), {}, NOW) for body in bodies], {"at": number}, more)


@pytest.fixture
def provider(monkeypatch):
    return Provider(monkeypatch)


@pytest.fixture
def account(db):
    return b.an_account("wildberries", token="demo")


def position():
    return PollPosition.objects.get()


def due(now=NOW):
    return polling.find_due(now=now)


def test_all_pages_are_kept_and_the_position_moves(provider, account):
    provider.answers = [page(1, more=True, count=3), page(2, more=True), page(3)]
    assert due() == [account.pk]
    assert polling.poll(account.pk, now=NOW) == 5
    assert provider.cursors == [{}, {"at": 1}, {"at": 2}]
    assert (position().cursor, position().next_at) == ({"at": 3}, NOW + timedelta(seconds=30))
    assert InboundEvent.objects.count() == 5
    assert due() == []
    assert due(NOW + timedelta(seconds=30)) == [account.pk]


def test_the_accounts_own_pace(provider, account):
    ChannelAccount.objects.update(settings={"poll_seconds": 300})
    due()
    polling.poll(account.pk, now=NOW)
    assert position().next_at == NOW + timedelta(seconds=300)


def test_repeats_are_kept_once(provider, account):
    provider.answers = [page(1), page(1)]
    due()
    polling.poll(account.pk, now=NOW)
    polling.poll(account.pk, now=NOW + timedelta(seconds=60))
    assert InboundEvent.objects.count() == 1


def test_events_and_position_stand_or_fall_together(provider, account, monkeypatch):
    provider.answers = [page(1, more=True), page(2, count=2)]
    original, calls = journal.keep, []

    def failing(**what):
        calls.append(1)
        if len(calls) == 3:  # the second event of the second page
            raise RuntimeError("disk full")
        return original(**what)

    monkeypatch.setattr(journal, "keep", failing)
    due()
    assert polling.poll(account.pk, now=NOW) == 1
    assert position().cursor == {"at": 1}
    assert InboundEvent.objects.count() == 1, "neither half of the second page"
    monkeypatch.undo()
    again = Provider(monkeypatch)
    again.answers = [page(2, count=2)]
    polling.poll(account.pk, now=NOW + timedelta(seconds=10))
    assert (again.cursors, InboundEvent.objects.count()) == ([{"at": 1}], 3)


def test_faults_back_off_degrade_and_recover(provider, account):
    due()
    now = NOW
    for wait in (10, 30, 60, 300, 900, 900):
        provider.answers = [PollFault("out of order")]
        polling.poll(account.pk, now=now)
        assert position().next_at == now + timedelta(seconds=wait)
        assert polling.poll(account.pk, now=now + timedelta(seconds=wait - 1)) == 0, "not before its time"
        now += timedelta(seconds=wait)
        account.refresh_from_db()
        expected = AccountState.ENABLED if wait == 10 else AccountState.DEGRADED
        assert account.state == expected
    assert account.state_reason == "out of order"
    provider.answers = [page(1)]
    assert polling.poll(account.pk, now=now) == 1
    account.refresh_from_db()
    assert (account.state, account.state_reason, position().failures) == (AccountState.ENABLED, "", 0)


def test_the_pause_asked_for_is_kept_exactly(provider, account):
    provider.answers = [page(1, more=True), PollFault("slowly", after=17)]
    due()
    assert polling.poll(account.pk, now=NOW) == 1, "what came before the fault is kept"
    assert (position().next_at, position().cursor) == (NOW + timedelta(seconds=17), {"at": 1})


def test_a_refused_key_degrades_at_once(provider, account):
    provider.answers = [PollFault("no such key", refused=True)]
    due()
    polling.poll(account.pk, now=NOW)
    account.refresh_from_db()
    assert (account.state, account.state_reason) == (AccountState.DEGRADED, "no such key")


def test_an_account_out_of_order_for_a_year(provider, account):
    due()
    PollPosition.objects.update(failures=32_767)
    provider.answers = [PollFault("out of order")]
    polling.poll(account.pk, now=NOW)
    assert position().next_at == NOW + timedelta(seconds=900)


def test_an_adapters_bug_is_a_fault_and_holds_nothing_up(provider, account):
    provider.answers = [KeyError("result"), KeyError("result")]
    due()
    polling.poll(account.pk, now=NOW)
    polling.poll(account.pk, now=NOW + timedelta(seconds=10))
    account.refresh_from_db()
    assert (account.state, account.state_reason) == (AccountState.DEGRADED, "KeyError")


def test_secrets_that_cannot_be_opened(provider, account):
    ChannelAccount.objects.update(closed_secrets="broken")
    due()
    polling.poll(account.pk, now=NOW)
    assert position().failures == 1
    assert provider.cursors == []


def test_a_disabled_account_is_not_asked(provider, account):
    due()
    ChannelAccount.objects.update(state=AccountState.DISABLED)
    assert due() == []
    polling.poll(account.pk, now=NOW)
    assert provider.cursors == []


def test_a_channel_that_delivers_is_not_asked(provider):
    b.an_account("telegram")
    assert due() == []


@pytest.mark.django_db(transaction=True)
def test_of_two_workers_at_once_one_asks(provider, account):
    provider.answers = [page(1)]
    due()
    inside, go_on = threading.Event(), threading.Event()
    original = provider.poll

    def slow(cursor, now):
        inside.set()
        assert go_on.wait(20)
        return original(cursor, now)

    provider.poll = slow
    first = threading.Thread(target=_poll_and_close, args=(account.pk,))
    first.start()
    assert inside.wait(20)
    assert polling.poll(account.pk, now=NOW) == 0
    assert due() == []
    go_on.set()
    first.join(20)
    assert (len(provider.cursors), InboundEvent.objects.count()) == (1, 1)


def _poll_and_close(account_id):
    try:
        polling.poll(account_id, now=NOW)
    finally:
        connection.close()


@pytest.mark.django_db(transaction=True)
def test_many_workers_at_once_ask_once(provider, account):
    provider.answers = [page(1)]
    due()
    workers = [threading.Thread(target=_poll_and_close, args=(account.pk,)) for _ in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(20)
    assert len(provider.cursors) == 1
    assert wait_until(lambda: InboundEvent.objects.count() == 1, seconds=5)


def test_who_was_taken_over_moves_nothing(provider, account):
    """A worker that slept beyond its claim comes back after another one has read on."""
    due()

    def overtaken(cursor, now):
        later = now + polling.CLAIM
        provider.poll = lambda cursor, now: page(9)
        polling.poll(account.pk, now=later)
        return page(1)

    provider.poll = overtaken
    assert polling.poll(account.pk, now=NOW) == 0
    assert position().cursor == {"at": 9}
    assert position().next_at == NOW + polling.CLAIM + timedelta(seconds=30)
    assert list(InboundEvent.objects.values_list("key", flat=True)) == ["event:e9-0"]


def test_the_fault_of_who_was_taken_over_counts_for_nothing(provider, account):
    due()

    def overtaken(cursor, now):
        provider.poll = lambda cursor, now: page(9)
        polling.poll(account.pk, now=now + polling.CLAIM)
        raise PollFault("too late", refused=True)

    provider.poll = overtaken
    polling.poll(account.pk, now=NOW)
    account.refresh_from_db()
    assert (account.state, position().failures) == (AccountState.ENABLED, 0)


def test_a_notification_asks_at_once_but_not_at_every_word(provider, account):
    due()
    polling.poll(account.pk, now=NOW)
    polling.wake(account.pk, now=NOW + timedelta(seconds=1))
    assert position().next_at == NOW + polling.WAKE_APART
    polling.poll(account.pk, now=NOW + polling.WAKE_APART)
    polling.wake(account.pk, now=NOW + timedelta(seconds=20))
    assert due(NOW + timedelta(seconds=20)) == [account.pk]


def test_a_notification_neither_ends_a_rest_nor_breaks_a_claim(provider, account):
    polling.wake(account.pk, now=NOW)  # never asked yet
    due()
    provider.answers = [PollFault("slowly", after=20)]
    polling.poll(account.pk, now=NOW)
    polling.wake(account.pk, now=NOW + timedelta(seconds=1))
    assert position().next_at == NOW + timedelta(seconds=20)

    def meanwhile(cursor, now):
        polling.wake(account.pk, now=now)
        assert due(now) == []
        return page(1)

    provider.poll = meanwhile
    assert polling.poll(account.pk, now=NOW + timedelta(seconds=20)) == 1
