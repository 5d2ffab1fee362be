"""The labelled set told to a real base: what is found is right, and most of what should be found is."""

import pytest

from tickets.tests import likeness_set

pytestmark = pytest.mark.django_db


def test_nine_of_ten_offers_are_right_and_four_of_five_duplicates_are_found():
    found = likeness_set.measure(matters=220, seed=41)
    assert found.duplicates > 120, "the set must hold enough to judge by"
    assert found.precision >= 0.9, found
    assert found.recall >= 0.8, found
