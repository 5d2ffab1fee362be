"""Sums add up however they are split; each figure is defined where there is nothing to count."""

from dataclasses import fields

from hypothesis import given
from hypothesis import strategies as st

from reports.figures import FIGURES, Sums, total

NUMBER = st.integers(min_value=0, max_value=10**9)
SUMS = st.builds(Sums, **{part.name: NUMBER for part in fields(Sums)})


@given(st.lists(SUMS, max_size=12), st.integers(min_value=0, max_value=12))
def test_parts_add_up_to_the_whole_however_they_are_split(parts, cut):
    whole = total(parts)
    assert total(parts[:cut]) + total(parts[cut:]) == whole
    assert total(reversed(parts)) == whole
    assert whole - total(parts[:cut]) == total(parts[cut:])


@given(SUMS)
def test_every_figure_is_a_number_or_nothing(sums):
    for figure in FIGURES:
        value = figure.value(sums)
        assert value is None or value >= 0


def test_a_mean_is_made_of_sums_not_of_means():
    fast, slow = Sums(closed=9, answered=9, first_answer_seconds=90), Sums(closed=1, answered=1, first_answer_seconds=910)
    mean = next(figure for figure in FIGURES if figure.code == "first_answer")
    assert mean.value(fast + slow) == 100


def test_nothing_to_count_is_no_figure():
    empty = {figure.code: figure.value(Sums()) for figure in FIGURES}
    assert empty["closed"] == 0
    assert empty["first_answer"] is None
    assert empty["resolution_in_time"] is None
