"""Pure rules of the screen."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workstation.rules import Stage, clock_face, digits, masked_email, masked_phone, other_layout, phone_digits

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("left", "stage", "shown"),
    [
        (900, Stage.CALM, "15:00"),
        (451, Stage.CALM, "07:31"),
        (450, Stage.WARN, "07:30"),
        (181, Stage.WARN, "03:01"),
        (180, Stage.URGENT, "03:00"),
        (0, Stage.URGENT, "00:00"),
        (-1, Stage.OVER, "−00:01"),
        (-192, Stage.OVER, "−03:12"),
        (-3661, Stage.OVER, "−1:01:01"),
    ],
)
def test_a_clock_has_four_looks(left, stage, shown):
    face = clock_face(NOW + timedelta(seconds=left), 900, NOW)
    assert (face.stage, face.digits) == (stage, shown)


def test_no_promise_no_clock():
    assert clock_face(None, 900, NOW).stage == Stage.NONE


@given(st.integers(-10_000_000, 10_000_000))
def test_digits_are_read_back(seconds):
    parts = [int(part) for part in digits(seconds).lstrip("−").split(":")]
    total = sum(part * 60**place for place, part in enumerate(reversed(parts)))
    assert (-total if digits(seconds).startswith("−") else total) == seconds


@pytest.mark.parametrize(
    ("phone", "masked"), [("+79031234567", "+7 ••• •••-••-67"), ("", ""), ("+442071838750", "•••••50"), ("112", "•••••12")]
)
def test_a_masked_phone_hides_all_but_two_figures(phone, masked):
    assert masked_phone(phone) == masked


@given(st.emails())
def test_a_masked_address_keeps_its_domain_only(address):
    name, _at, domain = address.rpartition("@")
    if "@" not in name:
        assert masked_email(address) == f"{name[:1]}•••@{domain}"


@pytest.mark.parametrize(("typed", "meant"), [("ghbyznm", "принять"), ("rjnjdf", "котова"), ("ифтл", "bank")])
def test_the_other_layout(typed, meant):
    assert other_layout(typed) == meant


@pytest.mark.parametrize(
    ("typed", "figures"),
    [("8 903 123-45-67", "9031234567"), ("+7 (903) 1234567", "9031234567"), ("1234567", "1234567"), ("4217", ""), ("чек 12345", "")],
)
def test_what_looks_like_a_telephone(typed, figures):
    assert phone_digits(typed) == figures
