"""The way of a ticket: stays made of its history, and a drawing that never overlaps."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tickets.route_map import BOX_HEIGHT, BOX_WIDTH, Holder, Mark, draw, list_stays
from tickets.states import CaseState

T0 = datetime(2026, 3, 2, 9, tzinfo=UTC)


def stays(marks, hours=0):
    return list_stays(
        marks, opener="Анна", store="4217", now=T0 + timedelta(hours=24), working=lambda since, until: (until - since).total_seconds() / 3
    )


def mark(hours, state, group="Качество", owner="", reason=""):
    return Mark(T0 + timedelta(hours=hours), state, group, owner, reason)


def test_the_way_through_group_store_person_and_guest_to_the_end():
    way = stays(
        [
            mark(0, CaseState.ROUTED),
            mark(0, CaseState.ROUTED),
            mark(2, CaseState.IN_WORK, owner="Борис"),
            mark(3, CaseState.ANSWERED, owner="Борис"),
            mark(4, CaseState.WAITING_STORE, owner="Борис"),
            mark(7, CaseState.WAITING_GUEST, owner="Борис", reason="фото"),
            mark(8, CaseState.CLOSED, owner="Борис"),
        ]
    )
    assert [stay.holder for stay in way] == [Holder.START, Holder.GROUP, Holder.PERSON, Holder.STORE, Holder.GUEST, Holder.END]
    assert [stay.seconds / 3600 for stay in way] == [0, 2, 2, 3, 1, 0]
    assert [stay.worked / 1200 for stay in way] == [0, 2, 2, 3, 1, 0]
    assert (way[3].name, way[4].reason, way[-1].until) == ("4217", "фото", None)


def test_an_open_ticket_counts_until_now_and_an_unknown_way_is_empty():
    assert stays([mark(0, CaseState.ROUTED)])[-1].seconds == 24 * 3600
    assert stays([]) == []


HANDS = st.tuples(st.sampled_from(list(CaseState)), st.sampled_from(["А", "Б"]), st.sampled_from(["", "Вера", "Глеб"]))


@given(st.lists(HANDS, min_size=1, max_size=40))
def test_times_add_up_and_neighbours_differ(hands):
    marks = [mark(place / 2, state, group, owner) for place, (state, group, owner) in enumerate(hands)]
    way = stays(marks)
    closed = marks[-1].state == CaseState.CLOSED
    last = way[-1].since if closed else T0 + timedelta(hours=24)
    assert sum(stay.seconds for stay in way) == pytest.approx((last - T0).total_seconds())
    assert all((one.holder, one.name) != (other.holder, other.name) for one, other in pairwise(way[1:]))
    assert all(one.until == other.since for one, other in pairwise(way))


@pytest.mark.parametrize("number", [1, 2, 4, 5, 6, 20, 31])
def test_boxes_lie_inside_and_apart_and_arrows_join_neighbours(number):
    drawing = draw(number)
    assert len(drawing.boxes) == number
    assert len(drawing.legs) == number - 1
    assert len(set(drawing.boxes)) == number
    for box in drawing.boxes:
        assert 0 <= box.x <= drawing.width - BOX_WIDTH
        assert 0 <= box.y <= drawing.height - BOX_HEIGHT
    for leg, before, after in zip(drawing.legs, drawing.boxes, drawing.boxes[1:], strict=False):
        for point, box in ((leg.start, before), (leg.end, after)):
            assert box.x <= point.x <= box.x + BOX_WIDTH
            assert box.y <= point.y <= box.y + BOX_HEIGHT
        assert 0 <= leg.label.x <= drawing.width
