"""A period played again: the moments by hand, and what must hold for any period."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from core.refusal import Refusal
from omni.choosing import Operator, Ring, Rules, Work
from omni.models import Queue
from omni.services import conversations, distribution, simulations
from omni.simulation.changes import changed
from omni.simulation.engine import play
from omni.simulation.figures import figures
from omni.simulation.types import Arrival, Change, Past, Shift
from omni.states import Strategy
from omni.tests.test_offers import on_line, write
from tests import builders as b

T0 = datetime(2026, 3, 2, 9, tzinfo=UTC)
END = T0 + timedelta(hours=8)


def at(seconds):
    return T0 + timedelta(seconds=seconds)


def arrival(number, came, handling=100.0, **fields):
    work = Work(id=number, group=1, channel="telegram", weight=1, waiting_since=at(came), **fields)
    return Arrival(work, 1, handling)


def person(number, capacity=1, **fields):
    return Operator(number, frozenset({1}), capacity, 0, T0, **fields)


def past(arrivals, people, shifts=None, **fields):
    shifts = [Shift(one.id, T0, END) for one in people] if shifts is None else shifts
    return Past(T0, END, arrivals, people, shifts, **fields)


def waits(one):
    return {served.came_at: (served.waited, served.staff) for served in play(one).served}


def test_one_person_works_off_the_queue_in_its_order():
    found = waits(past([arrival(1, 0), arrival(2, 10), arrival(3, 20, priority=1)], [person(7)]))
    assert found == {at(0): (0, 7), at(20): (80, 7), at(10): (190, 7)}


def test_after_work_keeps_the_next_waiting():
    assert waits(past([arrival(1, 0), arrival(2, 10)], [person(7)], wrap_up={1: 30}))[at(10)] == (120, 7)


def test_nobody_gets_anything_outside_the_own_hours():
    found = play(past([arrival(1, 0), arrival(2, 500)], [person(7)], [Shift(7, at(50), at(400))]))
    assert [(served.waited, served.staff) for served in found.served] == [(50, 7)]
    assert found.left == 1


def test_a_ring_opens_without_anything_else_happening():
    rules = Rules(rings=(Ring(60, drops_all=True),))
    assert waits(past([arrival(1, 0, needs={5: 1}, rules=rules)], [person(7)])) == {at(0): (60, 7)}


def test_more_people_more_room_and_fewer_guests_by_per_cent():
    there = past([arrival(number, number) for number in range(100)], [person(number) for number in range(10)])
    for per_cent in (0, 50, 100, 130, 200):
        other = changed(there, Change(people=per_cent, guests=per_cent))
        assert (len(other.operators), len(other.arrivals)) == (per_cent // 10, per_cent)
        assert {shift.staff for shift in other.shifts} == {one.id for one in other.operators}
    assert {one.capacity for one in changed(there, Change(capacity=4)).operators} == {4}
    strategies = {one.work.rules.strategy for one in changed(there, Change(strategy=Strategy.LEAST_BUSY)).arrivals}
    assert strategies == {Strategy.LEAST_BUSY}


arrivals_of = st.lists(
    st.builds(
        lambda number, came, handling, priority: arrival(number, came, handling, priority=priority),
        st.integers(1, 10**6),
        st.integers(0, 3000),
        st.floats(1, 900),
        st.integers(0, 2),
    ),
    unique_by=lambda one: one.work.id,
    max_size=40,
)
people_of = st.lists(st.builds(person, st.integers(1, 20), st.integers(1, 3)), unique_by=lambda one: one.id, min_size=1, max_size=5)


@given(arrivals_of, people_of, st.sampled_from(Strategy.values))
def test_nobody_is_ever_above_capacity_and_nobody_is_lost(arrivals, people, strategy):
    there = changed(past(arrivals, people), Change(strategy=strategy))
    found = play(there)
    assert len(found.served) + found.left == len(arrivals)
    moments = []
    for served in found.served:
        begins = served.came_at + timedelta(seconds=served.waited)
        moments += [(begins, 1, served.staff), (begins + timedelta(seconds=served.handling), 0, served.staff)]
    load: Counter[int] = Counter()
    capacity = {one.id: one.capacity for one in people}
    for _moment, change, staff in sorted(moments):
        load[staff] += 1 if change else -1
        assert load[staff] <= capacity[staff]


@given(arrivals_of, people_of)
def test_without_differences_nobody_overtakes_anybody(arrivals, people):
    same = [replace(one, work=replace(one.work, priority=0)) for one in arrivals]
    served = play(past(same, people)).served
    begins = [one.came_at + timedelta(seconds=one.waited) for one in served]
    assert begins == sorted(begins)
    assert [one.came_at for one in served] == sorted(one.came_at for one in served)


def test_the_figures_of_a_known_period():
    shown = figures(play(past([arrival(1, 0), arrival(2, 10), arrival(3, 3600)], [person(7)])))
    assert (shown.served, shown.left, shown.longest_wait, shown.people) == (3, 0, 90, 1)
    assert shown.mean_wait == pytest.approx(30)
    assert shown.load == pytest.approx(300 / (8 * 3600))
    assert [(hour.came, hour.longest_wait) for hour in shown.hours] == [(2, 90), (1, 0)]


@pytest.mark.django_db
def test_real_rows_are_played_again_and_compared():
    now = timezone.now()
    group, account = b.a_group(), b.an_account("telegram")
    staff = on_line(group, capacity=1, now=now - timedelta(hours=2))
    for chat in range(1, 6):
        came = now - timedelta(minutes=90 - chat)
        session = write(account, chat, at=came)
        type(staff.presence).objects.update(seen_at=now)
        distribution.give_out(group_id=group.pk, now=came + timedelta(minutes=chat))
        conversations.close(session_id=session.pk, by=staff, now=came + timedelta(minutes=chat + 2))
    queues = list(Queue.objects.all())
    period = {"since": now - timedelta(hours=2), "until": now, "queues": queues, "now": now}
    found = simulations.compare(change=Change(people=200), **period)
    assert found.actual.served == 5
    assert found.actual.longest_wait == pytest.approx(300, abs=1)
    assert found.present.served == found.changed.served == 5
    assert found.present.longest_wait < found.actual.longest_wait, "nobody was given anything at once in reality"
    assert found.changed.mean_wait <= found.present.mean_wait
    assert (found.present.people, found.changed.people) == (1, 2)
    with pytest.raises(Refusal):
        simulations.compare(change=Change(), **{**period, "until": now + timedelta(hours=1)})
    with pytest.raises(Refusal):
        simulations.compare(change=Change(), **{**period, "queues": []})
