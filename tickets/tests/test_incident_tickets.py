"""An incident's own ticket: without a guest, routed and clocked as any; guests' tickets are its parts and can close with it."""

import uuid

import pytest
from django.utils import timezone

from core.refusal import Refusal
from customers.models import Guest
from customers.services import merging
from loyalty import grounds
from omni.models import ChannelAccount, Message, Session
from omni.services import answering, conversations, inner
from omni.states import AccountState, Direction, SessionState
from sla.models import Clock, Metric
from tests import builders as b
from tickets import belonging
from tickets.models import (
    Case,
    CasePrint,
    CaseStep,
    GuestNotice,
    GuestText,
    Incident,
    IncidentCase,
    Likeness,
    MassItem,
    MassJob,
    PolicyRule,
    Survey,
    SurveyRule,
    Topic,
    WaitReason,
    Watcher,
)
from tickets.services import bursts, cases, incident_parts, incidents, linking, mass, opening, prints, promising, topics, waits
from tickets.services.incidents import Ending
from tickets.states import CaseState, Cause, Step
from tickets.tests.test_linking import Desk, fresh
from worklist.models import Item

pytestmark = pytest.mark.django_db
NOW = timezone.now()


@pytest.fixture
def desk():
    desk = Desk()
    desk.group = b.a_group("quality", "Качество")
    desk.boss = b.a_person("boss", "Борис Боссов", groups=[desk.group], role=b.a_role("boss", [*b.OPERATOR_RIGHTS, "cases.mass"]))
    yield desk
    topics.forget()
    promising.forget()


def an_incident(desk, *members, **fields):
    place = {"scope": "store", "store": b.a_store(), "branch": desk.topic, "group": desk.group, "priority": 3}
    made = Incident.objects.create(seen=6, usual=0.5, since=NOW, made_at=NOW, **{"number": "500", **place, **fields})
    IncidentCase.objects.bulk_create(IncidentCase(incident=made, case=case, at=NOW) for case in members)
    return made


def confirmed(desk, *members, **fields):
    return incidents.confirm(incident_id=an_incident(desk, *members, **fields).pk, by=desk.boss, now=NOW)


def ended(desk, incident, **ending):
    return incidents.close(incident_id=incident.pk, by=desk.boss, now=NOW, ending=Ending(**ending))


def worked(job):
    while mass.carry_on(now=NOW):
        pass
    return MassJob.objects.get(pk=job.pk)


def test_confirming_opens_a_ticket_without_a_guest_and_the_guests_tickets_are_its_parts(desk):
    one, two = desk.ticket(7), desk.ticket("visitor")
    incident = confirmed(desk, one, two)
    own = incident.main
    assert own.guest is None
    assert (own.topic, own.group, own.store, own.priority, own.state) == (desk.topic, desk.group, b.a_store(), 3, CaseState.ROUTED)
    assert own.opened_by == desk.boss
    running = set(Clock.objects.filter(subject=own.clock_subject, ended_at=None).values_list("metric", flat=True))
    assert running == {Metric.RESOLUTION}
    assert incident_parts.hang(now=NOW) == 2
    assert set(own.links_here.filter(kind="child").values_list("case", flat=True)) == {one.pk, two.pk}
    assert belonging.incident_of(Case.objects.get(pk=own.pk)) == incident
    assert belonging.incident_of(one) == incident
    assert CaseStep.objects.filter(case=own, step=Step.LINKED, details={"incident": "500"}).count() == 1
    row = Item.objects.get(kind="case", subject_id=own.pk)
    assert "500" in row.guest_name
    assert row.state == "waiting"


def test_the_rules_of_promises_go_by_its_priority(desk):
    fast = b.a_policy("fast", 5, 5, 30)
    PolicyRule.objects.create(name="Инциденты", position=1, policy=fast, least_priority=3)
    promising.forget()
    assert confirmed(desk, desk.ticket(7)).main.policy == fast


def test_the_incidents_group_follows_it(desk):
    colleague = b.a_person("colleague", "Коллега", groups=[desk.group])
    gone = b.a_person("gone", "Ушедший", groups=[desk.group])
    gone.is_active = False
    gone.save()
    own = confirmed(desk, desk.ticket(7)).main
    assert set(Watcher.objects.filter(case=own).values_list("staff__login", flat=True)) == {"ivanova", "boss", colleague.login}


