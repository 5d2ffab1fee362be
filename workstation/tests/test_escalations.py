"""A ticket that is called out says so at the desk: who is asked, what comes next; “I am on it”; and for programs."""

import uuid
from datetime import timedelta

import pytest
from django.db import transaction
from django.test import Client
from django.utils import timezone, translation

from escalation.models import Contact, Delivery, Run
from escalation.services import delivering, runs, tick
from escalation.states import DeliveryState, RunState, StepKind
from escalation.tests import builders as e
from omni.models import Session
from omni.services import conversations
from tests import builders as b
from tests.providers.frame import Frame
from tests.providers.mail import ADDRESS, MailServers
from tests.providers.telegram import TOKEN, TelegramServer
from tickets.models import CaseStep, Topic
from tickets.services import cases, escalating, opening, topics
from tickets.states import CaseState, Step

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


@pytest.fixture
def now():
    return timezone.now()


@pytest.fixture
def expert():
    return b.a_person("expert", "Эксперт Смирнова", groups=[b.a_group(), b.a_group("quality", "Качество")])


@pytest.fixture
def case(expert, now):
    line, _people = e.a_ladder()
    b.receive(b.an_account("webchat"), b.webchat_event(text="Испорченный творог"), now=now)
    session = Session.objects.get()
    conversations.take(session_id=session.pk, by=expert, now=now)
    topic = b.a_topic("curd", group=b.a_group("quality", "Качество"))
    Topic.objects.filter(pk=topic.pk).update(line=line)
    topics.forget()
    yield opening.open_ticket(session_id=session.pk, topic=topic, by=expert, now=now)
    topics.forget()


@pytest.fixture
def run(case, now):
    escalating.CaseSubjects(take=cases.take).start_due(now=now + MINUTE)
    tick.tick(now=now + MINUTE)
    return Run.objects.get()


def browser(staff):
    client = Client()
    client.force_login(staff)
    client.cookies["django_language"] = "en"
    return client


def panel(client, case):
    return client.get(f"/desk/case/{case.pk}/header/", {"panel": "ticket"}).json()["panel"]


def deed(client, case, name, **fields):
    return client.post(f"/desk/case/{case.pk}/escalation/{name}/", fields, headers={"Idempotency-Key": str(uuid.uuid4())})


def test_the_banner_says_who_is_asked_and_what_comes_next(expert, case, run):
    text = panel(browser(expert), case)
    assert "Pervyi" in text
    assert "Платежи не проходят" in text
    assert 'data-command="escalation/take"' in text
    with translation.override("ru"):
        assert str(StepKind.ROLE.label) in text
    assert CaseStep.objects.get(case=case, step=Step.ESCALATED).details == {"run": run.pk, "line": "Платежи не проходят", "level": 1}


def test_i_am_on_it_takes_the_ticket_and_stops_the_calling(expert, case, run):
    client = browser(expert)
    assert deed(client, case, "take").status_code == 200
    case.refresh_from_db()
    run.refresh_from_db()
    assert (case.owner, run.holder, run.state) == (expert, expert, RunState.TAKEN)
    text = panel(client, case)
    assert 'data-command="escalation/take"' not in text
    assert deed(client, case, "confirm").status_code == 200


def test_a_colleague_cannot_take_what_somebody_has(expert, case, run):
    other = b.a_person("petrov", "Пётр Петров", groups=[b.a_group("quality", "Качество")])
    deed(browser(expert), case, "take")
    assert 'data-command="escalation/take"' not in panel(browser(other), case)
    assert deed(browser(other), case, "take").status_code == 409


def test_going_up_by_decision_is_in_the_tickets_history_once(expert, case, run, django_capture_on_commit_callbacks):
    client = browser(expert)
    assert deed(client, case, "climb").status_code == 400
    with django_capture_on_commit_callbacks(execute=True):
        assert deed(client, case, "climb", reason="нужна лаборатория").status_code == 200
    escalating.write_climbs(now=timezone.now())
    step = CaseStep.objects.filter(case=case, step=Step.ESCALATED).latest("pk")
    assert (step.details["level"], step.details["reason"], step.by) == (2, "нужна лаборатория", expert)
    assert CaseStep.objects.filter(case=case, step=Step.ESCALATED).count() == 2


