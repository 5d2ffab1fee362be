"""Too many like tickets draft an incident: once, against the place's own base, and a person decides."""

from datetime import timedelta

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from core.models import LiveEvent
from core.refusal import Refusal
from sla.models import Clock
from tests import builders as b
from tickets.bursting import is_burst
from tickets.models import BurstRule, Case, CaseLink, CasePrint, CaseStep, Incident, IncidentCase, Topic, TopicHour
from tickets.services import bursts, cases, counting, incident_parts, incidents, linking, opening
from tickets.services import topics as tree
from tickets.states import Cause, Step
from tickets.tests.test_linking import Desk

NOW = timezone.now().replace(minute=30, second=0, microsecond=0)
WEEK = timedelta(weeks=1)


class TestRule:
    @pytest.mark.parametrize(
        ("seen", "usual", "is_one"),
        [(4, 0, False), (5, 0, True), (5, 1.2, True), (5, 1.3, False), (40, 10, True), (39, 10, False), (40, 30, False), (12, 2.9, True)],
    )
    def test_enough_several_times_the_usual_and_not_by_chance(self, seen, usual, is_one):
        assert is_burst(seen, usual, at_least=5, times=4) is is_one

    @given(st.integers(0, 500), st.floats(0, 200), st.integers(2, 50), st.floats(1, 10))
    def test_more_never_makes_a_burst_less_of_one(self, seen, usual, at_least, times):
        if is_burst(seen, usual, at_least=at_least, times=times):
            assert is_burst(seen + 1, usual, at_least=at_least, times=times)
            assert is_burst(seen, usual / 2, at_least=at_least, times=times)
        assert not is_burst(at_least - 1, usual, at_least=at_least, times=times)


@pytest.fixture
def desk(db):
    desk = Desk()
    desk.branch = b.a_topic("shop", group=b.a_group("quality", "Качество"), name="Магазин")
    desk.topic = b.a_topic("cold", group=None, parent=desk.branch, name="Холодно")
    BurstRule.objects.all().delete()
    BurstRule.objects.create(scope="store", at_least=5, times=4)
    yield desk
    tree.forget()


def a_base(desk, store, number, *, weeks=4):
    """So many tickets in each of these hours of earlier weeks."""
    for back in range(1, weeks + 1):
        hour = counting.whole_hour(NOW) - back * WEEK
        for at in (hour, hour - timedelta(hours=1)):
            TopicHour.objects.create(hour=at, store=store, branch=desk.branch, number=number)


def complaints(desk, store, number, *, minutes=10, first=0):
    made = []
    for at in range(first, first + number):
        now = NOW - timedelta(minutes=minutes)
        session = desk.writes(1000 + at + 100 * store.pk, "В магазине мороз", now=now).session
        made.append(opening.open_ticket(session_id=session.pk, topic=desk.topic, by=desk.operator, now=now, store=store))
    return made


def test_a_burst_drafts_one_incident_with_its_tickets_and_a_notice(desk):
    store = b.a_store()
    a_base(desk, store, 1)
    made = complaints(desk, store, 6)
    (incident,) = bursts.watch(now=NOW)
    assert (incident.state, incident.seen, incident.usual, incident.store) == ("draft", 6, 1.0, store)
    assert set(IncidentCase.objects.values_list("case", flat=True)) == {case.pk for case in made}
    assert CaseStep.objects.filter(step=Step.LINKED, details={"incident": incident.number}).count() == 6
    assert LiveEvent.objects.filter(kind="incident", topics=[f"group:{desk.branch.group_id}"]).exists()
    assert bursts.watch(now=NOW) == []
    complaints(desk, store, 1, first=50)
    bursts.watch(now=NOW)
    assert incident.members.count() == 7


def test_what_is_usual_here_is_no_burst_and_without_a_known_week_nothing_is_judged(desk):
    store = b.a_store()
    complaints(desk, store, 6)
    assert bursts.watch(now=NOW) == []
    a_base(desk, store, 3)
    assert bursts.watch(now=NOW) == []
    TopicHour.objects.update(number=1)
    assert len(bursts.watch(now=NOW)) == 1


def test_a_region_counts_its_stores_together_by_its_own_rule(desk):
    stores = [b.a_store(str(number)) for number in (1, 2, 3)]
    a_base(desk, stores[0], 0)
    for store in stores:
        complaints(desk, store, 3)
    assert bursts.watch(now=NOW) == []
    BurstRule.objects.create(scope="region", branch=desk.branch, at_least=9, times=3)
    (incident,) = bursts.watch(now=NOW)
    assert (incident.scope, incident.region, incident.members.count()) == ("region", stores[0].region, 9)


def test_a_rule_of_the_branch_comes_before_the_common_one_and_may_be_off(desk):
    a_base(desk, b.a_store(), 0)
    complaints(desk, b.a_store(), 6)
    own = BurstRule.objects.create(scope="store", branch=desk.branch, at_least=7, times=2)
    assert bursts.watch(now=NOW) == []
    BurstRule.objects.filter(pk=own.pk).update(at_least=6, is_on=False)
    assert bursts.watch(now=NOW) == []
    BurstRule.objects.filter(pk=own.pk).update(is_on=True)
    assert len(bursts.watch(now=NOW)) == 1


