"""Who is on duty: by tables, against a simulator that walks the wall clock, over nights of clock changes."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from escalation.rota import LayerFacts, OverrideFacts, ScheduleFacts, SwapFacts, at_shift, on_duty, shifts
from escalation.states import DutySource, Rotation

MOSCOW = ZoneInfo("Europe/Moscow")


def people(schedule, at):
    return {staff_id for staff_id, _source in on_duty(schedule, at)}


def local(*when, zone=MOSCOW):
    return datetime(*when, tzinfo=zone)


def a_layer(*turns, priority=0, rotation=Rotation.DAILY, length=1, handoff=time(9), starts_on=date(2026, 1, 5), **fields):
    return LayerFacts(priority, rotation, length, handoff, starts_on, [frozenset(turn) for turn in turns], **fields)


def a_schedule(*layers, zone="Europe/Moscow", overrides=(), swaps=()):
    return ScheduleFacts(zone, layers, overrides, swaps)


@pytest.mark.parametrize(
    ("layer", "moments"),
    [
        (a_layer({1}, {2}), [((2026, 1, 5, 8, 59), set()), ((2026, 1, 5, 9), {1}), ((2026, 1, 6, 8, 59), {1}), ((2026, 1, 6, 9), {2})]),
        (a_layer({1}, {2}, length=3), [((2026, 1, 8, 8, 59), {1}), ((2026, 1, 8, 9), {2}), ((2026, 1, 11, 9), {1})]),
        (a_layer({1}, {2}, rotation=Rotation.WEEKLY), [((2026, 1, 12, 8), {1}), ((2026, 1, 12, 10), {2}), ((2026, 6, 1, 10), {2})]),
        (a_layer({1, 3}, {2}), [((2026, 1, 5, 10), {1, 3})]),
        (
            a_layer({1}, {2}, rotation=Rotation.HOURS, length=12, handoff=time(8)),
            [((2026, 1, 5, 8), {1}), ((2026, 1, 5, 20), {2}), ((2026, 1, 6, 7, 59), {2}), ((2026, 1, 6, 8), {1})],
        ),
        (a_layer({1}, ends_on=date(2026, 1, 6)), [((2026, 1, 7, 8, 59), {1}), ((2026, 1, 7, 9), set())]),
        (
            a_layer({1}, only_from=time(22), only_to=time(6), weekdays=frozenset({4})),
            [((2026, 1, 9, 23), {1}), ((2026, 1, 10, 5), {1}), ((2026, 1, 10, 6), set()), ((2026, 1, 10, 23), set())],
        ),
        (a_layer(), [((2026, 1, 5, 12), set())]),
        (a_layer({1}, set()), [((2026, 1, 6, 12), set())]),
    ],
)
def test_one_rotation(layer, moments):
    for when, expected in moments:
        assert people(a_schedule(layer), local(*when)) == expected, when


def test_a_higher_layer_covers_a_lower_one_where_it_has_somebody():
    base, day = a_layer({1}), a_layer({2}, priority=5, only_from=time(10), only_to=time(18))
    schedule = a_schedule(base, day)
    assert [people(schedule, local(2026, 1, 6, hour)) for hour in (9, 10, 17, 18)] == [{1}, {2}, {2}, {1}]


def test_overrides_beat_layers_and_several_stand_together():
    begins, ends = local(2026, 1, 6, 12), local(2026, 1, 6, 14)
    schedule = a_schedule(a_layer({1}), overrides=[OverrideFacts(7, begins, ends), OverrideFacts(8, begins, ends)])
    assert people(schedule, begins) == {7, 8}
    assert people(schedule, ends) == {1}
    assert on_duty(schedule, begins) == {(7, DutySource.OVERRIDE), (8, DutySource.OVERRIDE)}


def test_a_swap_counts_only_where_the_replaced_one_stands():
    begins, ends = local(2026, 1, 5, 0), local(2026, 1, 7, 0)
    schedule = a_schedule(a_layer({1}, {2}), swaps=[SwapFacts(1, 9, begins, ends)])
    assert on_duty(schedule, local(2026, 1, 5, 10)) == {(9, DutySource.SWAP)}
    assert on_duty(schedule, local(2026, 1, 6, 10)) == {(2, DutySource.LAYER)}
    assert people(schedule, local(2026, 1, 7, 10)) == {1}


def test_a_place_taken_over_can_be_given_on_and_a_circle_ends():
    begins, ends = local(2026, 1, 5), local(2026, 2, 5)
    chain = [SwapFacts(1, 2, begins, ends), SwapFacts(2, 3, begins, ends)]
    assert people(a_schedule(a_layer({1}), swaps=chain), local(2026, 1, 5, 10)) == {3}
    circle = [*chain, SwapFacts(3, 1, begins, ends)]
    assert people(a_schedule(a_layer({1}), swaps=circle), local(2026, 1, 5, 10)) == {1}


def test_the_nights_of_clock_changes():
    """Berlin: on 29 March 2026 two becomes three, on 25 October three becomes two."""
    zone = "Europe/Berlin"
    schedule = a_schedule(a_layer({1}, {2}, handoff=time(2, 30), starts_on=date(2026, 3, 28)), zone=zone)
    spring = shifts(schedule, datetime(2026, 3, 28, 1, 30, tzinfo=UTC), datetime(2026, 3, 30, 0, 30, tzinfo=UTC))
    # 02:30 does not exist that night: the hand-over is at 03:30, an hour of real time after 01:30.
    assert [shift.starts_at.hour * 60 + shift.starts_at.minute for shift in spring] == [90, 90]
    autumn = a_schedule(a_layer({1}, {2}, handoff=time(2, 30), starts_on=date(2026, 10, 24)), zone=zone)
    found = shifts(autumn, datetime(2026, 10, 24, 0, 30, tzinfo=UTC), datetime(2026, 10, 26, 1, 30, tzinfo=UTC))
    assert [sorted(shift.staff_ids) for shift in found] == [[1], [2]], "02:30 comes twice that night; the hand-over only once"
    assert (found[1].ends_at - found[1].starts_at) == timedelta(hours=25)


def test_turns_of_hours_over_a_clock_change_never_leave_a_hole():
    layer = a_layer({1}, {2}, {3}, rotation=Rotation.HOURS, length=1, handoff=time(0, 30), starts_on=date(2026, 3, 1))
    for since in (datetime(2026, 3, 28, tzinfo=UTC), datetime(2026, 10, 24, tzinfo=UTC)):
        found = shifts(a_schedule(layer, zone="Europe/Berlin"), since, since + timedelta(days=3))
        assert all(len(shift.staff_ids) == 1 for shift in found)
        assert max(shift.ends_at - shift.starts_at for shift in found) <= timedelta(hours=2)


# A simulator written from the words of the study, not from the code: it walks the wall clock minute by minute and counts hand-overs.


def simulated(schedule, since, until):
    """Minute by minute from the first layer's beginning: {minute: people}."""
    zone, layers = ZoneInfo(schedule.zone), sorted(schedule.layers, key=lambda one: one.priority, reverse=True)
    turns = {id(layer): -1 for layer in layers}
    at = min(datetime.combine(layer.starts_on, time(0), zone).astimezone(UTC) for layer in layers)
    walls, found = set(), {}
    while at < until:
        wall = at.astimezone(zone).replace(tzinfo=None)
        if wall not in walls:  # the second time that a wall clock shows a minute no hand-over takes place
            for layer in layers:
                turns[id(layer)] += _hands_over(layer, wall)
            walls = {wall, *(one for one in walls if wall - one < timedelta(hours=2))}
        if at >= since:
            found[at] = _standing(schedule, layers, turns, at, wall)
        at += timedelta(minutes=15)
    return found


