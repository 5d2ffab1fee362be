"""Rules of routing: order, conditions, hours over midnight, loads; details of a topic; timers of a wait."""

from datetime import UTC, date, datetime, time, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sla.rules import WorkingHours
from tickets.details import BadDetail, DetailSpec, has_card_number, read, read_all
from tickets.routing import DetailRule, TopicCycle, TopicFacts, resolve
from tickets.rules import Ask, Load, Place, RuleFacts, decide, first_fit, least_loaded
from tickets.waiting import Deed, Plan, days_later, next_due

TREE = {
    1: TopicFacts(
        1,
        None,
        "Качество",
        group_id=10,
        policy_id=1,
        store_involved=True,
        details=(DetailRule("a", "required"), DetailRule("b", "offered")),
    ),
    2: TopicFacts(2, 1, "Молоко", details=(DetailRule("a", "dropped"), DetailRule("c", "required"))),
    3: TopicFacts(3, None, "Другое"),
}
NOON = datetime(2026, 3, 17, 9, tzinfo=UTC)  # noon in Moscow
HOME = Place(id=7, region_id=70, chain_id=700, cluster_id=7000)


def ask(topic=2, **more):
    return Ask(topic_id=topic, at=more.pop("at", NOON), **more)


@pytest.mark.parametrize(
    ("conditions", "given_ticket", "fits"),
    [
        ({}, ask(), True),
        ({"topic_id": 1}, ask(2), True),
        ({"topic_id": 2}, ask(1), False),
        ({"region_id": 70}, ask(place=HOME), True),
        ({"region_id": 71}, ask(place=HOME), False),
        ({"region_id": 70}, ask(), False),
        ({"cluster_id": 7000, "chain_id": 700}, ask(place=HOME), True),
        ({"store_id": 8}, ask(place=HOME), False),
        ({"channel": "email"}, ask(channel="email"), True),
        ({"channel": "email"}, ask(channel="telegram"), False),
        ({"priority_from": 2}, ask(priority=2), True),
        ({"priority_from": 2}, ask(priority=1), False),
        ({"since": time(8), "until": time(12)}, ask(), False),
        ({"since": time(12), "until": time(13)}, ask(), True),
        ({"since": time(22), "until": time(8)}, ask(), False),
        ({"since": time(22), "until": time(8)}, ask(at=NOON + timedelta(hours=11)), True),
        ({"since": time(22), "until": time(8)}, ask(at=NOON - timedelta(hours=5)), True),
        (
            {"since": time(15), "until": time(17)},
            ask(place=Place(7, 70, 700, zone="Asia/Yekaterinburg"), at=NOON + timedelta(hours=1, minutes=30)),
            True,
        ),
    ],
)
def test_a_rule_fits_when_every_condition_holds(conditions, given_ticket, fits):
    rule = RuleFacts(id=1, position=1, name="правило", group_ids=(5,), **conditions)
    assert (first_fit(given_ticket, [rule], resolve(given_ticket.topic_id, TREE).ids) is rule) == fits


def test_the_first_rule_decides_and_without_one_the_topic():
    rules = [RuleFacts(1, 1, "чужое", topic_id=3, group_ids=(9,)), RuleFacts(2, 2, "наше", group_ids=(5, 6), to_store=False)]
    found = decide(ask(place=HOME), TREE, rules)
    assert (found.rule.id, found.group_ids, found.to_store) == (2, (5, 6), False)
    own = decide(ask(place=HOME), TREE, [])
    assert (own.rule, own.group_ids, own.to_store) == (None, (10,), True)
    assert decide(ask(), TREE, []).to_store is False
    assert decide(ask(3), TREE, []).group_ids == ()


def test_circles_are_told():
    with pytest.raises(TopicCycle):
        decide(ask(1), {1: TopicFacts(1, 2, "а"), 2: TopicFacts(2, 1, "б")}, [])


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 9)), max_size=12))
def test_nobody_has_a_smaller_part_in_use_than_the_chosen(loads):
    rows = [Load(place, taken, capacity) for place, (taken, capacity) in enumerate(loads)]
    found = least_loaded(rows)
    parts = [Fraction(row.open, row.capacity) for row in rows if row.capacity]
    assert (found is None) == (not parts)
    if found:
        assert Fraction(found.open, found.capacity) == min(parts)


