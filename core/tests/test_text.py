from hypothesis import given
from hypothesis import strategies as st

from core.text import first_line, searchable, storable


def test_yo_is_ye_and_case_does_not_count():
    assert searchable("  Ёлка   В\nМагазине ", None, "№ 7") == "елка в магазине № 7"


@given(st.text())
def test_what_is_stored_can_be_stored(text):
    kept = storable(text)
    assert "\x00" not in kept
    kept.encode("utf-8")


@given(st.text(), st.integers(2, 200))
def test_a_first_line_is_one_line_and_short(text, limit):
    line = first_line(text, limit)
    assert len(line) <= limit
    assert "\n" not in line
