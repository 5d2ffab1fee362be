"""Own keys: no key does two things, whatever is kept; the command refuses what cannot work."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.refusal import Refusal
from workstation import keys

PLACES = st.sampled_from([*keys.CAPS, "F5", "Enter", "Space", ""])
KEYS = st.tuples(st.sampled_from(["", keys.SHIFT]), PLACES).map("".join)
KEPT = st.dictionaries(st.sampled_from([*keys.DEFAULTS, "retired"]), KEYS | st.none() | st.integers())


def test_the_defaults_are_their_own_rule():
    assert keys.check(keys.DEFAULTS) == {}
    assert keys.effective({}) == keys.DEFAULTS
    assert all(keys.is_allowed(key) for key in keys.DEFAULTS.values())


@given(KEPT)
def test_whatever_is_kept_no_key_does_two_things(own):
    found = keys.effective(own)
    given_keys = [key for key in found.values() if key]
    assert set(found) == set(keys.DEFAULTS)
    assert len(given_keys) == len(set(given_keys))
    assert all(keys.is_allowed(key) for key in given_keys)


@given(KEPT)
def test_what_is_accepted_is_what_works(own):
    try:
        kept = keys.check(own)
    except Refusal:
        return
    taken = set(own.values())
    assert keys.effective(kept) == {deed: own.get(deed, "" if key in taken else key) for deed, key in keys.DEFAULTS.items()}


@pytest.mark.parametrize(
    ("wanted", "code"),
    [
        ({"finish": "KeyA", "assign": "KeyA"}, "key_double"),
        ({"finish": "KeyQ", "note": "KeyQ"}, "key_double"),
        ({"finish": "Enter"}, "key_reserved"),
        ({"finish": "F6"}, "key_reserved"),
        ({"finish": "Shift+Slash"}, "key_reserved"),
        ({"finish": "Shift+Digit7"}, "key_reserved"),
        ({"finish": "Shift+"}, "key_reserved"),
        ({"finish": "Shift+Shift+KeyQ"}, "key_reserved"),
        ({"fly": "KeyQ"}, "bad_key"),
        ({"finish": 5}, "bad_key"),
    ],
)
def test_refused(wanted, code):
    with pytest.raises(Refusal) as refusal:
        keys.check(wanted)
    assert refusal.value.code == code


def test_two_keys_change_places_and_one_is_switched_off():
    kept = keys.check({"next": "KeyK", "previous": "KeyJ", "finish": "", "note": "KeyN"})
    assert kept == {"next": "KeyK", "previous": "KeyJ", "finish": ""}
    assert keys.effective(kept)["finish"] == ""


@pytest.mark.parametrize(("key", "shown"), [("KeyE", "E"), ("Shift+KeyE", "Shift E"), ("BracketLeft", "["), ("Digit1", "1"), ("", "")])
def test_a_key_as_people_read_it(key, shown):
    assert keys.cap(key) == shown


def test_own_keys_are_kept_and_reset(desk, operator, taken):
    answer = desk.command("keys/", keys=json.dumps({"finish": "KeyQ", "note": ""}))
    assert answer.json()["keys"]["finish"] == "KeyQ"
    operator.refresh_from_db()
    assert operator.own_keys == {"finish": "KeyQ", "note": ""}
    assert "(Q)" in desk.read(f"session/{taken.pk}/header/").json()["header"]
    assert desk.command("keys/", keys=json.dumps({"finish": "KeyA", "assign": "KeyA"})).json()["code"] == "key_double"
    for wrong in ("no json", "[]", '"KeyQ"'):
        assert desk.command("keys/", keys=wrong).json()["code"] == "bad_key"
    assert desk.command("keys/").json()["keys"] == dict(keys.DEFAULTS)
    operator.refresh_from_db()
    assert operator.own_keys == {}


def test_without_single_keys_no_button_names_one(desk, operator, taken):
    desk.command("look/", single_keys="0")
    assert "(E)" not in desk.read(f"session/{taken.pk}/header/").json()["header"]