def test_details_are_inherited_dropped_and_added():
    assert [(rule.code, rule.need) for rule in resolve(2, TREE).details] == [("b", "offered"), ("c", "required")]


TODAY = date(2026, 3, 17)


@pytest.mark.parametrize(
    ("kind", "text", "kept"),
    [
        ("text", "  Кефир   1% ", "Кефир 1%"),
        ("number", "3,50", "3.5"),
        ("money", "1 349,9 руб.", "1349.90"),
        ("money", "-5", None),
        ("money", "1e5", None),
        ("date", "08.03.2026", "2026-03-08"),
        ("date", "2026-03-18", None),
        ("date", "31.02.2026", None),
        ("date", "2019-01-01", None),
        ("time", "9:05", "09:05"),
        ("time", "25:00", None),
        ("reference", "№ 00123-А", "00123-А"),
        ("reference", "<script>", None),
        ("choice", "Ozon", "Ozon"),
        ("choice", "Лавка", None),
        ("yes_no", "Да", "yes"),
        ("text", "карта 4111 1111 1111 1111", None),
        ("text", "чек 4111 1111 1111 1112", "чек 4111 1111 1111 1112"),
    ],
)
def test_a_value_is_kept_in_one_form_or_refused(kind, text, kept):
    spec = DetailSpec("x", "Икс", kind, is_required=False, options=("Ozon",))
    if kept is None:
        with pytest.raises(BadDetail):
            read(spec, text, today=TODAY)
    else:
        assert read(spec, text, today=TODAY) == kept


@given(st.sampled_from(["text", "number", "money", "date", "time", "reference", "choice", "yes_no"]), st.text(max_size=40))
def test_any_text_is_kept_or_refused_and_what_is_kept_reads_the_same(kind, text):
    spec = DetailSpec("x", "Икс", kind, is_required=False, options=("Ozon",))
    try:
        kept = read(spec, text, today=TODAY)
    except BadDetail:
        return
    assert not has_card_number(kept)
    assert read(spec, kept, today=TODAY) == kept


def test_required_and_unknown_details_are_refused_by_name():
    specs = [DetailSpec("product", "Товар", "text", is_required=True), DetailSpec("receipt", "Чек", "reference", is_required=False)]
    assert read_all(specs, {"product": "Кефир", "receipt": ""}, today=TODAY) == {"product": "Кефир"}
    for given_values, code in (({}, "product"), ({"product": "К", "other": "1"}, "other")):
        with pytest.raises(BadDetail) as fault:
            read_all(specs, given_values, today=TODAY)
        assert fault.value.code == code


OFFICE = WorkingHours("Europe/Moscow", {day: [(time(9), time(18))] for day in range(5)}, {date(2026, 3, 9): []})


@pytest.mark.parametrize(
    ("since", "days", "expected"),
    [
        ("2026-03-03 11:00", 1, "2026-03-04 11:00"),
        ("2026-03-06 17:30", 1, "2026-03-10 17:30"),  # a week-end and a holiday
        ("2026-03-06 23:00", 1, "2026-03-10 18:00"),
        ("2026-03-03 03:00", 2, "2026-03-05 09:00"),
    ],
)
def test_working_days_pass_over_week_ends_and_holidays(since, days, expected):
    moscow = timedelta(hours=3)
    at = datetime.fromisoformat(since).replace(tzinfo=UTC) - moscow
    assert days_later(OFFICE, at, days) == datetime.fromisoformat(expected).replace(tzinfo=UTC) - moscow


def test_a_late_reminder_puts_off_what_comes_after_it():
    plan, since = Plan((1, 3), 5), datetime(2026, 3, 2, 8, tzinfo=UTC)
    first = next_due(plan, done=0, since=since, last_at=since, hours=OFFICE)
    assert (first.deed, first.at.date()) == (Deed.REMIND, date(2026, 3, 3))
    late = datetime(2026, 3, 6, 8, tzinfo=UTC)
    second = next_due(plan, done=1, since=since, last_at=late, hours=OFFICE)
    assert second.at.date() == date(2026, 3, 11)
    last = next_due(plan, done=2, since=since, last_at=second.at, hours=OFFICE)
    assert (last.deed, last.at.date()) == (Deed.CLOSE, date(2026, 3, 13))
    assert next_due(plan, done=3, since=since, last_at=late, hours=OFFICE) is None