def test_a_person_confirms_takes_out_and_closes(desk):
    a_base(desk, b.a_store(), 0)
    made = complaints(desk, b.a_store(), 5)
    (incident,) = bursts.watch(now=NOW)
    incidents.take_out(incident_id=incident.pk, case_id=made[0].pk, by=desk.operator, now=NOW)
    bursts.watch(now=NOW)
    assert incident.members.filter(removed_at=None).count() == 4
    incidents.put_in(incident_id=incident.pk, case_id=made[0].pk, by=desk.operator, now=NOW)
    assert len(bursts.members_of(incident)) == 5
    assert incidents.confirm(incident_id=incident.pk, by=desk.operator, now=NOW).state == "open"
    with pytest.raises(Refusal):
        incidents.reject(incident_id=incident.pk, by=desk.operator, now=NOW)
    assert incidents.close(incident_id=incident.pk, by=desk.operator, now=NOW).state == "closed"
    assert Case.objects.exclude(state="closed").filter(guest__isnull=False).count() == 5


def test_a_rejected_draft_lets_its_tickets_go_and_the_same_burst_drafts_none_again(desk):
    a_base(desk, b.a_store(), 0)
    complaints(desk, b.a_store(), 5)
    (incident,) = bursts.watch(now=NOW)
    incidents.reject(incident_id=incident.pk, by=desk.operator, now=NOW)
    assert bursts.members_of(incident) == []
    assert bursts.watch(now=NOW) == []
    with pytest.raises(Refusal):
        incidents.find(staff=b.a_person("stranger", "Чужой", groups=[b.a_group("other", "Другая")]), incident_id=incident.pk)


def test_whole_hours_are_counted_once(desk):
    store = b.a_store()
    complaints(desk, store, 3, minutes=24 * 60 * 3)
    complaints(desk, store, 2, minutes=24 * 60 * 3 - 60, first=20)
    complaints(desk, store, 4, minutes=5, first=40)
    while counting.count_hours(now=NOW):
        pass
    assert list(TopicHour.objects.filter(number__gt=0).order_by("hour").values_list("number", "branch")) == [
        (3, desk.branch.pk),
        (2, desk.branch.pk),
    ]
    assert TopicHour.objects.filter(store=None).count() == 72
    assert CasePrint.objects.count() == 9
    assert counting.count_hours(now=NOW) == 0
    assert Incident.objects.count() == 0


def parts(incident):
    return set(CaseLink.objects.filter(main=incident.main, kind="child", undone_at=None).values_list("case", flat=True))


def test_a_confirmed_incident_has_a_ticket_of_its_own_and_all_others_are_its_parts(desk):
    store = b.a_store()
    a_base(desk, store, 0)
    BurstRule.objects.update(priority=4)
    made = complaints(desk, store, 6)
    cases.close(case_id=made[0].pk, cause=Cause.SOLVED, by=desk.operator, now=NOW)
    (incident,) = bursts.watch(now=NOW)
    assert (incident.main, incident_parts.hang(now=NOW)) == (None, 0)
    incident = incidents.confirm(incident_id=incident.pk, by=desk.operator, now=NOW)
    assert (incident.main.guest, incident.main.priority, incident.main.store) == (None, 4, store)
    assert Clock.objects.filter(subject=incident.main.clock_subject, ended_at=None).exists()
    assert (incident_parts.hang(now=NOW), incident_parts.hang(now=NOW)) == (6, 0)
    assert parts(incident) == {case.pk for case in made}
    (late,) = complaints(desk, store, 1, first=50)
    bursts.watch(now=NOW)
    assert incident.members.count() == 7
    assert incident_parts.hang(now=NOW) == 1
    assert late.pk in parts(incident)
    incidents.take_out(incident_id=incident.pk, case_id=late.pk, by=desk.operator, now=NOW)
    own = CaseLink.objects.get(case=made[2], kind="child")
    linking.undo(link_id=own.pk, by=desk.operator, now=NOW)
    assert incident_parts.hang(now=NOW) == 0
    assert parts(incident) == {made[place].pk for place in (0, 1, 3, 4, 5)}


def test_where_nobody_is_responsible_for_a_ticket_of_its_own_the_first_open_one_leads(desk):
    store = b.a_store()
    a_base(desk, store, 0)
    made = complaints(desk, store, 6)
    cases.close(case_id=made[0].pk, cause=Cause.SOLVED, by=desk.operator, now=NOW)
    (incident,) = bursts.watch(now=NOW)
    Topic.objects.update(is_active=False)
    tree.forget()
    incident = incidents.confirm(incident_id=incident.pk, by=desk.operator, now=NOW)
    assert incident.main == made[1]
    assert incident_parts.hang(now=NOW) == 5
    assert parts(incident) == {case.pk for case in made} - {made[1].pk}


def test_a_ticket_that_is_part_of_another_one_does_not_change_hands(desk):
    store = b.a_store()
    a_base(desk, store, 0)
    made = complaints(desk, store, 6)
    elsewhere = desk.ticket(7)
    linking.link(case_id=made[0].pk, main_id=elsewhere.pk, kind=CaseLink.Kind.CHILD, by=desk.operator, now=NOW)
    (incident,) = bursts.watch(now=NOW)
    incident = incidents.confirm(incident_id=incident.pk, by=desk.operator, now=NOW)
    assert incident_parts.hang(now=NOW) == 5
    assert parts(incident) == {case.pk for case in made[1:]}
    assert CaseLink.objects.get(case=made[0]).main == elsewhere
