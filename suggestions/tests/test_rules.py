"""What is suggested, what counts as a hit, when a model takes over."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suggestions.features import COLUMNS, columns, words
from suggestions.rules import (
    MOST_LETTERS,
    Guess,
    Hits,
    document,
    guesses,
    is_held_out,
    is_worse,
    percent,
    sureness,
    what_was_said,
)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Ёлка на 1 500,50 руб.", ["елка", "на", "0", "0", "0", "руб"]),
        ("КЕФИР!!!", ["кефир"]),
        ("", []),
        ("\x00 ((( 👍", []),
        ("wi-fi и т.д.", ["wi", "fi", "и", "т", "д"]),
    ],
)
def test_words(text, found):
    assert words(text) == found


@given(st.text(max_size=300))
def test_any_text_has_columns_each_once_in_order(text):
    met = columns(text)
    assert list(met) == sorted(set(met))
    assert all(0 <= column < COLUMNS for column in met)
    assert met == columns(text.upper()) or text.upper().lower() != text.lower()


def test_a_slip_of_the_keys_leaves_most_of_a_word():
    right, slipped = set(columns("просроченный")), set(columns("просроченый"))
    assert len(right & slipped) > len(right) / 2


@pytest.mark.parametrize(
    ("confidences", "allowed", "most", "least", "found"),
    [
        ({1: 0.7, 2: 0.2, 3: 0.1}, {1, 2, 3}, 3, 0.0, [1, 2, 3]),
        ({1: 0.7, 2: 0.2, 3: 0.1}, {1, 2, 3}, 2, 0.0, [1, 2]),
        ({1: 0.7, 2: 0.2, 3: 0.1}, {2, 3}, 3, 0.0, [2, 3]),
        ({1: 0.7, 2: 0.2, 3: 0.1}, {1, 2, 3}, 3, 0.15, [1, 2]),
        ({2: 0.5, 1: 0.5}, {1, 2}, 1, 0.0, [1]),
        ({1: float("nan"), 2: 0.1}, {1, 2}, 3, 0.0, [2]),
        ({}, {1}, 3, 0.0, []),
        ({1: 1.0}, {1}, 0, 0.0, []),
    ],
)
def test_guesses(confidences, allowed, most, least, found):
    assert [guess.topic_id for guess in guesses(confidences, allowed=allowed, most=most, least=least)] == found


@given(st.dictionaries(st.integers(1, 50), st.floats(0, 1)), st.integers(0, 3), st.floats(0, 1))
def test_guesses_go_down_and_are_sure_enough(confidences, most, least):
    found = guesses(confidences, allowed=confidences, most=most, least=least)
    assert len(found) <= most
    assert all(isinstance(guess, Guess) and guess.confidence >= least for guess in found)
    assert [guess.confidence for guess in found] == sorted((guess.confidence for guess in found), reverse=True)


@pytest.mark.parametrize(
    ("confidence", "word"), [(1.0, "likely"), (0.6, "likely"), (0.59, "possible"), (0.25, "possible"), (0.1, "unsure")]
)
def test_sureness(confidence, word):
    assert sureness(confidence, likely_from=0.6, possible_from=0.25) == word


@pytest.mark.parametrize(("confidence", "shown"), [(0.0, 1), (0.004, 1), (0.5, 50), (0.996, 99), (1.0, 99)])
def test_a_guess_is_never_certain(confidence, shown):
    assert percent(confidence) == shown


def test_a_dialogue_is_read_in_its_order_and_cut_at_its_beginning():
    assert what_was_said("Тема", ["третье", "второе", "первое"]) == "Тема\nпервое\nвторое\nтретье"
    assert what_was_said("", ["", "одно"]) == "одно"
    long = what_was_said("", ["новое", "с" * MOST_LETTERS, "старое"])
    assert long.endswith("новое")
    assert "старое" not in long
    assert len(long) <= MOST_LETTERS + 2


def test_a_document_has_what_there_is():
    assert document(name="Шум", instruction="Узнайте часы") == [("Шум", 1.0), ("Узнайте часы", 0.6)]


def test_about_a_tenth_is_held_out_and_always_the_same():
    held = [case for case in range(10_000) if is_held_out(case)]
    assert 800 < len(held) < 1200
    assert held == [case for case in range(10_000) if is_held_out(case)]


@pytest.mark.parametrize(
    ("new", "before", "worse"),
    [
        (Hits(100, 50, 80), Hits(100, 60, 80), False),
        (Hits(100, 50, 78), Hits(100, 50, 80), False),
        (Hits(100, 90, 77), Hits(100, 50, 80), True),
        (Hits(19, 0, 0), Hits(19, 19, 19), False),
        (Hits(0, 0, 0), Hits(0, 0, 0), False),
    ],
)
def test_a_worse_model_is_known(new, before, worse):
    assert is_worse(new, before, tolerated=0.02, least=20) is worse