def _hands_over(layer, wall):
    begin = datetime.combine(layer.starts_on, layer.handoff)
    every = {Rotation.DAILY: timedelta(days=1), Rotation.WEEKLY: timedelta(days=7), Rotation.HOURS: timedelta(hours=1)}[layer.rotation]
    return wall >= begin and (wall - begin) % (every * layer.length) == timedelta(0)


def _standing(schedule, layers, turns, at, wall):
    chosen = {one.staff_id for one in schedule.overrides if one.starts_at <= at < one.ends_at}
    for layer in layers:
        if chosen:
            break
        number = turns[id(layer)]
        if number >= 0 and layer.turns:
            chosen = set(layer.turns[number % len(layer.turns)])
    return chosen


quarter = st.integers(0, 95).map(lambda n: time(n // 4, n % 4 * 15))
turn = st.frozensets(st.integers(1, 6), min_size=1, max_size=2)


@st.composite
def layers(draw):
    rotation = draw(st.sampled_from(list(Rotation)))
    length = draw(st.sampled_from([1, 2, 3, 4, 6, 8, 12])) if rotation == Rotation.HOURS else draw(st.integers(1, 3))
    return LayerFacts(
        priority=draw(st.integers(0, 3)),
        rotation=rotation,
        length=length,
        handoff=draw(quarter),
        starts_on=date(2026, 3, 20) + timedelta(days=draw(st.integers(0, 12))),
        turns=draw(st.lists(turn, min_size=1, max_size=3)),
    )


@st.composite
def schedules(draw):
    given_layers = draw(st.lists(layers(), min_size=1, max_size=2, unique_by=lambda layer: layer.priority))
    starts = draw(st.lists(st.integers(0, 300), max_size=2))
    begin = datetime(2026, 3, 26, tzinfo=UTC)
    overrides = [
        OverrideFacts(90 + n, begin + timedelta(minutes=15 * at), begin + timedelta(minutes=15 * at + 120)) for n, at in enumerate(starts)
    ]
    return ScheduleFacts("Europe/Moscow", given_layers, overrides)


@settings(max_examples=40)
@given(schedules())
def test_equal_to_the_simulator(schedule):
    since, until = datetime(2026, 3, 26, tzinfo=UTC), datetime(2026, 4, 3, tzinfo=UTC)
    listed = shifts(schedule, since, until)
    assert [one.ends_at for one in listed[:-1]] == [one.starts_at for one in listed[1:]]
    for at, expected in simulated(schedule, since, until).items():
        assert people(schedule, at) == expected, at
        assert at_shift(listed, at).staff_ids == expected, at
