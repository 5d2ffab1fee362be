"""How fast we send: the arithmetic, the same in Redis for all workers, and slowly without Redis."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import pairwise

import pytest
import redis
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from core.redis import client
from omni.models import Attempt
from omni.pace import Limit, reserve
from omni.services import answering, conversations, pacing, sending
from omni.states import SendState
from tests import builders as b


@given(
    st.floats(0.05, 200),
    st.integers(1, 50),
    st.lists(st.floats(0, 5), min_size=1, max_size=200),
)
def test_never_more_than_the_rate_and_the_burst(rate, burst, gaps):
    limit, now, full, starts = Limit(rate, burst), 0.0, 0.0, []
    for gap in gaps:
        now += gap
        start, full = reserve(full, limit, now=now)
        assert start >= now
        starts.append(start)
    assert starts == sorted(starts)
    for first, begin in enumerate(starts):
        within = sum(begin <= start <= begin + 1 for start in starts[first:])
        assert within <= rate * 1 + burst + 1e-6


def test_the_burst_goes_at_once_and_the_rest_in_step():
    full, starts = 0.0, []
    for _ in range(5):
        start, full = reserve(full, Limit(2, 3), now=100.0)
        starts.append(start)
    assert starts == [100.0, 100.0, 100.0, 100.5, 101.0]


@pytest.fixture
def queued(db):
    """A telegram account and a maker of queued attempts of one guest."""
    operator = b.a_person(groups=[b.a_group()])
    account = b.an_account()
    for key in client().scan_iter("pace:*"):
        client().delete(key)

    def make(chat=1):
        now = timezone.now()
        event = b.receive(account, b.telegram_update(time.monotonic_ns() % 10**9, chat_id=chat), now=now)
        from omni.models import Message

        session = Message.objects.get(pk=event.message_ids[0]).session
        if session.state == "waiting":
            conversations.take(session_id=session.pk, by=operator, now=now)
        message = answering.answer(session_id=session.pk, text="Ответ", by=operator, now=now)
        return Attempt.objects.select_related("account").get(message=message)

    make.account = account
    return make


def set_limits(account, **limits):
    type(account).objects.filter(pk=account.pk).update(**limits)


def test_own_limits_win_over_the_channels(queued):
    account = queued.account
    assert pacing.limits_of(account) == (Limit(30, 30), Limit(1, 5))
    account.per_second, account.per_chat_per_second = 2, 0.5
    assert pacing.limits_of(account) == (Limit(2, 2), Limit(0.5, 5))
    assert pacing.limits_of(b.an_account("webchat")) == (None, None)


def test_a_place_is_taken_once_and_waited_for_once(queued):
    set_limits(queued.account, per_second=1)
    first, second, third = queued(1), queued(2), queued(3)
    assert pacing.wait_for(first) == 0
    waits = [pacing.wait_for(second), pacing.wait_for(third)]
    assert [round(wait) for wait in waits] == [1, 2]
    assert pacing.wait_for(third) == 0  # its time has come: the place was kept for it


def test_a_guest_has_a_queue_of_ones_own(queued):
    set_limits(queued.account, per_chat_per_second=0.1)
    of_one = [queued(1) for _ in range(7)]
    waits = [pacing.wait_for(attempt) for attempt in of_one]
    assert waits[:5] == [0] * 5
    assert [round(wait) for wait in waits[5:]] == [10, 20]
    assert pacing.wait_for(queued(2)) == 0


def test_many_workers_keep_one_limit(queued):
    set_limits(queued.account, per_second=50)
    attempts = [queued(chat) for chat in range(1, 81)]
    with ThreadPoolExecutor(8) as pool:
        waits = sorted(pool.map(pacing.wait_for, attempts))
    assert 50 <= sum(wait == 0 for wait in waits) <= 70  # the burst, and what was earned while it ran
    late = [wait for wait in waits if wait]
    assert all(later - earlier >= 0.009 for earlier, later in pairwise(late))


def test_what_must_wait_is_put_off_and_sent_later(queued, monkeypatch):
    set_limits(queued.account, per_second=1)
    sent = []
    monkeypatch.setattr(sending, "_hand_over", lambda attempt: sent.append(attempt.pk) or sending.Sent((f"1:{attempt.pk}",)))
    first, second = queued(1), queued(2)
    now = timezone.now()
    assert sending.send(first.pk, now=now) == SendState.SENT
    assert sending.send(second.pk, now=now) is None
    second.refresh_from_db()
    assert (second.state, second.tries) == (SendState.QUEUED, 1)
    assert timedelta(seconds=0.5) < second.next_at - now <= timedelta(seconds=1)
    assert sending.send(second.pk, now=now) is None  # not due
    assert sending.send(second.pk, now=second.next_at) == SendState.SENT
    assert sent == [first.pk, second.pk]


def test_without_redis_it_goes_on_slowly(queued, monkeypatch):
    set_limits(queued.account, per_second=40)

    def away(*_arguments):
        raise redis.ConnectionError("no Redis")

    monkeypatch.setattr(pacing, "_shared", away)
    pacing._local.clear()
    attempts = [queued(chat) for chat in range(1, 12)]
    waits = [pacing.wait_for(attempt) for attempt in attempts]
    assert waits[:5] == [0] * 5  # a second's worth of an eighth of the limit
    assert all(wait > 0 for wait in waits[5:])
    assert waits[10] == pytest.approx(6 / 5, abs=0.2)
    assert pacing.wait_for(attempts[10]) == 0
