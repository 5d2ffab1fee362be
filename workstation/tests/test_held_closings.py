"""A closing is held for seconds: taken back it leaves nothing behind, else the row carries it out, whatever became of the screen."""

import json
import threading
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from accounts.rights import Right
from core.models import AuditEntry, LiveEvent
from omni.models import Session
from omni.services import conversations
from omni.states import SessionState
from sla.models import Clock
from tests import builders as b
from tickets.models import Case, CaseStep
from tickets.services import cases, opening
from tickets.states import CaseState
from workstation.models import HeldClosing
from workstation.services import held_closings
from workstation.tests.conftest import Desk

pytestmark = pytest.mark.django_db


@pytest.fixture
def case(taken, operator, now):
    case = opening.open_ticket(session_id=taken.pk, topic=b.a_topic(group=b.a_group()), by=operator, now=now)
    return cases.take(case_id=case.pk, by=operator, now=now)


def later():
    return timezone.now() + held_closings.HOLD


def picture():
    """All that a closing changes."""
    return (
        [(row.pk, row.state, row.owner_id, row.unread, row.waiting_since) for row in Session.objects.order_by("pk")],
        [(row.pk, row.state, row.cause, row.closed_at) for row in Case.objects.order_by("pk")],
        list(CaseStep.objects.order_by("pk").values_list("pk", flat=True)),
        list(AuditEntry.objects.order_by("pk").values_list("pk", flat=True)),
        [(row.pk, row.met, row.ended_at) for row in Clock.objects.order_by("pk")],
        LiveEvent.objects.count(),
    )


def test_until_its_time_nothing_has_happened(desk, taken):
    before = picture()
    answer = desk.command(f"session/{taken.pk}/finish/")
    assert answer.status_code == 200
    assert picture() == before
    assert held_closings.close_due(now=timezone.now()) == 0
    assert picture() == before
    assert held_closings.close_due(now=later()) == 1
    assert Session.objects.get().state == SessionState.CLOSED
    assert not HeldClosing.objects.exists()


def test_a_ticket_taken_back_is_as_it_was(desk, case):
    before = picture()
    assert desk.command(f"case/{case.pk}/close/", cause="solved", note="Вернули деньги").status_code == 200
    assert desk.command(f"case/{case.pk}/keep-open/").status_code == 200
    assert held_closings.close_due(now=later()) == 0
    assert picture() == before
    assert desk.command(f"case/{case.pk}/keep-open/").json()["code"] == "too_late"


def test_a_ticket_is_closed_with_what_was_chosen(desk, case, operator):
    desk.command(f"case/{case.pk}/close/", cause="solved", note="Вернули деньги")
    assert held_closings.close_due(now=later()) == 1
    case.refresh_from_db()
    assert (case.state, case.cause) == (CaseState.CLOSED, "solved")
    step = CaseStep.objects.order_by("-pk").first()
    assert (step.by, step.details["note"]) == (operator, "Вернули деньги")


def test_what_cannot_be_closed_is_refused_at_once(desk, case):
    assert desk.command(f"case/{case.pk}/close/", cause="because").status_code == 400
    assert not HeldClosing.objects.exists()


def test_asking_twice_is_once_and_does_not_put_off(desk, taken):
    first, second = (desk.command(f"session/{taken.pk}/finish/").json()["held_until"] for _ in range(2))
    assert first == second
    assert HeldClosing.objects.count() == 1


def test_a_guests_word_meanwhile_keeps_it_open(desk, taken, write, operator):
    desk.command(f"session/{taken.pk}/finish/")
    write("Подождите!")
    assert held_closings.close_due(now=later()) == 0
    assert Session.objects.get().state == SessionState.ACTIVE
    assert not HeldClosing.objects.exists()


def test_another_owner_meanwhile_keeps_it_open(desk, taken, operator, now):
    petrov = b.a_person("petrov", "Пётр Петров", groups=[b.a_group()])
    desk.command(f"session/{taken.pk}/finish/")
    conversations.transfer(session_id=taken.pk, to=petrov, by=operator, note="", now=now)
    assert held_closings.close_due(now=later()) == 0
    assert Session.objects.get().owner == petrov


def test_only_who_asked_takes_it_back(desk, taken):
    colleague = Desk(b.a_person("petrov", "Пётр Петров", groups=[b.a_group()]))
    desk.command(f"session/{taken.pk}/finish/")
    assert colleague.command(f"session/{taken.pk}/keep-open/").json()["code"] == "too_late"
    assert HeldClosing.objects.count() == 1


