"""After-work that begins and ends by itself, absence, breaks that hand back, capacities."""

from datetime import timedelta

import pytest
from django.utils import timezone

from core.models import AuditEntry
from core.refusal import Refusal
from omni.models import BreakKind, Presence, PresenceSpan, Session
from omni.services import answering, conversations, distribution, presence
from omni.states import PresenceState, SessionState
from omni.tests.test_offers import give, later, on_line, queue_with, write
from tests import builders as b

NOW = timezone.now()
pytestmark = pytest.mark.django_db


@pytest.fixture
def group():
    return b.a_group()


@pytest.fixture
def account():
    return b.an_account("telegram")


def state_of(staff):
    return Presence.objects.get(staff=staff).state


def test_after_work_begins_and_ends_by_itself_and_then_work_comes(group, account):
    queue_with(wrap_up_seconds=30)
    staff = on_line(group)
    session = write(account, 1)
    give(group)
    conversations.close(session_id=session.pk, by=staff, now=later(10))
    row = Presence.objects.get(staff=staff)
    assert (row.state, row.until, row.load) == (PresenceState.WRAP_UP, later(40), 0)
    waits = write(account, 2, at=later(12))
    distribution.after_changes(now=later(39))
    assert Session.objects.get(pk=waits.pk).owner is None
    distribution.after_changes(now=later(40))
    assert (state_of(staff), Session.objects.get(pk=waits.pk).owner) == (PresenceState.READY, staff)
    assert list(PresenceSpan.objects.order_by("pk").values_list("state", "until")) == [
        ("ready", later(10)),
        ("wrap_up", later(40)),
        ("ready", None),
    ]


def test_after_work_can_be_left_early_and_never_ends_a_break(group, account):
    queue_with(wrap_up_seconds=30)
    staff = on_line(group)
    sessions = [write(account, chat) for chat in (1, 2)]
    give(group)
    conversations.close(session_id=sessions[0].pk, by=staff, now=later(10))
    presence.change(staff=staff, state=PresenceState.READY, by=staff, now=later(12))
    assert Presence.objects.get(staff=staff).until is None
    presence.change(staff=staff, state=PresenceState.BREAK, by=staff, now=later(13))
    conversations.close(session_id=sessions[1].pk, by=staff, now=later(14))
    distribution.after_changes(now=later(100))
    assert state_of(staff) == PresenceState.BREAK


def test_after_work_chosen_by_hand_ends_by_hand(group, account):
    queue_with(wrap_up_seconds=30)
    staff = on_line(group)
    session = write(account)
    give(group)
    presence.change(staff=staff, state=PresenceState.WRAP_UP, by=staff, now=later(5))
    conversations.close(session_id=session.pk, by=staff, now=later(10))
    distribution.after_changes(now=later(100))
    assert state_of(staff) == PresenceState.WRAP_UP


def test_a_colleague_who_closes_it_gives_the_owner_no_after_work(group, account):
    queue_with(wrap_up_seconds=30)
    staff, other = on_line(group), b.a_person("other", "Другой")
    session = write(account)
    give(group)
    conversations.close(session_id=session.pk, by=other, now=later(10))
    assert state_of(staff) == PresenceState.READY


@pytest.mark.parametrize("answered", [True, False])
def test_only_unanswered_dialogues_leave_who_fell_silent(group, account, answered):
    queue_with(reassign_seconds=120)
    staff = on_line(group)
    session = write(account, 1)
    give(group)
    if answered:
        answering.answer(session_id=session.pk, text="Здравствуйте!", by=staff, now=later(10), seen_message_id=session.last_inbound_id)
    presence.sweep(now=later(119))
    assert Session.objects.get(pk=session.pk).owner == staff
    presence.sweep(now=later(125))
    assert Session.objects.get(pk=session.pk).owner == (staff if answered else None)
    if answered:  # ... until the guest writes again
        write(account, 1, "Алло?", at=later(600), number=5)
        presence.sweep(now=later(601))
        session = Session.objects.get(pk=session.pk)
        assert (session.owner, session.state) == (None, SessionState.WAITING)
    assert Presence.objects.get(staff=staff).load == 0


@pytest.mark.parametrize(("hands_back", "stays"), [(True, False), (False, True)])
def test_a_kind_of_break_says_whether_dialogues_go_back(group, account, hands_back, stays):
    queue_with(reassign_seconds=120)
    BreakKind.objects.create(code="lunch", name="Обед", hands_back=hands_back)
    staff = on_line(group)
    session = write(account)
    give(group)
    presence.change(staff=staff, state=PresenceState.BREAK, reason="lunch", by=staff, now=later(10))
    Presence.objects.update(seen_at=later(200))
    presence.sweep(now=later(129))
    assert Session.objects.get(pk=session.pk).owner == staff
    presence.sweep(now=later(131))
    assert (Session.objects.get(pk=session.pk).owner == staff) is stays


def test_who_left_the_house_keeps_nothing_that_waits(group, account):
    staff = on_line(group)
    session = write(account)
    give(group)
    staff.is_active = False
    staff.save()
    presence.sweep(now=later(1))
    assert Session.objects.get(pk=session.pk).state == SessionState.WAITING


@pytest.mark.parametrize(("state", "reason"), [("nowhere", ""), ("break", "unknown"), ("ready", "lunch")])
def test_a_state_or_break_that_does_not_exist_is_refused(state, reason):
    BreakKind.objects.create(code="lunch", name="Обед")
    staff = b.a_person()
    with pytest.raises(Refusal):
        presence.change(staff=staff, state=state, reason=reason, by=staff, now=NOW)


def test_a_supervisor_sets_state_and_capacity_and_the_screen_stays_as_silent_as_it_was():
    staff, boss = b.a_person(), b.a_person("boss", "Босс")
    b.go_on_line(staff, now=NOW)
    presence.change(staff=staff, state=PresenceState.OFFLINE, by=boss, now=later(300))
    assert Presence.objects.get(staff=staff).seen_at == NOW
    presence.set_capacity(staff=staff, capacity=8, by=boss, now=later(301))
    assert Presence.objects.get(staff=staff).capacity == 8
    assert AuditEntry.objects.get(action="presence.capacity").details == {"was": 5, "is": 8}
    with pytest.raises(Refusal):
        presence.set_capacity(staff=staff, capacity=101, by=boss, now=later(302))


def test_absence_is_known_only_of_who_was_ever_on_line():
    staff = b.a_person()
    assert not presence.is_absent(staff, now=NOW)
    b.go_on_line(staff, now=NOW)
    assert not presence.is_absent(staff, now=later(30))
    assert presence.is_absent(staff, now=NOW + timedelta(seconds=61))
    presence.change(staff=staff, state=PresenceState.OFFLINE, by=staff, now=later(30))
    assert presence.is_absent(staff, now=later(31))
