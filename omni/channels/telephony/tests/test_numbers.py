"""Numbers and times as exchanges write them."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omni.channels.contract import AccountConfig
from omni.channels.telephony.account import extension_digits, local_time, region_of, zone_fault, zone_of
from omni.channels.telephony.items import whole_at
from omni.channels.telephony.numbers import e164, is_extension

ARRIVED = datetime(2026, 3, 3, 9, 40, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("89001112233", "+79001112233"),
        ("79001112233", "+79001112233"),
        ("+7 (900) 111-22-33", "+79001112233"),
        ("9001112233", "+79001112233"),
        ("sip:+79001112233@pbx.example;user=phone", "+79001112233"),
        ("tel:+79001112233", "+79001112233"),
        ("375291112233", "+375291112233"),
        ("anonymous", ""),
        ("Anonymous", ""),
        ("sip:anonymous@anonymous.invalid", ""),
        ("<unknown>", ""),
        ("+266696687", ""),
        ("", ""),
        ("12345", "12345"),
        ("abc", ""),
    ],
)
def test_a_number_in_one_form(written, number):
    assert e164(written) == number


def test_national_numbers_of_another_country():
    assert e164("0447911123", "GB") == e164("+44 447911123") or e164("07911123456", "GB") == "+447911123456"


@given(st.text(max_size=60))
def test_any_text_is_a_number_or_none(text):
    found = e164(text)
    assert len(found) <= 40
    assert found == "" or found.lstrip("+").isdigit()


@pytest.mark.parametrize(
    ("written", "longest", "ours"),
    [
        ("101", 6, True),
        ("1", 6, False),
        ("1234567", 6, False),
        ("+101", 6, False),
        ("sip:101@pbx", 6, True),
        ("", 6, False),
        ("1234", 3, False),
    ],
)
def test_a_telephone_of_ours(written, longest, ours):
    assert is_extension(written, longest) is ours


MOSCOW = ZoneInfo("Europe/Moscow")


@pytest.mark.parametrize(
    ("written", "at"),
    [
        ("2026-03-03 12:40:05", ARRIVED - timedelta(seconds=5)),
        ("2026-03-03 09:40:05", ARRIVED),  # another zone than the account says
        ("nonsense", ARRIVED),
        ("0001-01-01 00:00:00", ARRIVED),
        ("9999-12-31 23:59:59", ARRIVED),
    ],
)
def test_a_local_time_is_believed_near_the_arrival(written, at):
    assert local_time(written, MOSCOW, ARRIVED) == at


def test_an_accounts_settings():
    odd = AccountConfig("a", "voice", {"time_zone": "Mars/Base", "extension_digits": "x"})
    assert (zone_of(odd), extension_digits(odd), region_of(odd)) == (UTC, 6, "RU")
    assert zone_fault({"time_zone": "Mars/Base"})
    assert not zone_fault({"time_zone": "Asia/Omsk"})
    assert not zone_fault({})


@pytest.mark.parametrize(
    ("value", "number"),
    [("2", 2), (2, 2), ("2.7", 2), (2.7, 2), (True, None), ("x", None), ("-1", None), ("1" * 30, None), (None, None), ([], None)],
)
def test_whole_numbers_in_both_spellings(value, number):
    assert whole_at({"n": value}, "n") == number