def test_nothing_that_is_meant_for_a_guest_happens_to_it(desk):
    GuestText.objects.create(status="opened", text="Приняли {number}", title="", is_active=True)
    SurveyRule.objects.create(name="Все", question="Как мы?", link_question="Как мы? {link}", is_active=True)
    incident = confirmed(desk, desk.ticket(7))
    own = incident.main
    cases.take(case_id=own.pk, by=desk.boss, now=NOW)
    assert not GuestNotice.objects.filter(case=own).exists()
    assert not CasePrint.objects.filter(case=own).exists()
    assert not Likeness.objects.filter(case=own).exists()
    assert prints.add_missing() == 0
    with pytest.raises(Refusal) as caught:
        grounds.find(staff=desk.boss, subject=own.clock_subject)
    assert caught.value.code == "no_guest"
    with pytest.raises(Refusal) as caught:
        answering.answer(session_id=own.session_id, text="Кому?", by=desk.boss, now=NOW)
    assert caught.value.code == "unanswerable"
    reason = WaitReason.objects.create(code="guest", name="Ждём гостя", state="waiting_guest", calendar=own.policy.calendar)
    assert reason not in waits.list_reasons(Case.objects.get(pk=own.pk))
    for wait in (
        lambda: waits.begin(case_id=own.pk, reason_id=reason.pk, by=desk.boss, now=NOW),
        lambda: cases.wait_for(case_id=own.pk, state=CaseState.WAITING_GUEST, by=desk.boss, now=NOW),
    ):
        with pytest.raises(Refusal) as caught:
            wait()
        assert caught.value.code == "no_guest"
    ended(desk, incident)
    assert not Survey.objects.filter(case=own).exists()
    assert Case.objects.get(pk=own.pk).state == CaseState.CLOSED


def test_notes_are_written_in_it_and_it_lives_as_any_ticket(desk):
    own = confirmed(desk, desk.ticket(7)).main
    cases.take(case_id=own.pk, by=desk.boss, now=NOW)
    session = conversations.lock(own.session_id)
    note = conversations.add_line(session=session, direction=Direction.NOTE, text="Звоню в сервис", by=desk.boss, now=NOW)
    assert (note.guest, note.session.state) == (own.session.guest, SessionState.PARKED)
    cases.close(case_id=own.pk, cause=Cause.SOLVED, by=desk.boss, now=NOW)
    assert Session.objects.get(pk=own.session_id).state == SessionState.CLOSED
    again = cases.reopen(case_id=own.pk, by=desk.boss, reason="Опять", now=NOW)
    assert (again.state, again.waiting_since, again.session_id) == (CaseState.REOPENED, None, own.session_id)
    assert set(Clock.objects.filter(subject=own.clock_subject, ended_at=None).values_list("metric", flat=True)) == {Metric.RESOLUTION}


def test_who_stands_behind_its_dialogue_is_no_guest(desk):
    one, two = desk.ticket(7), desk.ticket("visitor")
    own, other = confirmed(desk, one).main, confirmed(desk, two, number="501", store=b.a_store("77")).main
    nobody = own.session.guest
    assert not nobody.is_person
    assert nobody != other.session.guest
    assert ChannelAccount.objects.filter(kind="inner").count() == 1
    with pytest.raises(Refusal) as caught:
        merging.merge(kept_id=one.guest_id, gone_id=nobody.pk, by=desk.boss, now=NOW)
    assert caught.value.code == "no_person"


def test_no_ticket_is_joined_to_it_as_a_duplicate(desk):
    one = desk.ticket(7)
    own = confirmed(desk, one).main
    for case, main in ((one, own), (own, one)):
        with pytest.raises(Refusal) as caught:
            linking.join(case_id=case.pk, main_id=main.pk, by=desk.boss, now=NOW)
        assert caught.value.code == "no_guest"


def test_a_region_needs_no_store_though_the_topic_asks_for_one(desk):
    Topic.objects.update(store_required=True)
    topics.forget()
    store = b.a_store()
    session = desk.writes(7, "Холодно").session
    one = opening.open_ticket(session_id=session.pk, topic=desk.topic, by=desk.operator, now=NOW, store=store)
    own = confirmed(desk, one, scope="region", store=None, region=store.region).main
    assert (own.guest, own.store) == (None, None)


def test_where_nobody_is_responsible_the_tickets_topic_is_taken_and_then_the_first_ticket_leads(desk):
    empty = Topic.objects.create(code="nobody", name="Ничья ветка")
    topics.forget()
    one, two = desk.ticket(7), desk.ticket("visitor")
    incident = confirmed(desk, one, two, branch=empty)
    assert (incident.main.guest, incident.main.topic) == (None, desk.topic)
    Topic.objects.filter(pk=desk.topic.pk).update(is_active=False)
    topics.forget()
    incident = confirmed(desk, one, two, branch=empty, number="501", store=b.a_store("77"))
    assert incident.main == one
    assert Guest.objects.filter(is_person=False).count() == 1
    ended(desk, incident)
    assert fresh(one).state != CaseState.CLOSED


def test_an_inner_dialogue_needs_a_queue(db):
    with pytest.raises(Refusal) as caught:
        inner.open_dialogue(key="incident:1", name="Инцидент", now=NOW)
    assert caught.value.code == "no_queue"


