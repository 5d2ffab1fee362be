"""The rule by which a dialogue finds its operator, without a database."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omni.choosing import Need, Operator, Ring, Rules, Why, Work, circle_of, dead_end, decide, needs_of
from omni.languages import language_of
from omni.states import Strategy

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
LINE, EXPERTS = 1, 2
ENGLISH, WINE = 10, 11


def work(waited=0, **fields):
    return Work(id=1, group=LINE, channel="telegram", weight=1, waiting_since=NOW - timedelta(seconds=waited), **fields)


def operator(number, load=0, capacity=5, idle=0, groups=(LINE,), **fields):
    assigned = NOW - timedelta(seconds=idle)
    return Operator(id=number, groups=frozenset(groups), capacity=capacity, load=load, assigned_at=assigned, **fields)


def chosen(one, people, limits=None):
    found = decide(one, people, limits=limits or {}, now=NOW).chosen
    return found.id if found else None


@pytest.mark.parametrize(
    ("strategy", "best"),
    [(Strategy.ROOM, 1), (Strategy.LEAST_BUSY, 2), (Strategy.LONGEST_IDLE, 3), (Strategy.BEST_SKILLED, 4)],
)
def test_each_strategy_has_its_own_best(strategy, best):
    people = [
        operator(1, load=2, capacity=20, idle=10, skills={ENGLISH: 2}),
        operator(2, load=1, capacity=5, idle=10, skills={ENGLISH: 2}),
        operator(3, load=3, capacity=5, idle=900, skills={ENGLISH: 2}),
        operator(4, load=4, capacity=5, idle=1, skills={ENGLISH: 5}),
    ]
    assert chosen(work(rules=Rules(strategy), needs={ENGLISH: 1}), people) == best


@pytest.mark.parametrize(
    ("one", "why"),
    [
        (operator(1, groups=[EXPERTS]), Why.GROUP),
        (operator(1, state="break"), Why.STATE),
        (operator(1, state="wrap_up"), Why.STATE),
        (operator(1, alive=False), Why.SILENT),
        (operator(1, load=5), Why.ROOM),
        (operator(1, capacity=0), Why.ROOM),
        (operator(1, live={"telegram": 2}), Why.CHANNEL),
        (operator(1, skills={ENGLISH: 1}), Why.SKILL),
        (operator(9, skills={ENGLISH: 5}), Why.REFUSED),
    ],
)
def test_whoever_cannot_get_it_is_told_why(one, why):
    verdict = decide(work(needs={ENGLISH: 2}, refused=frozenset({9})), [one], limits={"telegram": 2}, now=NOW)
    assert (verdict.chosen, dict(verdict.left_out)) == (None, {why: [one.id]})


RINGS = (Ring(30, lower_by=1), Ring(60, drops=frozenset({WINE})), Ring(120, drops_all=True, groups=frozenset({EXPERTS})))


@pytest.mark.parametrize(
    ("waited", "number", "needs", "groups"),
    [
        (0, 1, {ENGLISH: 3, WINE: 1}, {LINE}),
        (29, 1, {ENGLISH: 3, WINE: 1}, {LINE}),
        (30, 2, {ENGLISH: 2, WINE: 1}, {LINE}),
        (60, 3, {ENGLISH: 2}, {LINE}),
        (120, 4, {}, {LINE, EXPERTS}),
    ],
)
def test_the_circle_grows_with_the_wait(waited, number, needs, groups):
    circle = circle_of(work(waited, needs={ENGLISH: 3, WINE: 1}, rules=Rules(rings=RINGS)), now=NOW)
    assert (circle.number, circle.needs, circle.groups) == (number, needs, groups)


@pytest.mark.parametrize(
    ("waited", "person", "expected"),
    [
        (5, {"load": 3}, 7),  # has room: gets it before emptier colleagues
        (5, {"load": 5}, None),  # at work but full: it is kept a moment
        (5, {"state": "wrap_up"}, None),
        (31, {"load": 5}, 1),  # the patience is over
        (31, {"load": 3}, 1),
        (5, {"state": "break"}, 1),
        (5, {"alive": False}, 1),
        (5, {"groups": [EXPERTS]}, 1),
    ],
)
def test_the_guests_last_operator_comes_first_for_a_while(waited, person, expected):
    people = [operator(1), operator(7, **person)]
    assert chosen(work(waited, preferred=7, rules=Rules(preferred_seconds=30)), people) == expected


def test_who_refused_is_not_preferred():
    assert chosen(work(preferred=7, refused=frozenset({7}), rules=Rules(preferred_seconds=30)), [operator(1), operator(7)]) == 1


def test_needs_name_queue_channel_language_and_topic():
    needs = [Need(ENGLISH, 2, language="en"), Need(ENGLISH, 4, queue=3, language="en"), Need(WINE, 1, topic="drinks", channel="mail")]

    def of(**facts):
        return needs_of(needs, **{"queue": 1, "channel": "mail", "language": "ru", "topics": (), **facts})

    assert of() == {}
    assert of(language="en") == {ENGLISH: 2}
    assert of(language="en", queue=3) == {ENGLISH: 4}
    assert of(topics=("wine", "drinks")) == {WINE: 1}
    assert of(topics=("drinks",), channel="telegram") == {}


people_of = st.lists(
    st.builds(
        operator,
        st.integers(1, 30),
        load=st.integers(0, 6),
        capacity=st.integers(0, 6),
        idle=st.integers(0, 1000),
        groups=st.sampled_from([(LINE,), (EXPERTS,), (LINE, EXPERTS)]),
        state=st.sampled_from(["ready", "break", "away"]),
        alive=st.booleans(),
        skills=st.dictionaries(st.sampled_from([ENGLISH, WINE]), st.integers(1, 5)),
        live=st.dictionaries(st.just("telegram"), st.integers(0, 3)),
    ),
    unique_by=lambda one: one.id,
    max_size=12,
)
works_of = st.builds(
    work,
    st.integers(0, 200),
    priority=st.integers(0, 3),
    needs=st.dictionaries(st.sampled_from([ENGLISH, WINE]), st.integers(1, 5)),
    preferred=st.none() | st.integers(1, 30),
    refused=st.frozensets(st.integers(1, 30), max_size=5),
    rules=st.builds(Rules, st.sampled_from(Strategy.values), st.just(RINGS), st.integers(0, 100)),
)


@given(works_of, people_of)
def test_nobody_without_room_right_or_skill_ever_gets_it_and_everybody_is_accounted_for(one, people):
    limits = {"telegram": 2}
    verdict = decide(one, people, limits=limits, now=NOW)
    circle = circle_of(one, now=NOW)
    for able in verdict.ranked:
        assert able.groups & circle.groups
        assert able.state == "ready"
        assert able.alive
        assert able.id not in one.refused
        assert able.load + one.weight <= able.capacity
        assert able.live.get("telegram", 0) < 2
        assert all(able.skills.get(skill, 0) >= level for skill, level in circle.needs.items())
    counted = [able.id for able in verdict.ranked] + [number for ids in verdict.left_out.values() for number in ids]
    assert sorted(counted) == sorted(person.id for person in people)


@given(works_of, people_of)
def test_a_longer_wait_never_shrinks_the_circle(one, people):
    longer = replace(one, waiting_since=one.waiting_since - timedelta(seconds=300))
    before = {able.id for able in decide(one, people, limits={}, now=NOW).ranked}
    assert before <= {able.id for able in decide(longer, people, limits={}, now=NOW).ranked}


@given(works_of, works_of, people_of)
def test_two_dialogues_with_the_same_dead_end_have_the_same_fate(one, other, people):
    if dead_end(one, now=NOW) == dead_end(other, now=NOW):
        fates = [decide(each, people, limits={}, now=NOW).chosen is None for each in (one, other)]
        assert fates[0] == fates[1]


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Добрый день! Где мой заказ?", "ru"),
        ("Where is my order?", "en"),
        ("Заказ iPhone не пришёл", "ru"),
        ("Сәлеметсіз бе, тапсырысым қайда?", "kk"),
        ("Доброго дня, де моє замовлення? Його ще немає, її теж", "uk"),
        ("გამარჯობა", "ka"),
        ("Բարեւ ձեզ", "hy"),
        ("👍", ""),
        ("12345", ""),
        ("ok", ""),
        ("", ""),
    ],
)
def test_letters_tell_the_language(text, language):
    assert language_of(text) == language


@given(st.text())
def test_any_text_has_a_language_or_none(text):
    assert len(language_of(text)) in {0, 2}
