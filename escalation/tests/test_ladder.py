"""The way of a run, minute by minute, by tables; and over any moments of looking."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from escalation import ladder
from escalation.plans import Hours, digest, from_json, next_open, to_json
from escalation.states import EventKind, StepKind
from escalation.tests.builders import MINUTE, NOW, a_plan, a_step

ROLE, WAIT = StepKind.ROLE, StepKind.WAIT
CALL = a_step(ROLE, role=1)
PLAN = a_plan([CALL, a_step(WAIT, minutes=5), a_step(ROLE, role=2), a_step(WAIT, minutes=5), a_step(ROLE, role=3)], [CALL], [CALL])


def walk(plan, place, minutes, reach=lambda step: True):
    """Look at each of the minutes since NOW; what happened as (minute, kind, level)."""
    told = []
    for minute in minutes:
        place, deeds = ladder.advance(plan, place, NOW + minute * MINUTE, reach)
        told += [(minute, deed.kind, deed.level, deed.number) for deed in deeds]
    return place, told


def steps(told):
    return [(minute, level, number) for minute, kind, level, number in told if kind == EventKind.STEP]


def test_nobody_acts_and_the_ladder_goes_to_its_top():
    place, told = walk(PLAN, ladder.begin(PLAN, NOW), range(120))
    assert steps(told) == [(0, 1, 0), (5, 1, 2), (10, 1, 4), (15, 2, 0), (30, 3, 0)]
    assert [(minute, level) for minute, kind, level, _n in told if kind == EventKind.REACTION_MISSED] == [(15, 1), (30, 2), (45, 3)]
    assert place.next_at is None


def test_taking_stops_the_calls_and_clock_one_only():
    place, told = walk(PLAN, ladder.begin(PLAN, NOW), range(15))
    place = ladder.take(PLAN, place, NOW + 14 * MINUTE + timedelta(seconds=59))
    place, told = walk(PLAN, place, range(15, 31))
    assert [(minute, kind) for minute, kind, _l, _n in told] == [
        (30, EventKind.DEAL_MISSED), (30, EventKind.CLIMBED), (30, EventKind.STEP),
    ]  # fmt: skip
    assert (place.level, place.taken) == (2, False)


def test_what_was_not_confirmed_lapses_and_is_called_out_anew():
    plan = a_plan([CALL], reaction=15, deal=0)
    place = ladder.take(plan, ladder.begin(plan, NOW), NOW)
    place, told = walk(plan, place, range(60))
    assert [(minute, kind) for minute, kind, _l, _n in told] == [
        (30, EventKind.REMINDED), (45, EventKind.LAPSED), (45, EventKind.STEP),
    ]  # fmt: skip
    assert not place.taken


def test_what_is_confirmed_stays_in_hand():
    plan = a_plan([CALL], deal=0)
    place, _told = walk(plan, ladder.take(plan, ladder.begin(plan, NOW), NOW), range(40))
    place, told = walk(plan, ladder.confirm(plan, place, NOW + 40 * MINUTE), range(40, 69))
    assert (told, place.taken) == ([], True)


def test_after_an_outage_there_is_still_time_to_confirm():
    plan = a_plan([CALL], deal=0)
    place, told = walk(plan, ladder.take(plan, ladder.begin(plan, NOW), NOW), [90])
    assert [kind for _m, kind, _l, _n in told] == [EventKind.REMINDED]
    assert place.lapse_at == NOW + 105 * MINUTE


def test_an_hour_of_outage_leaves_no_step_out_and_gives_the_next_level_its_time():
    place, told = walk(PLAN, ladder.begin(PLAN, NOW), [0, 60])
    assert steps(told) == [(0, 1, 0), (60, 1, 2), (60, 1, 4), (60, 2, 0)]
    assert place.reaction_due == NOW + 75 * MINUTE
    assert [kind for _m, kind, _l, _n in told if kind in {EventKind.REACTION_MISSED, EventKind.DEAL_MISSED}] == [
        EventKind.REACTION_MISSED, EventKind.DEAL_MISSED,
    ]  # fmt: skip


def test_who_is_not_there_is_not_waited_for():
    _place, told = walk(PLAN, ladder.begin(PLAN, NOW), range(3), reach=lambda step: step.role != 1)
    assert [(minute, kind, number) for minute, kind, _l, number in told] == [
        (0, EventKind.NOBODY, 0), (0, EventKind.STEP, 2),
    ]  # fmt: skip


def test_when_nobody_is_anywhere_the_ladder_still_climbs():
    place, told = walk(PLAN, ladder.begin(PLAN, NOW), range(120), reach=lambda step: False)
    assert {level for _m, kind, level, _n in told if kind == EventKind.NOBODY} == {1, 2, 3}
    assert place.level == 3


@pytest.mark.parametrize(
    ("extra", "expected"),
    [
        ([a_step(StepKind.REPEAT, times=2)], [0, 5, 10]),
        ([a_step(WAIT, minutes=1), a_step(StepKind.REPEAT, times=9)], [0, 6, 12, 18, 24, 30]),
        ([a_step(StepKind.STOP), CALL], [0]),
        ([], [0]),
    ],
)
def test_repeats_are_bounded_and_a_stop_stops(extra, expected):
    plan = a_plan([CALL, a_step(WAIT, minutes=5), *extra], reaction=0, deal=0, gap=0)
    _place, told = walk(plan, ladder.begin(plan, NOW), [n / 60 for n in range(0, 60 * 60, 15)])
    assert [round(minute) for minute, _level, _number in steps(told)] == expected


def test_a_ladder_of_climbs_and_repeats_without_a_wait_ends():
    plan = a_plan([a_step(StepKind.REPEAT, times=5), CALL], [a_step(StepKind.CLIMB)], [a_step(StepKind.CLIMB)], reaction=0, deal=0, gap=0)
    place, told = walk(plan, ladder.begin(plan, NOW), range(5))
    assert steps(told) == [(1, 1, 1)] or len(steps(told)) == 1
    assert place.step_at is None


def test_climbing_and_handing_back_by_decision():
    place = ladder.take(PLAN, ladder.begin(PLAN, NOW), NOW + 3 * MINUTE)
    up = ladder.climb(PLAN, place, NOW + 10 * MINUTE)
    assert (up.level, up.taken, up.deal_due) == (2, False, NOW + 40 * MINUTE)
    down = ladder.hand_back(PLAN, ladder.take(PLAN, up, NOW + 12 * MINUTE), NOW + 20 * MINUTE)
    assert (down.level, down.deal_due) == (1, NOW + 40 * MINUTE)
    assert ladder.hand_back(PLAN, place, NOW) is None
    assert ladder.climb(PLAN, ladder.climb(PLAN, up, NOW), NOW) is None


def test_news_are_due_once_after_an_outage():
    plan = a_plan([CALL], reaction=0, deal=0, update=60)
    _place, told = walk(plan, ladder.begin(plan, NOW), [0, 60, 300, 301, 360])
    assert [minute for minute, kind, _l, _n in told if kind == EventKind.UPDATE_DUE] == [60, 300, 360]


NIGHT = Hours(zone="Europe/Moscow", week={str(day): [["22:00:00", "00:00:00"]] for day in range(7)}, exceptions={})
NEVER = Hours(zone="Europe/Moscow", week={}, exceptions={})


def test_a_step_in_hours_waits_over_midnight_and_goes_on():
    plan = a_plan([CALL, a_step(StepKind.HOURS, hours=NIGHT), CALL], reaction=0, deal=0)
    place, _told = walk(plan, ladder.begin(plan, NOW), [0])
    assert place.step_at == NOW.replace(hour=19)  # 22:00 in Moscow
    _place, told = walk(plan, place, [12 * 60])
    assert steps(told) == [(720, 1, 2)]


def test_hours_that_never_come_hold_nothing_up():
    plan = a_plan([CALL, a_step(StepKind.HOURS, hours=NEVER), CALL], hours=NEVER)
    place, told = walk(plan, ladder.begin(plan, NOW), [0, 1])
    assert steps(told) == [(0, 1, 0), (0, 1, 2)] or len(steps(told)) == 2
    assert place.reaction_due == NOW + 15 * MINUTE


def test_a_line_with_hours_calls_and_counts_in_them():
    plan = a_plan([CALL], hours=NIGHT)
    place = ladder.begin(plan, NOW)
    assert (place.step_at, place.reaction_due) == (NOW.replace(hour=19), NOW.replace(hour=19, minute=15))
    assert next_open(NIGHT, NOW.replace(hour=19, minute=30)) == NOW.replace(hour=19, minute=30)


def test_a_plan_survives_its_json():
    plan = a_plan([a_step(ROLE, role=1, channels=("sms", "push"), hours=NIGHT)], [CALL], hours=NIGHT)
    assert from_json(to_json(plan)) == plan
    assert digest(from_json(to_json(plan))) == digest(plan)
    assert digest(plan) != digest(PLAN)


@given(st.lists(st.integers(0, 100 * 60), min_size=1, max_size=40), st.booleans())
def test_however_often_one_looks_each_deed_happens_once(seconds, nobody_first):
    """Any moments of looking: keys are unique, every step of a level that was left by the clock has been done or overtaken."""
    place, seen = ladder.begin(PLAN, NOW), []
    for second in sorted(seconds):
        place, deeds = ladder.advance(PLAN, place, NOW + timedelta(seconds=second), lambda step: not nobody_first or step.role != 1)
        seen += [(deed.turn, deed.key) for deed in deeds]
        assert all(deed.due_at <= NOW + timedelta(seconds=second) for deed in deeds)
        assert place.next_at is None or place.next_at > NOW + timedelta(seconds=second)
    assert len(seen) == len(set(seen))


@given(st.lists(st.integers(1, 30), min_size=1, max_size=30))
def test_late_looks_do_not_put_later_steps_off(pauses):
    """Within one level the steps' due times are the same, however late they are looked at."""
    plan = a_plan([CALL, a_step(WAIT, minutes=7), CALL, a_step(WAIT, minutes=3), CALL], reaction=0, deal=0)
    place, at, due = ladder.begin(plan, NOW), NOW, []
    for pause in pauses:
        at += pause * MINUTE
        place, deeds = ladder.advance(plan, place, at, lambda step: True)
        due += [deed.due_at for deed in deeds]
    assert due == [NOW, NOW + 7 * MINUTE, NOW + 10 * MINUTE][: len(due)]