def test_the_end_closes_its_own_ticket_only(desk):
    one = desk.ticket(7)
    incident = ended(desk, confirmed(desk, one), cause=Cause.NOT_OURS)
    own = Case.objects.get(pk=incident.main_id)
    assert (own.state, own.cause, incident.state, incident.closing_job) == (CaseState.CLOSED, Cause.NOT_OURS, "closed", None)
    assert fresh(one).state != CaseState.CLOSED
    with pytest.raises(Refusal):
        ended(desk, incident)


def test_its_own_ticket_may_have_closed_before(desk):
    incident = confirmed(desk, desk.ticket(7))
    cases.close(case_id=incident.main_id, cause=Cause.EXPLAINED, by=desk.boss, now=NOW)
    ended(desk, incident)
    assert Case.objects.get(pk=incident.main_id).cause == Cause.EXPLAINED


def test_the_end_closes_the_members_in_the_background_without_a_word(desk):
    one, two = desk.ticket(7), desk.ticket("visitor")
    incident = ended(desk, confirmed(desk, one, two), with_members=True)
    assert fresh(one).state != CaseState.CLOSED
    job = worked(incident.closing_job)
    assert (job.kind, job.state, job.done, job.made_by) == ("close", "done", 2, desk.boss)
    assert {fresh(one).cause, fresh(two).cause} == {Cause.SOLVED}
    assert not Message.objects.filter(direction=Direction.OUT).exists()


def test_each_guest_is_told_once_in_the_own_channel_and_then_the_ticket_closes(desk):
    one, two, third, unreached = desk.ticket(7), desk.ticket("visitor"), desk.ticket("joined"), desk.ticket(8)
    also = opening.open_ticket(session_id=one.session_id, topic=desk.topic, by=desk.operator, now=NOW)
    linking.join(case_id=third.pk, main_id=two.pk, by=desk.operator, now=NOW)
    unreached.session.identity.blocked_at = NOW
    unreached.session.identity.save()
    incident = confirmed(desk, one, also, two, unreached)
    job = worked(ended(desk, incident, with_members=True, cause=Cause.EXPLAINED, text="{number}: починили").closing_job)
    assert (job.total, job.done, job.left_out) == (5, 4, 1)
    said = Message.objects.filter(direction=Direction.OUT).order_by("pk").values_list("account__kind", "text")
    assert set(said) == {(kind, f"{case.number}: починили") for kind, case in (("telegram", one), ("webchat", two), ("webchat", third))}
    assert len(said) == 3
    assert [fresh(case).cause for case in (one, also, two)] == [Cause.EXPLAINED] * 3
    assert fresh(third).cause == Cause.DUPLICATE
    assert fresh(unreached).state != CaseState.CLOSED
    assert MassItem.objects.get(case=unreached).code == "blocked"


def test_an_answer_without_closing_is_refused_and_nothing_has_happened(desk):
    incident = confirmed(desk, desk.ticket(7))
    with pytest.raises(Refusal) as caught:
        ended(desk, incident, text="Починили")
    assert caught.value.code == "choose"
    assert (Incident.objects.get().state, Case.objects.get(pk=incident.main_id).state) == ("open", CaseState.ROUTED)


def test_a_job_that_begins_itself_can_be_stopped_as_any(desk):
    job = ended(desk, confirmed(desk, desk.ticket(7)), with_members=True).closing_job
    mass.carry_on(now=NOW)
    mass.stop(job_id=job.pk, by=desk.boss, now=NOW)
    assert worked(job).state == "stopped"
    ChannelAccount.objects.update(state=AccountState.DISABLED)
    mass.start(job_id=job.pk, by=desk.boss, now=NOW)
    assert worked(job).done == 1


def test_a_burst_gives_its_rules_priority_and_its_own_ticket_is_no_member(desk):
    own = confirmed(desk, desk.ticket(7)).main
    assert bursts.add_members(Incident.objects.get(), now=NOW) == 0
    assert not IncidentCase.objects.filter(case=own).exists()


def test_other_systems_confirm_and_end_it(desk, client):
    from tickets.tests.test_api_asking import a_program

    one = desk.ticket(7)
    incident, program = an_incident(desk, one), a_program(client, desk.boss)

    def post(deed, **body):
        key = {"Idempotency-Key": str(uuid.uuid4())}
        path = f"/api/v1/incidents/{incident.pk}/{deed}"
        return client.post(path, body, content_type="application/json", headers={**program.headers, **key})

    own = post("confirm").json()["main"]
    seen = client.get(f"/api/v1/cases/{own}/", headers=program.headers).json()
    assert (seen["guest"], seen["channel"]) == (None, "inner")
    assert post("close", cause="because").status_code == 400
    told = post("close", cause="explained", members=True, text="Починили").json()
    assert told["state"] == "closed"
    job = MassJob.objects.get(pk=told["closing_job"])
    assert (job.text, job.params["cause"]) == ("Починили", "explained")
    assert worked(job).done == 1
    assert Case.objects.get(pk=own).cause == Cause.EXPLAINED
