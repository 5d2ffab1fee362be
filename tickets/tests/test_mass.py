"""Mass work: gathered, shown, started, stopped, resumed; each ticket exactly once, each guest in the own channel."""

import threading
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from core.models import AuditEntry
from core.refusal import Refusal
from customers.models import Consent, Guest
from omni.channels.contract import Capabilities
from omni.models import ChannelAccount, Message, MessageTemplate, Session
from omni.states import AccountState, Direction, SessionState
from tests import builders as b
from tickets import mass_reading
from tickets.models import CaseStep, Incident, IncidentCase, MassItem, MassJob
from tickets.services import cases, linking, mass, mass_deeds, mass_items, opening
from tickets.states import CaseState, Cause, Step
from tickets.tests.test_linking import Desk, fresh
from worklist.models import Item

pytestmark = pytest.mark.django_db
NOW = timezone.now()
Kind, State = MassJob.Kind, MassJob.State


def a_desk():
    desk = Desk()
    desk.lead = b.a_person("lead", "Старший Супервизор", role=b.a_role("lead", [*b.OPERATOR_RIGHTS, "cases.mass", "everything.read"]))
    return desk


@pytest.fixture
def desk():
    return a_desk()


def made(desk, kind, *tickets, **given):
    chosen = given.pop("chosen", None) or mass.Chosen(case_ids=tuple(case.pk for case in tickets))
    return mass.make(kind=kind, chosen=chosen, by=desk.lead, now=NOW, **given)


def run(job, desk):
    while mass.carry_on(now=NOW):
        pass
    mass.start(job_id=job.pk, by=desk.lead, now=NOW)
    while mass.carry_on(now=NOW):
        pass
    return MassJob.objects.get(pk=job.pk)


def sent():
    return list(Message.objects.filter(direction=Direction.OUT).order_by("pk").values_list("account__kind", "text"))


def test_every_guest_is_answered_in_the_own_channel_once(desk):
    one, two, also = desk.ticket(7), desk.ticket("visitor"), desk.ticket("joined")
    again = opening.open_ticket(session_id=one.session_id, topic=desk.topic, by=desk.operator, now=NOW)
    linking.join(case_id=also.pk, main_id=two.pk, by=desk.operator, now=NOW)
    incident = Incident.objects.create(
        number="5", scope="store", branch=desk.topic, group=one.group, seen=3, usual=0, since=NOW, made_at=NOW, store=b.a_store()
    )
    IncidentCase.objects.bulk_create(IncidentCase(incident=incident, case=case, at=NOW) for case in (one, two, again))
    job = made(desk, Kind.ANSWER, text="{number}: починили", chosen=mass.Chosen(incident_id=incident.pk))
    job = run(job, desk)
    assert (job.state, job.total, job.done, job.left_out) == (State.DONE, 4, 3, 1)
    assert sent() == [(kind, f"{case.number}: починили") for kind, case in (("telegram", one), ("webchat", two), ("webchat", also))]
    assert MassItem.objects.get(case=again).code == "same_dialogue"
    assert AuditEntry.objects.filter(action="message.answered").count() == 3


def test_nothing_happens_before_the_start_and_after_a_stop(desk):
    tickets = [desk.ticket(number) for number in range(4)]
    job = made(desk, Kind.ANSWER, *tickets, text="Разбираемся")
    while mass.carry_on(now=NOW):
        pass
    assert MassJob.objects.get().state == State.READY
    assert sent() == []
    mass.start(job_id=job.pk, by=desk.lead, now=NOW)
    mass_items._next(job.pk)
    mass.stop(job_id=job.pk, by=desk.lead, now=NOW)
    assert mass_items.work(job.pk) == 0
    assert len(sent()) == 1
    assert run(job, desk).state == State.DONE
    assert len(sent()) == 4
    with pytest.raises(Refusal):
        mass.start(job_id=job.pk, by=desk.lead, now=NOW)


def test_who_cannot_be_reached_is_shown_with_the_reason(desk, monkeypatch):
    reached, unwilling, blocked, late, off = (desk.ticket(number) for number in (0, 1, 2, 3, "visitor"))
    Session.objects.filter(pk=unwilling.session_id).update(state=SessionState.CLOSED, closed_at=NOW)
    Consent.objects.create(identity=unwilling.session.identity, given_at=NOW, withdrawn_at=NOW)
    ChannelAccount.objects.filter(kind="webchat").update(state=AccountState.DISABLED)
    blocked.session.identity.blocked_at = NOW
    blocked.session.identity.save()
    Session.objects.filter(pk=late.session_id).update(last_inbound_at=NOW - timedelta(days=3))
    can = Capabilities(text_limit=100, reply_window=timedelta(hours=24))
    monkeypatch.setattr("omni.services.reach.adapter_for", lambda _kind: type("Adapter", (), {"capabilities": can}))
    made(desk, Kind.ANSWER, reached, unwilling, blocked, late, off, text="Разбираемся")
    mass.carry_on(now=NOW)
    found = dict(MassItem.objects.values_list("case", "code"))
    reasons = {unwilling.pk: "no_consent", blocked.pk: "blocked", late.pk: "window_closed", off.pk: "switched_off"}
    assert found == {reached.pk: "", **reasons}
    assert all(MassItem.objects.exclude(code="").values_list("reason", flat=True))
    made(desk, Kind.ANSWER, reached, text="х" * 101)
    mass.carry_on(now=NOW)
    assert MassItem.objects.latest("pk").code == "too_long"


