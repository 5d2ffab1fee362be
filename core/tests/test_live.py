"""Live events: numbered without holes, replayed after a drop, a resync when the log cannot tell what was missed."""

import asyncio
from datetime import timedelta

import pytest
from django.db import transaction
from django.db.models.functions import Now

from core.live import LiveLog, Position, announce, relay, stand_by
from core.models import LiveEvent
from core.redis import client

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def empty_redis():
    client().flushdb()


def read(staff_id, since):
    async def once():
        return await LiveLog().read(staff_id, since)

    return asyncio.run(once())


def watch(staff_id, *topics):
    async def once():
        await LiveLog().watch(staff_id, topics)

    asyncio.run(once())


def test_a_watcher_reads_events_in_order_and_without_holes():
    watch(7, "group:3")
    start = read(7, None).position
    for number in range(5):
        announce(kind="item", payload={"n": number}, topics=["group:3", "staff:7"])
    found = read(7, start)
    assert [event["data"]["n"] for _number, event in found.events] == [0, 1, 2, 3, 4]
    assert [number - start.number for number, _event in found.events] == [1, 2, 3, 4, 5]
    assert not found.resync
    assert LiveEvent.objects.count() == 0


def test_nothing_is_published_when_the_transaction_rolls_back():
    start = read(7, None).position
    with pytest.raises(RuntimeError), transaction.atomic():
        announce(kind="item", payload={}, topics=["staff:7"])
        raise RuntimeError
    assert read(7, start).events == []


def test_an_emptied_redis_gives_a_resync_and_then_goes_on():
    start = read(7, None).position
    announce(kind="item", payload={"n": 1}, topics=["staff:7"])
    reached = read(7, start).position
    client().flushdb()
    announce(kind="item", payload={"n": 2}, topics=["staff:7"])
    again = read(7, reached)
    assert again.resync
    announce(kind="item", payload={"n": 3}, topics=["staff:7"])
    assert [event["data"]["n"] for _number, event in read(7, again.position).events] == [3]


def test_a_trimmed_log_gives_a_resync():
    start = read(7, None).position
    announce(kind="item", payload={}, topics=["staff:7"])
    client().delete("live:log:7")
    assert read(7, start).resync


def test_a_position_from_the_future_gives_a_resync():
    epoch = read(7, None).position.epoch
    assert read(7, Position(epoch, 99)).resync


def test_the_sweep_publishes_what_its_own_process_did_not():
    start = read(7, None).position
    LiveEvent.objects.create(kind="item", payload={"n": 1}, topics=["staff:7"])
    assert relay() == 0  # its writer may still be about to publish it
    LiveEvent.objects.update(created_at=Now() - timedelta(seconds=5))
    assert relay() == 1
    assert [event["data"]["n"] for _number, event in read(7, start).events] == [1]


def test_only_watchers_hear_of_a_topic():
    watch(7, "group:3")
    mine, other = read(7, None).position, read(8, None).position
    announce(kind="item", payload={}, topics=["group:3"])
    assert len(read(7, mine).events) == 1
    assert read(8, other).events == []


def test_whoever_was_not_watched_for_long_reloads_in_every_tab():
    """Redis was away and kept its data: what was published meanwhile went to nobody, and no number tells."""
    watch(7, "group:3")
    start = read(7, None).position
    announce(kind="item", payload={"n": 1}, topics=["staff:7"])
    client().delete("live:watched:7")  # as its time running out does
    client().delete("live:watch:group:3")
    announce(kind="item", payload={"n": 2}, topics=["group:3"])
    watch(7, "group:3")
    announce(kind="item", payload={"n": 3}, topics=["staff:7"])
    for _tab in range(2):
        found = read(7, start)
        assert found.resync
        assert read(7, found.position).resync is False
    caught_up = read(7, Position(start.epoch, start.number + 1))
    assert caught_up.resync


def test_the_mark_of_a_watch_runs_out_before_its_watch():
    watch(7, "group:3")
    assert 0 < client().ttl("live:watched:7") < client().ttl("live:watch:group:3")


def test_a_watch_that_goes_on_needs_no_reload():
    start = stand_by(7, ["group:3"])
    for number in range(3):
        watch(7, "group:3")
        announce(kind="item", payload={"n": number}, topics=["group:3"])
    found = read(7, start)
    assert (found.resync, len(found.events)) == (False, 3)


def test_a_number_burnt_at_the_end_of_the_log_gives_a_resync_too():
    watch(7, "group:3")
    start = read(7, None).position
    announce(kind="item", payload={"n": 1}, topics=["group:3"])
    client().delete("live:watched:7")
    watch(7, "group:3")
    found = read(7, start)
    assert found.more
    assert read(7, found.position).resync
