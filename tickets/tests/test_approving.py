"""Who may decide, and what decisions come to: tables, and an oracle written from the rules' words."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tickets.approving import ApprovalState, Away, SeatFacts, acting, seat_for, verdict

DAY = date(2026, 11, 20)
A, B, C = 1, 2, 3


def seats(*decisions):
    return [SeatFacts(id=at, staff_id=at, decision=one, by_id=at if one else None) for at, one in enumerate(decisions, start=1)]


@pytest.mark.parametrize(
    ("decisions", "quorum", "refusals", "state"),
    [
        (("", ""), 1, 1, "waiting"),
        (("yes", ""), 1, 1, "approved"),
        (("yes", ""), 2, 1, "waiting"),
        (("yes", "yes"), 2, 1, "approved"),
        (("no", ""), 1, 1, "declined"),
        (("no", "", ""), 2, 2, "waiting"),
        (("no", "no", ""), 2, 2, "declined"),
        (("no", "", ""), 3, 3, "declined"),
        (("yes", "no", "yes"), 2, 1, "approved"),
    ],
)
def test_what_decisions_come_to(decisions, quorum, refusals, state):
    assert verdict(seats(*decisions), quorum=quorum, refusals=refusals) == state


@given(st.lists(st.sampled_from(["yes", "no", ""]), max_size=7), st.integers(1, 5), st.integers(1, 5))
def test_it_waits_exactly_while_more_than_one_end_can_be_reached(decisions, quorum, refusals):
    """The oracle tries every way in which the open ones may decide, one after the other."""

    def ends(left):
        yes, no = left.count("yes"), left.count("no")
        if yes >= quorum:
            return {"approved"}
        if no >= refusals:
            return {"declined"}
        if "" not in left:
            return {"declined"}
        at = left.index("")
        return ends([*left[:at], "yes", *left[at + 1 :]]) | ends([*left[:at], "no", *left[at + 1 :]])

    state, possible = verdict(seats(*decisions), quorum=quorum, refusals=refusals), ends(decisions)
    if state == ApprovalState.WAITING:
        assert "approved" in possible
    else:
        assert str(state) in possible
        assert state == ApprovalState.APPROVED or "approved" not in possible or decisions.count("no") >= refusals


def away(staff, substitute, since=DAY, until=DAY):
    return Away(staff, substitute, since, until)


@pytest.mark.parametrize(
    ("by", "given", "absences", "barred", "seat"),
    [
        (A, ("", ""), [], (), 1),
        (C, ("", ""), [], (), None),
        (C, ("", ""), [away(B, C)], (), 2),
        (C, ("", ""), [away(B, C, since=date(2026, 11, 21), until=date(2026, 11, 22))], (), None),
        (C, ("", ""), [away(B, C)], (C,), None),
        (A, ("", ""), [away(B, A)], (), 1),
        (A, ("yes", ""), [away(B, A)], (), None),
        (B, ("", ""), [away(B, C)], (), 2),
        (A, ("", ""), [], (A,), None),
        (A, ("yes", ""), [], (), None),
    ],
)
def test_whose_part_a_person_may_decide(by, given, absences, barred, seat):
    found = seat_for(by, seats(*given), absences, day=DAY, barred=barred)
    assert (found.id if found else None) == seat


def test_a_substitute_who_may_not_decide_leaves_the_part_where_it_is():
    assert acting(B, [away(B, C)], day=DAY, barred=()) == C
    assert acting(B, [away(B, C)], day=DAY, barred=(C,)) == B


PEOPLE = st.integers(1, 5)


@given(
    st.lists(st.tuples(PEOPLE, st.sampled_from(["yes", "no", ""])), max_size=5, unique_by=lambda one: one[0]),
    st.lists(st.tuples(PEOPLE, PEOPLE), max_size=4),
    st.sets(PEOPLE, max_size=2),
    st.lists(PEOPLE, max_size=12),
)
def test_however_people_stand_in_nobody_decides_twice_and_nobody_who_is_barred(parts, absences, barred, pressing):
    now = [SeatFacts(staff, staff, decision, staff if decision else None) for staff, decision in parts]
    gone = [away(staff, substitute) for staff, substitute in absences if staff != substitute]
    for by in pressing:
        found = seat_for(by, now, gone, day=DAY, barred=barred)
        if found is not None:
            assert by not in barred
            assert not found.decision
            now = [SeatFacts(one.id, one.staff_id, "yes", by) if one.id == found.id else one for one in now]
    deciders = [one.by_id for one in now if one.by_id]
    assert len(deciders) == len(set(deciders))
