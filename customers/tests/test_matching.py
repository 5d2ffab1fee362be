"""The rules of "the same person": what counts, what forbids, what adds up."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from customers.matching import VERIFIED, Doubt, Known, Match, Reason, Weights, compare, may_link, score_of

WEIGHTS = Weights(
    reasons={"verified_phone": 95, "verified_id": 95, "phone": 60, "email": 60, "same_id": 80, "name_and_store": 35},
    doubts={"other_id": 60, "other_email": 70, "other_phone": 40},
    by_itself=frozenset({"verified_phone", "verified_id"}),
)
PHONE, OTHER = "+79161234567", "+79031112233"
TELEGRAM = ("telegram", "555")


def known(phone="", verified="", email="", ids=(), verified_ids=()):
    return Known(
        phones=frozenset({phone, verified} - {""}),
        emails=frozenset({email} - {""}),
        ids=frozenset((*ids, *verified_ids)),
        verified_phones=frozenset({verified} - {""}),
        verified_ids=frozenset(verified_ids),
    )


CASES = [
    # one, other, store, reasons, doubts
    (known(verified=PHONE), known(verified=PHONE), "", [Reason.VERIFIED_PHONE], []),
    (known(verified=PHONE), known(phone=PHONE), "", [Reason.PHONE], []),
    (known(phone=PHONE), known(phone=OTHER), "", [], []),
    (known(verified=PHONE), known(verified=OTHER), "", [], [Doubt.OTHER_PHONE]),
    (known(email="a@x.ru"), known(email="a@x.ru"), "", [Reason.EMAIL], []),
    (known(email="a@x.ru", verified=PHONE), known(email="b@x.ru", verified=PHONE), "", [Reason.VERIFIED_PHONE], [Doubt.OTHER_EMAIL]),
    (known(ids=[TELEGRAM]), known(ids=[TELEGRAM]), "", [Reason.SAME_ID], []),
    (known(verified_ids=[TELEGRAM]), known(verified_ids=[TELEGRAM]), "", [Reason.VERIFIED_ID], []),
    (known(verified_ids=[TELEGRAM]), known(ids=[TELEGRAM]), "", [Reason.SAME_ID], []),
    (
        known(ids=[TELEGRAM], verified=PHONE),
        known(ids=[("telegram", "666")], verified=PHONE),
        "",
        [Reason.VERIFIED_PHONE],
        [Doubt.OTHER_ID],
    ),
    (known(ids=[TELEGRAM]), known(ids=[("vk", "555")]), "", [], []),
    (known(), known(), "Лесная (4217)", [Reason.NAME_AND_STORE], []),
    (known(), known(), "", [], []),
]


@pytest.mark.parametrize(("one", "other", "store", "reasons", "doubts"), CASES)
def test_reasons_and_doubts(one, other, store, reasons, doubts):
    match = compare(one, other, weights=WEIGHTS, store=store)
    assert (list(match.reasons), list(match.doubts)) == (reasons, doubts)
    assert set(match.shared) == set(reasons)


def test_the_score_adds_up_and_doubts_take_from_it():
    assert score_of([Reason.PHONE], [], weights=WEIGHTS) == 60
    assert score_of([Reason.PHONE, Reason.EMAIL], [], weights=WEIGHTS) == 84
    assert score_of([Reason.PHONE, Reason.EMAIL], [Doubt.OTHER_ID], weights=WEIGHTS) == 50
    assert score_of([], [], weights=WEIGHTS) == 0


def test_a_reason_without_weight_does_not_count():
    light = Weights(reasons={"phone": 0})
    assert compare(known(phone=PHONE), known(phone=PHONE), weights=light) == Match(0, [], [], {})


LINKS = [
    ([Reason.VERIFIED_PHONE], [], 1, True),
    ([Reason.VERIFIED_ID], [], 1, True),
    ([Reason.VERIFIED_PHONE], [], 2, False),  # several match: a person decides
    ([Reason.VERIFIED_PHONE], [Doubt.OTHER_ID], 1, False),  # two accounts of one channel are two people
    ([Reason.VERIFIED_PHONE], [Doubt.OTHER_EMAIL], 1, False),
    ([Reason.PHONE, Reason.EMAIL, Reason.SAME_ID, Reason.NAME_AND_STORE], [], 1, False),  # nothing of it is verified
    ([], [], 1, False),
]


@pytest.mark.parametrize(("reasons", "doubts", "matches", "joined"), LINKS)
def test_what_joins_by_itself(reasons, doubts, matches, joined):
    assert may_link(Match(100, reasons, doubts), weights=WEIGHTS, matches=matches) is joined


def test_a_rule_that_is_off_joins_nobody():
    off = Weights(reasons=WEIGHTS.reasons, doubts=WEIGHTS.doubts)
    assert not may_link(Match(95, [Reason.VERIFIED_PHONE], []), weights=off, matches=1)


PHONES = st.sampled_from([PHONE, OTHER, "+74950000001"])
IDS = st.tuples(st.sampled_from(["telegram", "vk", "email"]), st.sampled_from(["1", "2", "3"]))


@st.composite
def guests(draw):
    phones, ids = draw(st.frozensets(PHONES)), draw(st.frozensets(IDS))
    return Known(
        phones=phones,
        emails=draw(st.frozensets(st.sampled_from(["a@x.ru", "b@x.ru"]))),
        ids=ids,
        verified_phones=draw(st.frozensets(st.sampled_from(sorted(phones)))) if phones else frozenset(),
        verified_ids=draw(st.frozensets(st.sampled_from(sorted(ids)))) if ids else frozenset(),
    )


@given(guests(), guests(), st.sampled_from(["", "Лесная"]))
def test_a_match_is_the_same_from_both_sides_and_within_bounds(one, other, store):
    match = compare(one, other, weights=WEIGHTS, store=store)
    assert match == compare(other, one, weights=WEIGHTS, store=store)
    assert 0 <= match.score <= 100
    assert bool(match.score) == bool(match.reasons)


@given(guests(), guests())
def test_nobody_is_joined_without_a_verified_key_or_against_a_doubt(one, other):
    match = compare(one, other, weights=WEIGHTS)
    if may_link(match, weights=WEIGHTS, matches=1):
        assert VERIFIED & set(match.reasons)
        assert not match.doubts
        channels = {channel for channel, _id in one.ids} & {channel for channel, _id in other.ids}
        assert all({i for c, i in one.ids if c == channel} & {i for c, i in other.ids if c == channel} for channel in channels)


@given(st.lists(st.sampled_from(list(Reason)), unique=True), st.sampled_from(list(Reason)))
def test_one_more_reason_never_lowers_the_score(reasons, more):
    assert score_of({*reasons, more}, [], weights=WEIGHTS) >= score_of(reasons, [], weights=WEIGHTS)