def test_guests_whose_dialogue_is_over_are_answered_where_they_came_from(desk):
    over, gone_on, late = (desk.ticket(number) for number in range(3))
    for case in (over, gone_on, late):
        cases.close(case_id=case.pk, cause=Cause.SOLVED, by=desk.operator, now=NOW)
    Session.objects.update(queue=b.a_queue("new", reopen="never"))
    ChannelAccount.objects.update(queue=b.a_queue("new"))
    fresh_one = desk.writes(1, "Опять", now=NOW).session
    assert fresh_one.pk != gone_on.session_id
    job = run(made(desk, Kind.ANSWER, over, gone_on, late, text="{number}: починили"), desk)
    assert (job.done, job.left_out) == (3, 0)
    answers = Message.objects.filter(direction=Direction.OUT).order_by("pk")
    assert list(answers.values_list("session_id", flat=True)) == [over.session_id, fresh_one.pk, late.session_id]
    assert all(message.attempts.exists() for message in answers)
    for case in (over, gone_on, late):
        assert fresh(case).state == CaseState.CLOSED
        assert CaseStep.objects.filter(case=case, step=Step.ANSWERED, by=desk.lead).count() == 1
    assert Session.objects.get(pk=over.session_id).state == SessionState.CLOSED
    assert not Item.objects.filter(session_id=over.session_id).exclude(state="closed").exists()


def test_what_guests_will_read_is_shown_of_unlike_ones_before_the_start(desk):
    plain, *others = (desk.ticket(number) for number in range(4))
    foreign, chat, nameless = desk.ticket(8), desk.ticket("visitor"), others[-1]
    Session.objects.filter(pk=foreign.session_id).update(language="en")
    Session.objects.exclude(pk=foreign.session_id).update(language="")
    job = made(desk, Kind.ANSWER, plain, *others, foreign, chat, text="{guest}, по обращению {number} чиним")
    assert mass_reading.list_examples(job, now=NOW) == []
    while mass.carry_on(now=NOW):
        pass
    found = mass_reading.list_examples(MassJob.objects.get(), now=NOW)
    assert [(one.case, one.channel, one.language) for one in found] == [
        (plain, "telegram", "ru"), (foreign, "telegram", "en"), (chat, "webchat", "ru"),
    ]  # fmt: skip
    assert [one.text for one in found] == [f"{case.guest_name}, по обращению {case.number} чиним" for case in (plain, foreign, chat)]
    Guest.objects.filter(pk=nameless.guest_id).update(name="")
    job = run(job, desk)
    assert [text for _kind, text in sent()][:1] == [found[0].text]
    assert f"По обращению {nameless.number} чиним" in [text for _kind, text in sent()]
    assert mass_reading.list_examples(job, now=NOW) == []
    assert mass_reading.list_examples(made(desk, Kind.CLOSE, plain, params={"cause": "solved"}), now=NOW) == []


def test_a_closed_dialogue_past_its_window_takes_the_approved_text_only(desk, monkeypatch):
    case = desk.ticket(7)
    cases.close(case_id=case.pk, cause=Cause.SOLVED, by=desk.operator, now=NOW)
    Session.objects.update(last_inbound_at=NOW - timedelta(days=3))
    can = Capabilities(text_limit=100, reply_window=timedelta(hours=24), templates=True)
    monkeypatch.setattr("omni.services.reach.adapter_for", lambda _kind: type("Adapter", (), {"capabilities": can}))
    row = MessageTemplate.objects.create(account=desk.telegram, name="fixed", body="Готово, {{1}}", state="approved")
    params = {"templates": {desk.telegram.pk: {"template": row.pk, "values": ["спасибо"]}}}
    for given, code in ((params, ""), ({}, "window_closed")):
        made(desk, Kind.ANSWER, case, text="Готово", params=given)
        mass.carry_on(now=NOW)
        assert MassItem.objects.latest("pk").code == code
    job = MassJob.objects.earliest("pk")
    assert [(one.text, one.is_approved) for one in mass_reading.list_examples(job, now=NOW)] == [("Готово, спасибо", True)]
    assert run(job, desk).done == 1
    assert sent() == [("telegram", "Готово, спасибо")]


