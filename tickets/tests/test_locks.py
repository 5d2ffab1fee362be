"""The order of locks: whoever holds a ticket holds the dialogue in which it goes on now, whatever that was a moment ago."""

import threading
import time

import pytest
from django.db import connection, transaction
from django.utils import timezone

from omni.channels.contract import Inbound, InboundKind
from omni.models import Session
from omni.services import conversations
from tests import builders as b
from tickets.models import Case
from tickets.services import cases, linking, opening
from tickets.states import CaseState, Cause

pytestmark = pytest.mark.django_db(transaction=True)
NOW = timezone.now()


class Racing(threading.Thread):
    """A deed on a connection of its own; its end, or its fault, is kept."""

    def __init__(self, deed):
        super().__init__(daemon=True)
        self.deed, self.pid, self.fault = deed, 0, None

    def run(self):
        try:
            connection.ensure_connection()
            self.pid = connection.connection.info.backend_pid
            self.deed()
        except Exception as fault:  # noqa: BLE001  told to the test
            self.fault = fault
        finally:
            connection.close()

    def until_it_waits(self):
        """Returns when the deed waits for a lock, or has ended."""
        end = time.monotonic() + 30
        while time.monotonic() < end:
            with connection.cursor() as cursor:
                cursor.execute("select 1 from pg_locks where pid = %s and not granted", [self.pid])
                if cursor.fetchone() or (self.pid and not self.is_alive()):
                    return
            time.sleep(0.01)
        raise AssertionError("it neither waits nor ends")


@pytest.fixture
def two():
    """Tickets of two guests, each in its own dialogue."""
    operator, account, topic = b.a_person(groups=[b.a_group()]), b.an_account("webchat"), b.a_topic()
    found = []
    for visitor in ("one", "two"):
        b.receive(account, b.webchat_event(visitor=visitor, text="Просроченный творог"), now=NOW)
        session = Session.objects.latest("pk")
        case = opening.open_ticket(session_id=session.pk, topic=topic, by=operator, now=NOW)
        conversations.close(session_id=session.pk, by=operator, now=NOW)
        found.append(Case.objects.get(pk=case.pk))
    return found


def test_a_ticket_that_changes_its_dialogue_while_it_is_locked_waits_for_the_new_one_first(two):
    """Closing waits for the old dialogue; the ticket moves; a guest writes in the new one and wants its ticket at that moment."""
    case, other = two
    elsewhere = other.session_id
    has_new = threading.Event()

    def close():
        cases.close(case_id=case.pk, cause=Cause.SOLVED, by=None, now=NOW)

    def hear():
        with transaction.atomic():
            session = conversations.lock(elsewhere)
            has_new.set()
            closing.until_it_waits()
            said = Inbound(kind=InboundKind.MESSAGE, external_id="m-2", guest_external_id="two", sent_at=NOW, text="Ну что там?")
            conversations.add_inbound(session=session, item=said, now=NOW)

    closing, hearing = Racing(close), Racing(hear)
    with transaction.atomic():
        held = linking.lock_all([case.pk, other.pk])
        for racing in (closing, hearing):
            racing.start()
            racing.until_it_waits()
        linking.swap_dialogues(held[case.pk], held[other.pk], now=NOW)
    for racing in (closing, hearing):
        racing.join(60)
    assert (closing.fault, hearing.fault) == (None, None)
    assert has_new.is_set()
    case.refresh_from_db()
    assert (case.state, case.session_id) == (CaseState.CLOSED, elsewhere)


def test_tickets_that_change_dialogues_while_they_are_locked_together_are_locked_where_they_are(two):
    case, other = two
    seen = []

    def lock():
        with transaction.atomic():
            held = linking.lock_all([case.pk])
            seen.append(held[case.pk].session_id)
            ready.set()
            free.wait(30)

    ready, free = threading.Event(), threading.Event()
    locking = Racing(lock)
    with transaction.atomic():
        held = linking.lock_all([case.pk, other.pk])
        locking.start()
        locking.until_it_waits()
        old, new = case.session_id, other.session_id
        linking.swap_dialogues(held[case.pk], held[other.pk], now=NOW)
    assert ready.wait(30)
    try:
        assert seen == [new]
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("select id from omni_session where id = any(%s) for update skip locked", [[old, new]])
            assert cursor.fetchall() == [(old,)]
    finally:
        free.set()
        locking.join(60)
    assert locking.fault is None
