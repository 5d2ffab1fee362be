"""A store reads the matter and not who the guest is; its links and letters by pure rules."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest
from django.test import override_settings
from hypothesis import given
from hypothesis import strategies as st

from tickets import tokens
from tickets.asking import fill, remind_at, unknown_places
from tickets.masking import HIDDEN, is_bar_code, without_contacts

NOON = datetime(2026, 11, 20, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ("Звоните +7 (916) 123-45-67 после шести", f"Звоните {HIDDEN} после шести"),
        ("8 916 123 45 67", HIDDEN),
        ("89161234567,9161234567", f"{HIDDEN},{HIDDEN}"),
        ("Пишите anna.petrova@почта.рф или a@b.ru.", f"Пишите {HIDDEN} или {HIDDEN}."),
        ("карта 2200 1234 5678 9010", f"карта {HIDDEN}"),
        ("я @anna_petrova в телеграме", f"я {HIDDEN} в телеграме"),
        ("Штрихкод 4601234567893, цена 129,90 вместо 99,90", "Штрихкод 4601234567893, цена 129,90 вместо 99,90"),
        ("Штрихкод 4601234567890", f"Штрихкод {HIDDEN}"),
        ("18.11.2026 в 19:40, касса 3, чек 004512", "18.11.2026 в 19:40, касса 3, чек 004512"),
        ("", ""),
    ],
)
def test_contacts_are_hidden_and_the_matter_stays(words, shown):
    assert without_contacts(words) == shown


@given(st.text(), st.integers(min_value=9_000_000_000, max_value=9_999_999_999))
def test_no_telephone_survives_whatever_stands_around_it(words, number):
    said = without_contacts(f"{words} +7{number} {words}")
    assert f"{number}" not in said.replace(words, "")


@given(st.integers(min_value=0, max_value=10**12 - 1))
def test_a_bar_code_has_one_right_check_digit(body):
    digits = f"{body:012}"
    assert sum(is_bar_code(f"{digits}{check}") for check in range(10)) == 1


@given(st.binary(min_size=16, max_size=16), st.text(max_size=60))
def test_only_our_own_tokens_are_read(raw, forged):
    made = uuid.UUID(bytes=raw)
    token = tokens.token_of("store", made)
    assert tokens.read("store", token) == made
    assert tokens.read("mark", token) is None, "a token is good for one purpose"
    assert tokens.read("store", forged) is None
    assert tokens.read("store", token[:-1]) is None
    assert tokens.read("store", token + "A") is None


@given(st.integers(min_value=0, max_value=47), st.integers(min_value=1, max_value=63))
def test_a_token_with_one_other_letter_is_forged(place, shift):
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    token = tokens.token_of("store", uuid.UUID(int=77))
    other = letters[(letters.index(token[place]) + shift) % 64]
    assert tokens.read("store", token[:place] + other + token[place + 1 :]) is None


def test_a_token_outlives_a_change_of_the_key():
    one = uuid.UUID(int=5)
    with override_settings(SECRET_KEY="before"):
        token = tokens.token_of("store", one)
    with override_settings(SECRET_KEY="after", SECRET_KEY_FALLBACKS=["before"]):
        assert tokens.read("store", token) == one
        assert tokens.token_with("store", one, digest=tokens.digest_of(token)) == token
    with override_settings(SECRET_KEY="after", SECRET_KEY_FALLBACKS=[]):
        assert tokens.read("store", token) is None


def test_a_place_is_filled_once_and_what_is_no_place_stays():
    assert fill("{number}: {matter} {other}", {"number": "7", "matter": "{number}"}) == "7: {number} {other}"
    assert unknown_places("{number} {phone} { }", ["number"]) == ["phone"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Здравствуйте, {guest}! Чиним", "Здравствуйте! Чиним"),
        ("{guest}, мы чиним", "Мы чиним"),
        ("{guest}! Мы чиним", "Мы чиним"),
        ("Добрый день, {guest}, мы чиним", "Добрый день, мы чиним"),
        ("Добрый день.\n{guest}, ваше обращение {number}", "Добрый день.\nВаше обращение 7"),
        ("{guest}", ""),
    ],
)
def test_a_guest_without_a_name_is_not_called_by_one(text, said):
    assert fill(text, {"guest": "", "number": "7"}) == said
    assert "Анна" in fill(text, {"guest": "Анна", "number": "7"})


@pytest.mark.parametrize(
    ("due", "promised", "at"),
    [(None, None, None), (NOON, None, NOON - HOUR), (NOON, NOON + 5 * HOUR, NOON + 4 * HOUR), (None, NOON, NOON - HOUR)],
)
def test_the_reminder_comes_before_the_promise_else_before_the_clock(due, promised, at):
    assert remind_at(due_at=due, promised_at=promised, before=HOUR) == at