def test_without_a_ladder_there_is_no_banner_and_nothing_to_take(expert, case):
    client = browser(expert)
    assert "escalation" not in panel(client, case)
    assert deed(client, case, "take").status_code == 404


def test_waiting_for_the_guest_calls_off_at_once(expert, case, run, now):
    cases.take(case_id=case.pk, by=expert, now=now + 2 * MINUTE)
    cases.wait_for(case_id=case.pk, state=CaseState.WAITING_GUEST, by=expert, now=now + 2 * MINUTE)
    run.refresh_from_db()
    assert run.state == RunState.CANCELLED


def test_another_topic_calls_the_right_people(expert, case, run, now):
    other = b.a_topic("delivery", group=case.group)
    with transaction.atomic():
        locked = cases.lock(case.pk)
        locked.topic = other
        topics.forget()
        cases.note_step(locked, Step.RECLASSIFIED, by=expert, now=now + 2 * MINUTE)
        cases.save(locked, now=now + 2 * MINUTE)
    run.refresh_from_db()
    assert run.state == RunState.CANCELLED


def test_programs_see_it_and_take_it(expert, case, run):
    client = browser(expert)
    address = f"/api/v1/cases/{case.pk}/escalation"
    found = client.get(address).json()
    assert (found["asked"], found["is_taken"], found["level"]) == (["Pervyi"], False, "L1")
    key = str(uuid.uuid4())
    answers = [client.post(f"{address}/take", headers={"Idempotency-Key": key}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].json()["holder"] == "Эксперт Смирнова"
    assert client.post(f"{address}/take").status_code == 400
    runs.resolve(run_id=run.pk, by=expert, now=timezone.now())
    assert client.get(address).status_code == 404


def test_the_supervisors_list_shows_what_runs(expert, case, run):
    boss = b.a_person("boss", "Начальник", role=b.a_role("duty", ["admin", "cases.work", "everything.read"]))
    page = browser(boss).get("/admin/escalation/run/").content.decode()
    assert f"№ {case.number}" in page
    runs.resolve(run_id=run.pk, by=expert, now=timezone.now())
    assert f"№ {case.number}" not in browser(boss).get("/admin/escalation/run/").content.decode()
    assert f"№ {case.number}" in browser(boss).get("/admin/escalation/run/?runs=ended").content.decode()


def test_a_missed_promise_reaches_messenger_and_mailbox_of_who_is_on_duty(case, now):
    """From the ticket to the wire: the ladder starts, the step is due, real servers take the notices."""
    telegram, mail = TelegramServer(token=TOKEN), MailServers()
    with Frame(telegram) as frame, Frame(mail):
        telegram.url = frame.url
        telegram.change_chat({"chat_id": 77})
        b.an_account(settings={"api_base": frame.url}, bot_token=TOKEN)
        wire = {"host": "127.0.0.1", "port": mail.smtp_port, "tls": "none"}
        b.an_account("email", settings={"address": ADDRESS, "domain": "shop.example", "smtp": wire}, thread_key="ключ")
        person = Topic.objects.get(code="curd").line.steps.first().role.staff
        Contact.objects.create(staff=person, channel="messenger", address="telegram:77")
        e.numbers(channels=["messenger", "email"])
        escalating.CaseSubjects(take=cases.take).start_due(now=now + MINUTE)
        tick.tick(now=now + MINUTE)
        delivering.send_due(now=now + MINUTE)
        letters = {letter.channel: letter for letter in Delivery.objects.all()}
        assert {letter.state for letter in letters.values()} == {DeliveryState.SENT}, [letter.error for letter in letters.values()]
        assert set(letters) == {"messenger", "email"}
        (sent,) = telegram.accepted.after()
        (written,) = mail.accepted.after()
        assert case.number in sent["text"]
        assert written["to"] == person.email
        assert f"/desk/case/{case.pk}/" in sent["text"]
        assert case.number in str(written)
