"""Pages of the distribution: why this person, given by a supervisor, set for a person, a past period played again."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.rights import Right
from core.models import AuditEntry
from omni.models import BreakKind, Decision, Presence, Queue, Session, Skill, SkillNeed, StaffSkill
from omni.services import conversations, distribution, presence
from omni.states import PresenceState
from tests import builders as b
from tests.admin.conftest import an_administrator, browser

pytestmark = pytest.mark.django_db


@pytest.fixture
def now():
    return timezone.now()


@pytest.fixture
def group():
    return b.a_group()


def wait(chat, now, text="Where is my order?"):
    first = Session.objects.first()
    account = first.account if first else b.an_account("telegram")
    b.receive(account, b.telegram_update(chat, chat_id=chat, text=text, at=int(now.timestamp())), now=now)
    return Session.objects.get(identity__external_id=str(chat))


def operators(group, now):
    english = Skill.objects.create(code="english", name="Английский")
    SkillNeed.objects.create(skill=english, level=2, language="en")
    people = [b.a_person(login, name, groups=[group]) for login, name in (("anna", "Анна"), ("boris", "Борис"), ("vera", "Вера"))]
    for staff in people:
        b.go_on_line(staff, now=now)
    for staff in people[:2]:
        StaffSkill.objects.create(staff=staff, skill=english, level=3)
    return people


def test_a_decision_reads_as_an_explanation(admin_browser, group, now):
    operators(group, now)
    wait(1, now)
    distribution.give_out(group_id=group.pk, now=now)
    page = admin_browser.get(reverse("admin:omni_decision_change", args=[Decision.objects.get().pk])).content.decode()
    for part in ("из 2", "Английский 2", "2. Борис", "Вера"):
        assert part in page, part


def test_a_waiting_dialogue_tells_who_could_get_it_and_why_others_not(admin_browser, group, now):
    people = operators(group, now)
    session = wait(1, now)
    presence.change(staff=people[1], state=PresenceState.BREAK, by=people[1], now=now)
    page = admin_browser.get(reverse("admin:omni_session_change", args=[session.pk])).content.decode()
    assert "Анна (0/5)" in page
    assert "Борис" in page


def test_a_supervisor_gives_a_dialogue_by_hand_and_others_may_not(admin_browser, group, now):
    people = operators(group, now)
    session = wait(1, now)
    address = reverse("admin:omni_session_force", args=[session.pk])
    fields = {"to": people[2].pk, "reason": "Знает дело"}
    looker = browser(an_administrator("looker", [Right.ADMIN, Right.EVERYTHING]))
    assert looker.post(address, fields).status_code == 403
    assert admin_browser.get(address).status_code == 405
    admin_browser.post(address, {"to": 10**9, "reason": "x"})
    assert Session.objects.get().owner is None
    admin_browser.post(address, fields)
    assert Session.objects.get().owner == people[2]
    assert "Знает дело" in admin_browser.get(reverse("admin:omni_session_change", args=[session.pk])).content.decode()
    Presence.objects.filter(staff=people[0]).update(capacity=0)
    answer = admin_browser.post(address, {"to": people[0].pk, "reason": "x"}, follow=True).content.decode()
    assert Session.objects.get().owner == people[2], answer


def test_a_supervisor_sets_state_and_capacity(admin_browser, administrator, group, now):
    staff = operators(group, now)[0]
    address = reverse("admin:omni_presence_set", args=[staff.pk])
    assert browser(an_administrator("looker", [Right.ADMIN])).post(address, {"state": "offline", "capacity": 1}).status_code == 403
    admin_browser.post(address, {"state": "offline", "capacity": 9})
    row = Presence.objects.get(staff=staff)
    assert (row.state, row.capacity) == ("offline", 9)
    changed = AuditEntry.objects.filter(subject=f"staff:{staff.pk}", by_id=administrator.pk).values_list("action", flat=True)
    assert set(changed) == {"presence.changed", "presence.capacity"}
    admin_browser.post(address, {"state": "nowhere", "capacity": 500})
    assert Presence.objects.get(staff=staff).capacity == 9


def test_a_break_longer_than_allowed_is_marked(admin_browser, group, now):
    staff = operators(group, now)[0]
    BreakKind.objects.create(code="lunch", name="Обед", limit_minutes=60)
    presence.change(staff=staff, state=PresenceState.BREAK, reason="lunch", by=staff, now=now - timedelta(minutes=61))
    page = admin_browser.get(reverse("admin:omni_presence_changelist")).content.decode()
    assert "Обед" in page


def test_queues_are_paused_and_resumed_from_the_list(admin_browser, group):
    queue = b.a_queue()
    for action, paused in (("pause", True), ("go_on", False)):
        fields = {"action": action, "_selected_action": [queue.pk]}
        admin_browser.post(reverse("admin:omni_queue_changelist"), fields)
        assert Queue.objects.get(pk=queue.pk).is_paused is paused
    assert AuditEntry.objects.filter(action="queue.changed", subject=f"queue:{queue.pk}").count() == 2


def test_a_past_period_is_played_again_from_its_form(admin_browser, group, now):
    staff = operators(group, now - timedelta(hours=3))[0]
    came = (now - timedelta(hours=2)).replace(microsecond=0)
    session = wait(1, came)
    Presence.objects.update(seen_at=now)
    distribution.give_out(group_id=group.pk, now=came + timedelta(minutes=1))
    session.refresh_from_db()
    conversations.close(session_id=session.pk, by=session.owner, now=came + timedelta(minutes=9))
    address = reverse("admin:omni_decision_simulate")
    assert admin_browser.get(address).status_code == 200
    local = [f"{timezone.localtime(at):%Y-%m-%dT%H:%M}" for at in (now - timedelta(hours=3), now - timedelta(minutes=1))]
    fields = {"since": local[0], "until": local[1], "queues": [session.queue_id], "needs_skills": "on"}
    shares = {"people": 50, "guests": 100, "handling": 100}
    page = admin_browser.post(address, {**fields, **shares}).content.decode()
    assert "1:00" in page, "the wait as it was"
    assert AuditEntry.objects.filter(action="distribution.simulated").count() == 1
    page = admin_browser.post(address, {**fields, **shares, "until": local[0]}).content.decode()
    assert 'role="alert"' in page
    assert admin_browser.post(address, {**fields, **shares, "people": 0}).status_code == 200
    assert browser(an_administrator("looker", [Right.ADMIN])).get(address).status_code == 403
    assert staff.pk
