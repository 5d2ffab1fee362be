"""A policy or calendar is saved only after the person has seen what clocks would feel, and has chosen for whom the change holds."""

import re
from datetime import timedelta
from html import unescape

import pytest
from django.utils import timezone

from core.models import AuditEntry
from omni.models import Session
from sla.models import Calendar, ChangeState, Clock, Metric, Policy, TermsChange
from sla.services import clocks, stories
from sla.tasks import apply_changes
from tests import builders as b
from tickets.models import CaseStep
from tickets.services import opening
from tickets.states import Step
from worklist.models import Item

pytestmark = pytest.mark.django_db
NOW = timezone.now()


@pytest.fixture
def case(db):
    person = b.a_person(groups=[b.a_group()])
    b.receive(b.an_account("webchat"), b.webchat_event(), now=NOW - timedelta(minutes=5))
    opened = opening.open_ticket(session_id=Session.objects.get().pk, topic=b.a_topic(), by=person, now=NOW - timedelta(minutes=5))
    Item.objects.filter(subject_id=opened.pk).update(snoozed_until=NOW + timedelta(days=1))
    yield opened
    clocks.forget_hours()


def address(thing):
    return f"/admin/sla/{thing._meta.model_name}/{thing.pk}/change/"


def form_of(browser, thing):
    """All fields of the page as a browser would send them."""
    html = browser.get(address(thing)).content.decode()
    fields = {}
    for tag in re.findall(r"<input[^>]*>", html):
        found = dict(re.findall(r'(\w[\w-]*)="([^"]*)"', tag))
        if found.get("name") and found.get("type") not in {"submit", "checkbox"}:
            fields[found["name"]] = unescape(found.get("value", ""))
        elif found.get("name") and found.get("type") == "checkbox" and re.search(r"\schecked[\s>=]", tag):
            fields[found["name"]] = "on"
    for name, body in re.findall(r'<select[^>]*name="([^"]+)"[^>]*>(.*?)</select>', html, re.S):
        chosen = re.search(r'value="([^"]*)"[^>]*selected', body)
        fields[name] = chosen.group(1) if chosen else ""
    return {name: value for name, value in fields.items() if "__prefix__" not in name and not name.startswith("_")}


def resolution(case):
    return Clock.objects.get(subject=case.clock_subject, metric=Metric.RESOLUTION)


def test_the_first_sending_saves_nothing_and_shows_what_would_move(admin_browser, case):
    before = resolution(case)
    answer = admin_browser.post(address(case.policy), {**form_of(admin_browser, case.policy), "resolution_minutes": "1"})
    text = answer.content.decode()
    assert answer.status_code == 200
    assert f"№ {case.number}" in text
    # Five minutes are used, and one is promised.
    assert re.search(r'otk-alarm"><th scope="row">[^<]*</th><td class="otk-number">1<', text)
    assert 'name="resolution_minutes" value="1"' in text
    assert Policy.objects.get(pk=case.policy_id).resolution_minutes == 480
    assert resolution(case).due_at == before.due_at
    assert not AuditEntry.objects.filter(action="policy.changed").exists()
    assert list(answer.context["messages"]) == []


@pytest.mark.parametrize("choice", ["new", "running"])
def test_the_second_sending_saves_for_whom_the_person_chose(admin_browser, case, choice):
    before = resolution(case)
    sent = {**form_of(admin_browser, case.policy), "resolution_minutes": "60", "_terms": choice}
    assert admin_browser.post(address(case.policy), sent).status_code == 302
    assert Policy.objects.get(pk=case.policy_id).resolution_minutes == 60
    assert resolution(case).due_at == before.due_at
    apply_changes()
    after = resolution(case)
    row = Item.objects.get(kind="case", subject_id=case.pk)
    assert row.snoozed_until is not None
    assert CaseStep.objects.filter(case=case, step=Step.TERMS).exists() is (choice == "running")
    if choice == "running":
        assert abs(after.due_at - before.started_at - timedelta(hours=1)) < timedelta(seconds=2)
        assert TermsChange.objects.get().state == ChangeState.DONE
    else:
        assert after.due_at == before.due_at
    assert list(stories.differences(Clock.objects.all(), now=NOW)) == []


def test_a_name_alone_is_saved_at_once(admin_browser, case):
    sent = {**form_of(admin_browser, case.policy), "name": "Новое имя"}
    assert admin_browser.post(address(case.policy), sent).status_code == 302
    assert Policy.objects.get(pk=case.policy_id).name == "Новое имя"


def test_a_calendar_is_previewed_with_its_week(admin_browser, case):
    calendar = case.policy.calendar
    fields = form_of(admin_browser, calendar)
    assert fields["intervals-TOTAL_FORMS"] == "7"
    changed = {**fields, **{f"intervals-{day}-starts": "23:00" for day in range(7)}}
    answer = admin_browser.post(address(calendar), changed)
    assert answer.status_code == 200
    assert "otk-table" in answer.content.decode()
    assert str(calendar.intervals.first().starts) == "00:00:00"
    assert admin_browser.post(address(calendar), {**changed, "_terms": "running"}).status_code == 302
    apply_changes()
    assert Calendar.objects.filter(frozen_of=calendar).count() == 1
    assert list(stories.differences(Clock.objects.all(), now=timezone.now())) == []
    assert "past" not in admin_browser.get("/admin/sla/calendar/").content.decode()


@pytest.mark.parametrize(("change", "words"), [("empty", "Без рабочего времени"), ("overlap", "пересекаются")])
def test_weeks_that_cannot_be_are_refused_in_words(admin_browser, case, change, words):
    calendar = case.policy.calendar
    fields = {**form_of(admin_browser, calendar), "_terms": "running"}
    if change == "empty":
        fields |= {f"intervals-{day}-DELETE": "on" for day in range(7)}
    else:
        fields["intervals-1-weekday"] = fields["intervals-0-weekday"]
    answer = admin_browser.post(address(calendar), fields)
    assert answer.status_code == 200
    assert words in answer.content.decode()
    assert calendar.intervals.count() == 7


def test_clocks_are_named_as_people_call_what_they_run_for(admin_browser, case):
    clock = Clock.objects.filter(subject=f"case:{case.pk}").first()
    listed = admin_browser.get("/admin/sla/clock/").content.decode()
    assert f"№ {case.number}" in listed
    page = admin_browser.get(f"/admin/sla/clock/{clock.pk}/change/").content.decode()
    assert f"№ {case.number}" in page
    assert "Тема письма" not in page
