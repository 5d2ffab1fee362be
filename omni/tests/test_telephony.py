"""What the steps of a call add up to, whatever their order."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omni import telephony
from omni.channels.contract import CallKind, CallStep
from omni.telephony import CallState, described, facts_of

START = datetime(2026, 3, 3, 9, 0, tzinfo=UTC)
GUEST, LINE = "+79001112233", "+74950001122"
K = CallKind


def step(kind, second, leg="c1", *, inbound=True, **values):
    numbers = {"caller": GUEST, "called": LINE} if inbound else {"caller": LINE, "called": GUEST}
    at = START + timedelta(seconds=second)
    fields = {"sequence": second, "at": at, "inbound": inbound, **numbers, **values}
    return CallStep(kind=kind, call_key="c1", leg_key=leg, **fields)


ANSWERED = [
    step(K.RINGING, 0),
    step(K.QUEUED, 5, queue="Первая линия"),
    step(K.RINGING, 8, "c1:101", extension="101"),
    step(K.ANSWERED, 12, "c1:101"),
    step(K.HOLD, 60, "c1:101"),
    step(K.ANSWERED, 80, "c1:101"),
    step(K.ENDED, 204, "c1:101"),
    step(K.ENDED, 204),
]
MISSED = [step(K.RINGING, 0), step(K.QUEUED, 5, queue="Первая линия"), step(K.RINGING, 8, "c1:101", extension="101"), step(K.ENDED, 40)]
TRANSFERRED = [*ANSWERED[:4], step(K.RINGING, 90, "c1:102", extension="102"), step(K.ENDED, 95, "c1:101"), step(K.ANSWERED, 99, "c1:102")]
OUTGOING = [
    step(K.RINGING, 0, inbound=False, extension="101"),
    step(K.ANSWERED, 9, inbound=False, extension="101"),
    step(K.ENDED, 30, inbound=False),
]


@pytest.mark.parametrize(
    ("steps", "text"),
    [
        (ANSWERED[:1], "Звонок: вызов"),
        (ANSWERED[:2], "Звонок: ожидает в очереди, очередь «Первая линия»"),
        (ANSWERED[:3], "Звонок: вызов, очередь «Первая линия»"),
        (ANSWERED[:4], "Звонок: разговор, Анна Иванова (101)"),
        (ANSWERED[:5], "Звонок: на удержании, Анна Иванова (101)"),
        (ANSWERED, "Звонок: принят, Анна Иванова (101), ожидание 0:12, длительность 3:12"),
        (MISSED, "Пропущенный звонок, очередь «Первая линия», ожидание 0:40"),
        (OUTGOING, "Исходящий звонок: состоялся, Анна Иванова (101), длительность 0:21"),
        ([OUTGOING[0], OUTGOING[2]], "Исходящий звонок: гость не ответил, ожидание 0:30"),
        (
            [*MISSED, step(K.DTMF, 3, digits="1"), step(K.DTMF, 4, digits="#")],
            f"{'Пропущенный звонок, очередь «Первая линия», ожидание 0:40'}, нажато: 1#",
        ),
        (
            [*ANSWERED, step(K.RECORDING_READY, 300, recording="r")],
            "Звонок: принят, Анна Иванова (101), ожидание 0:12, длительность 3:12, есть запись",
        ),
    ],
)
def test_the_entry_says_what_is_so(steps, text):
    assert described(facts_of(steps), operator="Анна Иванова" if facts_of(steps).extension else "") == text


@given(st.permutations(ANSWERED), st.integers(0, 7))
def test_any_order_and_any_repeat_tell_the_same(steps, twice):
    assert facts_of(steps) == facts_of(ANSWERED)
    assert facts_of([*steps, steps[twice]]) == facts_of(ANSWERED)


@given(st.permutations(TRANSFERRED))
def test_the_last_who_took_the_call_has_it(steps):
    facts = facts_of(steps)
    assert (facts.state, facts.extension, facts.answered_at) == (CallState.TALKING, "102", START + timedelta(seconds=12))


def test_while_the_call_is_handed_on_it_rings():
    facts = facts_of(TRANSFERRED[:-1])
    assert (facts.state, facts.ringing) == (CallState.RINGING, (("c1:102", "102"),))


def test_an_end_with_a_length_proves_an_answer_that_was_lost():
    facts = facts_of([step(K.RINGING, 0), step(K.ENDED, 100, duration=70, extension="101")])
    assert (facts.state, facts.duration, facts.wait, facts.extension) == (CallState.ENDED, 70, 30, "101")


def test_the_exchanges_own_figures_count():
    facts = facts_of([*ANSWERED[:-1], step(K.ENDED, 205, duration=188, wait=9)])
    assert (facts.duration, facts.wait) == (188, 9)


def test_a_telephone_that_is_not_taken_does_not_end_the_call():
    steps = [*MISSED[:3], step(K.MISSED, 20, "c1:101"), step(K.RINGING, 21, "c1:102", extension="102")]
    assert facts_of(steps).ringing == (("c1:102", "102"),)
    assert not facts_of(steps[:-1]).is_over


def test_without_a_leg_of_the_whole_call_its_last_leg_ends_it():
    legs = [replace(one, leg_key=f"leg-{one.leg_key}") for one in ANSWERED]
    assert not facts_of(legs[:-1]).is_over
    assert facts_of(legs).state == CallState.ENDED


def test_a_lost_end_is_said_and_a_late_one_corrects_it():
    lost = facts_of(ANSWERED[:6], lost=True)
    assert (lost.state, lost.lost, lost.duration) == (CallState.ENDED, True, None)
    assert described(lost).endswith("конец звонка не получен")
    assert facts_of(ANSWERED, lost=True) == facts_of(ANSWERED)


def test_who_hangs_up_in_the_menu_has_missed_nobody_if_the_account_says_so():
    menu = facts_of([step(K.RINGING, 0), step(K.DTMF, 3, digits="2"), step(K.ENDED, 20)])
    assert telephony.is_missed(menu, only_after="")
    assert not telephony.is_missed(menu, only_after="people")
    assert described(menu, only_after="people").startswith("Звонок: завершён в голосовом меню")
    assert telephony.is_missed(facts_of(MISSED), only_after="people")


def test_steps_that_know_no_number_do_not_turn_the_call_round():
    unknowing = CallStep(K.DTMF, "c1", "c1", -1, START - timedelta(seconds=1), digits="5")
    assert facts_of([unknowing, *OUTGOING]).inbound is False
    assert facts_of([unknowing, *OUTGOING]).guest == GUEST


steps = st.builds(
    CallStep,
    kind=st.sampled_from(CallKind),
    call_key=st.just("c1"),
    leg_key=st.sampled_from(["c1", "a", "b"]),
    sequence=st.integers(0, 50),
    at=st.integers(-(10**8), 10**8).map(lambda seconds: START + timedelta(seconds=seconds)),
    inbound=st.booleans(),
    caller=st.sampled_from(["", GUEST]),
    extension=st.sampled_from(["", "101", "102"]),
    duration=st.one_of(st.none(), st.integers(0, 10**9)),
    wait=st.one_of(st.none(), st.integers(0, 10**9)),
)


@given(st.lists(steps, max_size=12), st.booleans(), st.randoms())
def test_whatever_an_exchange_says_adds_up(found, lost, chance):
    facts = facts_of(found, lost=lost)
    shuffled = list(found)
    chance.shuffle(shuffled)
    assert facts_of(shuffled, lost=lost) == facts
    assert described(facts)
    assert all(value is None or 0 <= value <= telephony.LONGEST for value in (facts.wait, facts.duration))
    assert facts.is_over == (facts.ended_at is not None)


@given(steps)
def test_a_kept_step_is_the_same_step(one):
    assert telephony.from_json(telephony.as_json(one)) == one


@pytest.mark.parametrize(("seconds", "shown"), [(0, "0:00"), (192, "3:12"), (3600, "1:00:00"), (-5, "0:00")])
def test_lengths_as_a_clock_shows_them(seconds, shown):
    assert telephony.clock_face(seconds) == shown