def test_a_stranger_holds_and_keeps_nothing(taken):
    stranger = Desk(b.a_person("semenov", "Семён Семёнов", role=b.a_role("guest-line", rights=[Right.DESK, Right.ANSWER])))
    assert stranger.command(f"session/{taken.pk}/finish/").status_code == 404
    assert stranger.command(f"session/{taken.pk}/keep-open/").status_code == 404


@pytest.mark.django_db(transaction=True)
def test_taken_back_or_carried_out_never_both(desk, taken, operator):
    for _round in range(5):
        Session.objects.update(state=SessionState.ACTIVE, owner=operator, closed_at=None)
        desk.command(f"session/{taken.pk}/finish/")
        held = HeldClosing.objects.get()
        answers = []

        def take_back(answers=answers):
            try:
                answers.append(Desk(operator).command(f"session/{taken.pk}/keep-open/").status_code)
            finally:
                connection.close()

        racing = threading.Thread(target=take_back)
        racing.start()
        closed = held_closings.carry_out(held_id=held.pk, now=later())
        racing.join(timeout=20)
        assert closed != (answers == [200]), (closed, answers)
        assert (Session.objects.get().state == SessionState.CLOSED) == closed


def test_a_page_offers_what_can_still_be_taken_back_and_only_the_persons_own(desk, taken, write):
    desk.command(f"session/{taken.pk}/finish/")
    until = HeldClosing.objects.get().due_at
    assert _held(desk) == [{"key": f"session:{taken.pk}", "held_until": until.isoformat()}]
    colleague = Desk(b.a_person("petrov", "Пётр Петров", groups=[b.a_group()]))
    assert _held(colleague) == []
    HeldClosing.objects.update(due_at=timezone.now())
    assert _held(desk) == []


def _held(desk):
    page = desk.read("").content.decode()
    return json.loads(page.split('<script id="desk-config" type="application/json">')[1].split("</script>")[0])["held"]


@pytest.mark.django_db(transaction=True)
def test_a_row_that_fails_stops_no_other_and_is_tried_again(desk, write, operator, now, faulty):
    sessions = [conversations.take(session_id=write(text, visitor=text).pk, by=operator, now=now) for text in ("Раз", "Два", "Три")]
    for session in sessions:
        desk.command(f"session/{session.pk}/finish/")
    first = sessions[0].pk
    faulty(first)
    assert held_closings.close_due(now=later()) == 2
    assert set(Session.objects.filter(state=SessionState.CLOSED).values_list("pk", flat=True)) == {one.pk for one in sessions[1:]}
    held = HeldClosing.objects.get()
    assert (held.subject_id, held.tries) == (first, 1)
    assert held.due_at > later()
    assert held_closings.close_due(now=held.due_at - timedelta(seconds=1)) == 0
    assert HeldClosing.objects.get().tries == 1
    faulty(None)
    assert held_closings.close_due(now=held.due_at) == 1
    assert Session.objects.get(pk=first).state == SessionState.CLOSED
    assert not HeldClosing.objects.exists()


def test_what_fails_for_good_is_given_up_and_the_person_is_told(desk, taken, operator, faulty):
    desk.command(f"session/{taken.pk}/finish/")
    faulty(taken.pk)
    tries = 0
    while HeldClosing.objects.exists():
        held_closings.close_due(now=HeldClosing.objects.get().due_at)
        tries += 1
        assert tries <= held_closings.MOST_TRIES
    assert tries == held_closings.MOST_TRIES
    assert Session.objects.get().state == SessionState.ACTIVE
    told = LiveEvent.objects.get(kind="not_closed")
    assert told.payload["id"] == taken.pk
    assert told.payload["why"]


@pytest.fixture
def faulty(db):
    """From now on the database refuses to close the session with this number; None = no more."""

    def refuse(session_id):
        with connection.cursor() as cursor:
            cursor.execute("drop trigger if exists test_fault on omni_session; drop function if exists test_fault")
            if session_id is None:
                return
            cursor.execute(
                f"""create function test_fault() returns trigger language plpgsql as $$ begin
                if new.id = {session_id} and new.state = 'closed' then raise exception 'a fault'; end if; return new; end $$;
                create trigger test_fault before update on omni_session for each row execute function test_fault()"""
            )

    yield refuse
    refuse(None)
