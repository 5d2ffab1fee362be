"""How many SMS a text takes, and when the night of a guest is over."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omni.channels import quiet
from omni.channels.phones import without_numbers
from omni.channels.segments import BASIC, EXTENDED, segments


@pytest.mark.parametrize(
    ("text", "encoding", "units", "parts", "left"),
    [
        ("", "gsm7", 0, 0, 160),
        ("a" * 160, "gsm7", 160, 1, 0),
        ("a" * 161, "gsm7", 161, 2, 145),
        ("€" * 80, "gsm7", 160, 1, 0),
        ("€" * 81, "gsm7", 162, 2, 143),
        ("a" * 152 + "€" + "b" * 10, "gsm7", 164, 2, 141),  # the escape is not cut from its character
        ("я" * 70, "ucs2", 70, 1, 0),
        ("я" * 71, "ucs2", 71, 2, 63),
        ("😀" * 35, "ucs2", 70, 1, 0),
        ("я" * 66 + "😀" + "я" * 5, "ucs2", 73, 2, 60),
        ("я" * 268, "ucs2", 268, 4, 0),
        ("я" * 269, "ucs2", 269, 5, 66),
        ("`", "ucs2", 1, 1, 69),
    ],
)
def test_segments(text, encoding, units, parts, left):
    found = segments(text)
    assert (found.encoding, found.units, found.parts, found.left) == (encoding, units, parts, left)


def test_the_alphabet_is_whole():
    assert len(BASIC) == 127  # 128 places, one of them is the escape
    assert not BASIC & EXTENDED


@given(st.text(max_size=700))
def test_parts_hold_the_whole_text(text):
    found = segments(text)
    single, part = (160, 153) if found.encoding == "gsm7" else (70, 67)
    assert found.units >= len(text)
    assert 0 <= found.left <= single
    if found.parts > 1:
        assert found.units > single
        lost = found.parts * part - found.left - found.units
        assert 0 <= lost < found.parts, "at most one unit is lost at each joint"
    assert found.parts >= -(-found.units // single)


ZONES = st.sampled_from([ZoneInfo(name) for name in ("Europe/Moscow", "Asia/Kamchatka", "Europe/Kaliningrad", "America/New_York")])
MOMENTS = st.datetimes(datetime(2025, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis takes bounds without one
CLOCKS = st.times().map(lambda at: at.replace(second=0, microsecond=0))


@given(MOMENTS, ZONES, CLOCKS, CLOCKS)
def test_a_notice_waits_for_the_end_of_the_quiet_hours_and_no_longer(now, zone, begin, end):
    at = quiet.allowed_at(now, zone, begin, end)
    assert now <= at < now + timedelta(hours=26)
    assert quiet.allowed_at(at, zone, begin, end) == at or at.astimezone(zone).fold, "what is allowed is allowed"
    if begin == end:
        assert at == now


@pytest.mark.parametrize(
    ("now", "zone", "at"),
    [
        ("2026-03-03T18:30", "Europe/Moscow", "2026-03-04T06:00"),  # 21:30 there
        ("2026-03-03T05:59", "Europe/Moscow", "2026-03-03T06:00"),  # 08:59
        ("2026-03-03T06:00", "Europe/Moscow", "2026-03-03T06:00"),
        ("2026-03-03T12:00", "Asia/Kamchatka", "2026-03-03T21:00"),  # midnight there
        ("2026-03-03T08:00", "Asia/Kamchatka", "2026-03-03T08:00"),  # 20:00
    ],
)
def test_the_night_is_the_guests_own(now, zone, at):
    moments = [datetime.fromisoformat(text).replace(tzinfo=UTC) for text in (now, at)]
    assert quiet.allowed_at(moments[0], ZoneInfo(zone), quiet.FROM, quiet.UNTIL) == moments[1]


def test_hours_of_an_account():
    assert quiet.hours_of({}) == (time(21), time(9))
    assert quiet.hours_of({"quiet_from": "22:30", "quiet_until": "07:15"}) == (time(22, 30), time(7, 15))
    assert quiet.hours_of({"quiet_from": "25:00"})[0] == time(21)
    assert set(quiet.shape({"quiet_from": "9", "quiet_until": "09:00"})) == {"quiet_from"}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("invalid number: 79161112233", "invalid number: 79•••••••33"),
        ("call +7 (916) 111-22-33 now", "call +7"),
        ("order 12345", "order 12345"),
        ("id 0:1771234567890123456", "id 0:1771234567890123456"),
    ],
)
def test_numbers_are_masked(text, shown):
    assert without_numbers(text).startswith(shown)
    assert "916111" not in without_numbers(text).replace(" ", "")
