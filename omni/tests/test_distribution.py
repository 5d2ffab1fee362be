"""Giving out work: in the order of waiting, never above capacity, never to two."""

import threading
from collections import Counter
from datetime import timedelta

import pytest
from celery import current_app
from django.db import connection, transaction
from django.utils import timezone

from core.redis import client
from core.refusal import Refusal
from omni import tasks
from omni.models import Decision, Presence, Session
from omni.services import conversations, distribution, presence
from omni.states import PresenceState, SessionState
from tests import builders as b

NOW = timezone.now()


def wait_in_queue(account, count, start=0):
    for number in range(start, start + count):
        b.receive(account, b.webchat_event(visitor=f"visitor-{number}"), now=NOW + timedelta(seconds=number))


@pytest.mark.django_db
def test_the_longest_wait_is_served_first_and_the_emptiest_operator_gets_it():
    group = b.a_group()
    first, second = (b.a_person(login, login, groups=[group]) for login in ("first", "second"))
    for staff in (first, second):
        b.go_on_line(staff, now=NOW, capacity=2)
    wait_in_queue(b.an_account("webchat"), 5)
    assert distribution.give_out(group_id=group.pk, now=NOW + timedelta(seconds=10)) == 4
    waiting = Session.objects.get(state=SessionState.WAITING)
    assert waiting.pk == max(Session.objects.values_list("pk", flat=True)), "the newest waits on"
    assert Counter(Session.objects.exclude(owner=None).values_list("owner", flat=True)) == {first.pk: 2, second.pk: 2}
    assert Decision.objects.count() == 4


@pytest.mark.django_db
@pytest.mark.parametrize("state", [PresenceState.BREAK, PresenceState.AWAY, PresenceState.OFFLINE, PresenceState.WRAP_UP])
def test_only_a_ready_operator_gets_work(state):
    staff = b.a_person(groups=[b.a_group()])
    presence.change(staff=staff, state=state, by=staff, now=NOW)
    wait_in_queue(b.an_account("webchat"), 1)
    assert distribution.give_out(group_id=b.a_group().pk, now=NOW) == 0


@pytest.mark.django_db
def test_an_operator_whose_screen_fell_silent_gets_nothing_and_loses_the_dialogues_later():
    staff = b.a_person(groups=[b.a_group()])
    b.go_on_line(staff, now=NOW)
    wait_in_queue(b.an_account("webchat"), 1)
    distribution.give_out(group_id=b.a_group().pk, now=NOW)
    presence.sweep(now=NOW + timedelta(seconds=61))
    assert Presence.objects.get().state == PresenceState.AWAY
    assert Session.objects.get().state == SessionState.ACTIVE, "a short silence takes nothing away"
    presence.sweep(now=NOW + timedelta(minutes=6))
    session = Session.objects.get()
    assert (session.state, session.owner, Presence.objects.get().load) == (SessionState.WAITING, None, 0)


@pytest.mark.django_db
def test_a_foreign_group_gives_nothing():
    staff = b.a_person(groups=[b.a_group("other", "Другие")])
    b.go_on_line(staff, now=NOW)
    wait_in_queue(b.an_account("webchat"), 1)
    assert distribution.give_out(group_id=b.a_group().pk, now=NOW) == 0


@pytest.mark.django_db
def test_a_paused_queue_gives_nothing():
    queue = b.a_queue()
    queue.is_paused = True
    queue.save()
    staff = b.a_person(groups=[b.a_group()])
    b.go_on_line(staff, now=NOW)
    wait_in_queue(b.an_account("webchat"), 1)
    assert distribution.give_out(group_id=b.a_group().pk, now=NOW) == 0


@pytest.mark.django_db
def test_taking_by_hand_keeps_to_the_capacity_too():
    staff = b.a_person(groups=[b.a_group()])
    b.go_on_line(staff, now=NOW, capacity=1)
    wait_in_queue(b.an_account("webchat"), 2)
    one, two = Session.objects.order_by("pk")
    conversations.take(session_id=one.pk, by=staff, now=NOW)
    with pytest.raises(Refusal) as refused:
        conversations.take(session_id=two.pk, by=staff, now=NOW)
    assert refused.value.code == "full"
    conversations.close(session_id=one.pk, by=staff, now=NOW)
    assert conversations.take(session_id=two.pk, by=staff, now=NOW).owner == staff


@pytest.mark.django_db(transaction=True)
def test_many_hands_at_once_never_give_one_dialogue_twice_or_overfill_anybody():
    group = b.a_group()
    people = [b.a_person(f"operator-{number}", f"Оператор {number}", groups=[group]) for number in range(6)]
    for staff in people:
        b.go_on_line(staff, now=NOW, capacity=3)
    wait_in_queue(b.an_account("webchat"), 30)
    faults = []

    def act(number):
        try:
            for turn in range(6):
                distribution.try_give_out(group_id=group.pk, now=NOW + timedelta(seconds=40))
                mine = Session.objects.filter(owner=people[number], state=SessionState.ACTIVE).values_list("pk", flat=True)[:1]
                for session_id in mine:
                    conversations.close(session_id=session_id, by=people[number], now=NOW)
                waiting = Session.objects.filter(state=SessionState.WAITING).values_list("pk", flat=True)[:1]
                for session_id in waiting:
                    try:
                        conversations.take(session_id=session_id, by=people[number], now=NOW)
                    except Refusal:
                        continue
                held = Presence.objects.get(staff=people[number])
                if not 0 <= held.load <= held.capacity:
                    faults.append((turn, held.load))
        except Exception as fault:  # noqa: BLE001  shown by the assertion below
            faults.append(fault)
        finally:
            connection.close()

    threads = [threading.Thread(target=act, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not faults
    for row in Presence.objects.all():
        held = Session.objects.filter(owner_id=row.staff_id, state=SessionState.ACTIVE).count()
        assert row.load == held <= row.capacity


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("held", ["dialogue", "person"])
def test_what_somebody_else_holds_locked_is_looked_at_again(held, monkeypatch):
    calls = []
    monkeypatch.setattr(current_app, "send_task", lambda name, **options: calls.append((name, options["countdown"])))
    client().delete("wake:omni.tasks.distribute_waiting")
    staff = b.a_person(groups=[b.a_group()])
    now = timezone.now()  # the task looks at the clock
    b.go_on_line(staff, now=now)
    wait_in_queue(b.an_account("webchat"), 1)
    locked, go_on = threading.Event(), threading.Event()

    def hold():
        with transaction.atomic():
            rows = Session.objects.all() if held == "dialogue" else Presence.objects.all()
            list(rows.select_for_update(of=("self",)))
            locked.set()
            go_on.wait(30)
        connection.close()

    other = threading.Thread(target=hold)
    other.start()
    assert locked.wait(30)
    calls.clear()
    assert [distribution.give_out(group_id=b.a_group().pk, now=now) for _ in range(3)] == [0, 0, 0]
    assert calls == [("omni.tasks.distribute_waiting", distribution.LOOK_AGAIN)], "one look for all who passed it over"
    go_on.set()
    other.join(30)
    tasks.distribute_waiting()
    assert Session.objects.get().owner == staff
    assert len(calls) == 1, "nothing was passed over any more"
