"""A ticket's way and life over the API: route map, re-routing, details, waits, calls, followers, causes."""

from datetime import timedelta

import pytest
from django.utils import timezone

from omni.models import Session
from sla.models import Calendar
from tests import builders as b
from tickets.models import CallBack, Case, ClosingCause, Detail, WaitReason, Watcher
from tickets.services import topics
from tickets.states import CaseState
from tickets.tests.test_api import Program

pytestmark = pytest.mark.django_db
NOW = timezone.now()


@pytest.fixture
def program(client):
    return Program(
        client, b.a_person("robot", "Робот", groups=[b.a_group(), b.a_group("quality", "Качество"), b.a_group("prices", "Цены")])
    )


@pytest.fixture
def case(program):
    b.receive(b.an_account("webchat"), b.webchat_event(text="Кефир просрочен", name="Анна"), now=NOW)
    topic = b.a_topic()
    topic.details.create(detail=Detail.objects.create(code="product", name="Товар"), need="required")
    topics.forget()
    body = {"session": Session.objects.get().pk, "topic": "expired"}
    refused = program.post("cases/", body)
    assert (refused.status_code, refused.json()["code"]) == (400, "bad_detail")
    assert program.post("cases/", {**body, "details": {"product": "Кефир"}}).status_code == 201
    return Case.objects.get()


def test_topics_tell_what_they_ask_for(program, case):
    assert program.get("topics").json()[0]["details"] == [
        {"code": "product", "name": "Товар", "kind": "text", "is_required": True, "options": []}
    ]
    whole = program.get(f"cases/{case.pk}/").json()
    assert whole["details"] == {"product": "Кефир"}
    assert whole["why_here"]


def test_the_way_is_a_list_and_can_be_changed(program, case):
    b.a_topic("prices", group=b.a_group("prices", "Цены"), name="Цены")
    assert [stay["holder"] for stay in program.get(f"cases/{case.pk}/route").json()] == ["start", "group"]
    assert program.post(f"cases/{case.pk}/route", {"topic": "no-such", "reason": "почему"}).json()["code"] == "topic_unknown"
    assert program.post(f"cases/{case.pk}/route", {"topic": "prices"}).status_code == 400
    assert program.post(f"cases/{case.pk}/route", {"topic": "prices", "reason": "Про ценник"}).status_code == 200
    way = program.get(f"cases/{case.pk}/route").json()
    assert [stay["name"] for stay in way[1:]] == ["Качество", "Цены"]
    assert "Про ценник" in way[-1]["reason"]


def test_waits_calls_followers_and_causes(program, case):
    WaitReason.objects.create(code="photo", name="Ждём фото", calendar=Calendar.objects.get(code="always"), state=CaseState.WAITING_THIRD)
    ClosingCause.objects.create(code="own", name="Сняли с полки", kind="solved", needs_note=True)
    assert program.post(f"cases/{case.pk}/route", {"person": 10**9, "reason": "x"}).status_code == 400
    person = Case.objects.get().opened_by_id
    assert program.post(f"cases/{case.pk}/route", {"person": person, "reason": "Беру"}).status_code == 200
    assert program.post(f"cases/{case.pk}/waits", {"reason": "photo"}).json()["state"] == CaseState.WAITING_THIRD
    planned = program.post(f"cases/{case.pk}/calls", {"at": (NOW + timedelta(hours=2)).isoformat(), "note": "Сказать о возврате"})
    assert planned.status_code == 201
    assert program.post(f"cases/{case.pk}/calls/{planned.json()['id']}", {"made": False}).status_code == 200
    assert CallBack.objects.get().state == CallBack.State.DROPPED
    assert program.post(f"cases/{case.pk}/followers", {"follows": True}).status_code == 200
    assert Watcher.objects.count() == 1
    assert program.post(f"cases/{case.pk}/close", {"closing": "own"}).json()["code"] == "note_needed"
    assert program.post(f"cases/{case.pk}/close", {"closing": "own", "cause": "solved"}).status_code == 400
    assert program.post(f"cases/{case.pk}/close", {"closing": "own", "note": "Готово"}).status_code == 200
