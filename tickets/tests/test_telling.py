"""What a guest is told of a ticket, by pure rules: which state, which words, what is a mark."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tickets.states import CASE_MOVES, CaseState, Cause, Step
from tickets.telling import GuestStatus, closest, read_mark, status_of, still_so, wakes


@pytest.mark.parametrize(
    ("step", "state", "cause", "status"),
    [
        (Step.OPENED, CaseState.ROUTED, "", GuestStatus.OPENED),
        (Step.OPENED, CaseState.WAITING_STORE, "", GuestStatus.OPENED),
        (Step.TAKEN, CaseState.IN_WORK, "", GuestStatus.IN_WORK),
        (Step.MOVED, CaseState.WAITING_GUEST, "", GuestStatus.WAITING),
        (Step.MOVED, CaseState.WAITING_THIRD, "", None),
        (Step.ANSWERED, CaseState.ANSWERED, "", None),
        (Step.CLOSED, CaseState.CLOSED, Cause.SOLVED, GuestStatus.SOLVED),
        (Step.CLOSED, CaseState.CLOSED, Cause.NOT_OURS, GuestStatus.SOLVED),
        (Step.CLOSED, CaseState.CLOSED, Cause.DUPLICATE, None),
        (Step.CLOSED, CaseState.CLOSED, Cause.NO_ANSWER, None),
        (Step.NOTIFIED, CaseState.CLOSED, "", None),
    ],
)
def test_of_what_a_guest_is_told(step, state, cause, status):
    assert status_of(step, state, cause) == status


def test_what_is_told_at_a_step_is_so_at_that_step_and_not_after_the_next_close_or_opening():
    assert all(
        still_so(status_of(step, state), state) for step in Step for state in CASE_MOVES if status_of(step, state) and fits(step, state)
    )
    assert not still_so(GuestStatus.SOLVED, CaseState.REOPENED)
    assert not any(still_so(status, CaseState.CLOSED) for status in GuestStatus if status != GuestStatus.SOLVED)


def fits(step, state):
    return (step == Step.CLOSED) == (state == CaseState.CLOSED) and not (step == Step.TAKEN and state not in {CaseState.IN_WORK})


@pytest.mark.parametrize(
    ("said", "mark"),
    [
        ("5", 5), (" 1 ", 1), ("4.", 4), ("3!", 3), ("5!!!", 5), ("2)", 2), ("5️⃣", 5), ("4/5", 4), ("4 из 5", 4), ("5 баллов", 5),
        ("1 балл", 1), ("3 звезды", 3), ("5 ЗВЁЗД", 5), ("⭐⭐⭐", 3), ("⭐️⭐️", 2), ("★★★★★", 5),
        ("0", None), ("6", None), ("10", None), ("55", None), ("-5", None),
        ("5 штук", None), ("касса 5", None), ("5?", None), ("5 5", None),
        ("пять", None), ("", None), ("⭐⭐⭐⭐⭐⭐", None), ("5 из 10", None), ("в 5 вечера", None),
        ("5 баллов за кефир", None),
        ("٥", None), ("Спасибо, 5", None),
    ],
)  # fmt: skip
def test_only_a_bare_mark_is_a_mark(said, mark):
    assert read_mark(said) == mark


@given(st.text(max_size=30))
def test_whatever_is_said_a_mark_is_from_one_to_five_and_words_are_never_one(said):
    mark = read_mark(said)
    assert mark is None or 1 <= mark <= 5
    assert read_mark(f"{said} кефир") is None


ROWS = st.lists(st.tuples(st.none() | st.integers(1, 5), st.none() | st.integers(1, 2)), max_size=8)


@given(ROWS, st.lists(st.integers(1, 5), unique=True, min_size=1, max_size=4), st.none() | st.integers(1, 2))
def test_the_nearest_topic_wins_then_the_chain_then_the_first(rows, branch, chain_id):
    """The oracle asks in words: for each place on the way up, first with the chain, then without."""
    wanted = [(topic, chain) for topic in (*branch, None) for chain in ((chain_id, None) if chain_id else (None,))]
    expected = next((rows.index(pair) for pair in wanted if pair in rows), None)
    assert closest(rows, branch=branch, chain_id=chain_id) == expected


@pytest.mark.parametrize(
    ("comment", "mark", "answer"),
    [("Долго", 2, True), ("Всё хорошо", 5, False), ("А когда вернут деньги?", 5, True), ("Нормально", 3, False)],
)
def test_a_comment_that_asks_or_complains_is_for_people(comment, mark, answer):
    assert wakes(comment, mark=mark, low=2) is answer