def test_changes_of_any_kind_are_the_services_own_deeds(desk):
    tickets = [desk.ticket(number) for number in range(3)]
    group, topic = b.a_group("prices", "Цены"), b.a_topic("price", group=b.a_group("prices", "Цены"), name="Ценник")
    colleague, main = b.a_person("colleague", "Ко Ллега"), desk.ticket(77)
    for kind, params in (
        (Kind.TOPIC, {"topic": topic.pk, "reason": "не та"}),
        (Kind.GROUP, {"group": b.a_group("quality").pk, "reason": "назад"}),
        (Kind.OWNER, {"owner": colleague.pk}),
        (Kind.LINK, {"main": main.pk}),
        (Kind.CLOSE, {"cause": Cause.SOLVED.value}),
    ):
        job = run(made(desk, kind, *tickets, params=params), desk)
        assert (job.done, job.refused) == (3, 0), kind
    for case in map(fresh, tickets):
        assert (case.topic, case.group.code, case.owner, case.state) == (topic, "quality", colleague, CaseState.CLOSED)
        steps = list(CaseStep.objects.filter(case=case).values_list("step", flat=True))
        assert steps[2:] == ["reclassified", "routed", "routed", "taken", "linked", "closed"]
    assert group.pk
    assert AuditEntry.objects.filter(action="case.reclassified", by=desk.lead).count() == 3


def test_a_refused_ticket_does_not_stop_the_others(desk, monkeypatch):
    closed, broken, good = (desk.ticket(number) for number in range(3))
    cases.close(case_id=closed.pk, cause=Cause.SOLVED, by=desk.operator, now=NOW)
    plain = cases.route

    def route(**given):
        if given["case_id"] == broken.pk:
            raise ZeroDivisionError
        return plain(**given)

    monkeypatch.setattr(mass_deeds.cases, "route", route)
    job = run(made(desk, Kind.GROUP, closed, broken, good, params={"group": b.a_group("prices", "Цены").pk, "reason": "да"}), desk)
    assert (job.done, job.refused) == (1, 2)
    assert dict(MassItem.objects.values_list("case", "code")) == {closed.pk: "wrong_state", broken.pk: "fault", good.pk: ""}
    assert fresh(good).group.code == "prices"


def test_the_whole_list_is_gathered_page_by_page_without_closed_ones(desk, monkeypatch):
    monkeypatch.setattr("tickets.services.mass_gathering.SLICE", 2)
    tickets = [desk.ticket(number) for number in range(5)]
    cases.close(case_id=tickets[1].pk, cause=Cause.SOLVED, by=desk.operator, now=NOW)
    job = made(desk, Kind.CLOSE, params={"cause": "explained"}, chosen=mass.Chosen(filter={"tab": "all", "channel": "telegram"}))
    assert run(job, desk).total == 4
    assert {fresh(case).state for case in tickets} == {CaseState.CLOSED}


def test_only_what_its_author_may_see_is_gathered():
    desk = a_desk()
    stranger = b.a_person(
        "stranger", "Чужой", groups=[b.a_group("other", "Другая")], role=b.a_role("m", [*b.OPERATOR_RIGHTS, "cases.mass"])
    )
    case = desk.ticket(7)
    mass.make(kind=Kind.CLOSE, chosen=mass.Chosen(case_ids=(case.pk,)), params={"cause": "solved"}, by=stranger, now=NOW)
    mass.carry_on(now=NOW)
    assert MassJob.objects.get().total == 0


@pytest.mark.parametrize(
    ("kind", "given", "code"),
    [
        (Kind.ANSWER, {"text": "  "}, "empty"),
        (Kind.CLOSE, {"params": {"cause": "because"}}, "choose"),
        (Kind.GROUP, {"params": {"group": 10**9, "reason": "x"}}, "choose"),
        (Kind.TOPIC, {"params": {}}, "choose"),
    ],
)
def test_wrong_jobs_are_refused(desk, kind, given, code):
    with pytest.raises(Refusal) as refused:
        made(desk, kind, desk.ticket(7), **given)
    assert refused.value.code == code
    assert not MassJob.objects.exists()


def test_without_the_right_or_without_tickets_there_is_no_job(desk):
    for by, chosen in ((desk.operator, mass.Chosen(case_ids=(1,))), (desk.lead, mass.Chosen())):
        with pytest.raises(Refusal):
            mass.make(kind=Kind.CLOSE, chosen=chosen, params={"cause": "solved"}, by=by, now=NOW)


@pytest.mark.django_db(transaction=True)
def test_two_workers_and_kills_answer_each_guest_once(monkeypatch):
    desk = a_desk()
    tickets = [desk.ticket(number) for number in range(24)]
    job = made(desk, Kind.ANSWER, *tickets, text="{number}")
    while mass.carry_on(now=NOW):
        pass
    mass.start(job_id=job.pk, by=desk.lead, now=NOW)
    plain, killed = mass_deeds.do, set()

    class Killed(BaseException):
        pass

    def do(of, case, *, speaks, now):
        found = plain(of, case, speaks=speaks, now=now)
        if case.pk % 3 == 0 and case.pk not in killed:
            killed.add(case.pk)
            raise Killed  # after the deed, before its commit
        return found

    monkeypatch.setattr(mass_deeds, "do", do)

    def worker():
        try:
            for _try in range(40):
                try:
                    mass.carry_on(now=NOW)
                except Killed:
                    connection.close()
        finally:
            connection.close()

    threads = [threading.Thread(target=worker) for _each in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    job = MassJob.objects.get()
    assert killed
    assert (job.state, job.done) == (State.DONE, 24)
    assert sorted(text for _kind, text in sent()) == sorted(case.number for case in tickets)
