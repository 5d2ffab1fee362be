"""Duplicates, links, incidents and mass jobs at the desk and in the API: what is shown, what is done, who may not."""

import json
import uuid

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import ApiToken
from accounts.tokens import new_token
from customers.services import merging
from omni.models import Message
from tests import builders as b
from tests import shipped
from tickets.models import Case, CaseLink, Detail, Incident, IncidentCase, Likeness, MassJob
from tickets.services import cases, mass, relaying
from tickets.services import topics as tree
from tickets.states import Cause
from tickets.tests.test_linking import Desk

pytestmark = pytest.mark.django_db
NOW = timezone.now()
BACKEND = "accounts.backends.StaffBackend"


class Screen:
    """A signed-in person at the desk, with a token for the API."""

    def __init__(self, staff):
        self.staff, self.client = staff, Client()
        self.client.force_login(staff, backend=BACKEND)
        self.token, digest = new_token()
        ApiToken.objects.create(name=staff.login, staff=staff, digest=digest)

    def do(self, path, **fields):
        return self.client.post(f"/desk/{path}", fields, headers={"Idempotency-Key": str(uuid.uuid4()), "Accept": "application/json"})

    def form(self, path, **fields):
        return self.client.post(f"/desk/{path}", {"key": str(uuid.uuid4()), **fields})

    def api(self, path, body=None):
        headers = {"Authorization": f"Bearer {self.token}", "Idempotency-Key": str(uuid.uuid4())}
        if body is None:
            return Client().get(f"/api/v1/{path}", headers=headers)
        return Client().post(f"/api/v1/{path}", json.dumps(body), content_type="application/json", headers=headers)


@pytest.fixture
def desk():
    shipped.load()
    desk = Desk()
    desk.lead = b.a_person("lead", "Старший Супервизор", role=b.a_role("lead", [*b.OPERATOR_RIGHTS, "cases.mass", "everything.read"]))
    yield desk
    tree.forget()


@pytest.fixture
def two(desk):
    """Two tickets of one guest in two channels."""
    first, second = desk.ticket(7), desk.ticket("visitor")
    desk.one_guest(first, second)
    return first, desk.ticket("visitor", "Просроченный творог так и лежит")


def test_the_ticket_shows_what_may_be_the_same_and_joins_and_parts(desk, two):
    first, second = two
    screen = Screen(desk.operator)
    shown = screen.client.get(f"/desk/case/{second.pk}/belonging/").json()["html"]
    assert first.number in shown
    assert 'data-do="join-case"' in shown
    assert screen.do(f"case/{second.pk}/link/", kind="duplicate", main=first.pk).status_code == 200
    link = CaseLink.objects.get()
    shown = screen.client.get(f"/desk/case/{first.pk}/belonging/").json()["html"]
    assert f'data-link="{link.pk}"' in shown
    assert screen.do(f"links/{link.pk}/undo/").status_code == 200
    assert Case.objects.get(pk=second.pk).state == "reopened"
    assert screen.do(f"links/{link.pk}/undo/").json()["code"] == "undone"


def test_what_is_closed_is_not_offered_for_joining(desk, two):
    first, second = two
    cases.close(case_id=first.pk, cause=Cause.SOLVED, by=desk.operator, now=NOW)
    shown = Screen(desk.operator).client.get(f"/desk/case/{second.pk}/belonging/").json()["html"]
    assert f'data-do="relate-case" data-case="{second.pk}" data-main="{first.pk}"' in shown
    assert f'data-do="join-case" data-case="{second.pk}" data-main="{first.pk}"' not in shown
    assert 'data-do="join-case"' in shown, "the open one is"


def test_by_number_and_two_matters(desk, two):
    first, second = two
    screen = Screen(desk.operator)
    assert screen.do(f"case/{second.pk}/link/", kind="related", number=f"№ {first.number}").status_code == 200
    assert screen.do(f"case/{second.pk}/link/", kind="related", number="77").status_code == 404
    assert screen.do(f"case/{second.pk}/link/", kind="", number=first.number).status_code == 400
    row = Likeness.objects.filter(case=second).exclude(other=first).get()
    assert screen.do(f"case/{second.pk}/two-matters/", main=row.other_id).status_code == 200
    assert Likeness.objects.get(pk=row.pk).state == "refused"


def test_the_new_tickets_form_is_told_of_a_ticket_on_this_matter(desk):
    first = desk.ticket(7)
    session = desk.writes("visitor", "Просроченный творог у вас").session
    screen = Screen(desk.operator)
    asked = f"/desk/session/{session.pk}/alike/?topic={desk.topic.pk}"
    assert screen.client.get(asked).json()["html"] == ""

    merging.merge(kept_id=first.guest_id, gone_id=session.guest_id, by=desk.operator, now=NOW)
    assert first.number in screen.client.get(asked).json()["html"]
    assert screen.client.get(f"/desk/session/{session.pk}/alike/?topic=").json()["html"] == ""


def test_a_message_is_split_off_at_the_desk(desk):
    case = desk.ticket(7)
    said = desk.writes(7, "А ещё касса сломана")
    done = Screen(desk.operator).do(f"case/{case.pk}/split/", message=said.pk, topic=desk.topic.pk)
    assert Case.objects.get(pk=done.json()["case_id"]).summary == said.text


def test_the_quoted_word_of_a_joined_guest_is_split_off_into_their_dialogue(desk):
    main, joined = desk.ticket(7), desk.ticket(8)
    desk.join(joined, main)
    word = desk.writes(8, "А ещё касса сломана")
    relaying.tell(word.pk, now=NOW)
    note = Message.objects.get(direction="note", guest=main.guest_id)
    screen = Screen(desk.operator)
    shown = screen.client.get(f"/desk/case/{main.pk}/open/").json()["dialogue"]
    assert f'data-do="split" data-message="{note.pk}"' in shown
    assert 'data-do="split"' not in screen.client.get(f"/desk/session/{main.session_id}/open/").json()["dialogue"]
    made = screen.do(f"case/{main.pk}/split/", message=note.pk, topic=desk.topic.pk).json()
    case = Case.objects.get(pk=made["case_id"])
    assert (case.session_id, case.guest_id, case.summary) == (word.session_id, joined.guest_id, word.text)
    assert CaseLink.objects.get(pk=made["link_id"]).main_id == main.pk
    assert screen.do(f"links/{made['link_id']}/undo/").status_code == 200
    assert Case.objects.get(pk=case.pk).state == "closed"
    own = screen.do(f"case/{main.pk}/note/", text="joined:1 сам написал").json()
    assert screen.do(f"case/{main.pk}/split/", message=own["message_id"], topic=desk.topic.pk).status_code == 404


def test_a_split_is_asked_for_what_its_topic_needs(desk):
    case, said = desk.ticket(7), desk.writes(7, "А ещё касса сломана")
    desk.topic.details.create(detail=Detail.objects.create(code="till", name="Касса"), need="required")
    tree.forget()
    screen = Screen(desk.operator)
    assert screen.do(f"case/{case.pk}/split/", message=said.pk, topic=desk.topic.pk).json()["code"] == "bad_detail"
    done = screen.do(f"case/{case.pk}/split/", **{"message": said.pk, "topic": desk.topic.pk, "detail.till": "3"})
    assert Case.objects.get(pk=done.json()["case_id"]).details == {"till": "3"}


def test_the_api_finds_links_splits_and_undoes(desk, two):
    first, second = two
    screen = Screen(desk.operator)
    found = screen.api(f"cases/{second.pk}/duplicates").json()
    assert first.pk in [one["case"] for one in found]
    assert found[0]["reasons"][0]["points"]
    made = screen.api(f"cases/{second.pk}/links", {"main": first.pk, "kind": "duplicate"})
    assert made.status_code == 201
    assert screen.api(f"cases/{first.pk}/links").json()[0]["kind"] == "duplicate"
    assert screen.api(f"links/{made.json()['id']}/undo", {}).json()["undoable"] is False
    asked = {"guest": Case.objects.get(pk=first.pk).guest_id, "topic": desk.topic.code, "text": "Просроченный творог"}
    assert len(screen.api("cases/alike", asked).json()) == 3
    assert screen.api(f"cases/{first.pk}/duplicates", {"other": second.pk}).json() == {"ok": True}
    said = desk.writes(7, "Ещё одно")
    assert screen.api(f"cases/{first.pk}/split", {"message": said.pk, "topic": desk.topic.code}).status_code == 201
    assert screen.api(f"cases/{first.pk}/split", {"message": said.pk, "topic": "no-such"}).json()["code"] == "topic_unknown"


def an_incident(*members, **changed):
    place = {"branch": members[0].topic, "group": members[0].group, "store": b.a_store()}
    facts = {"number": "77001", "scope": "store", "seen": 6, "usual": 0.5, "since": NOW, "made_at": NOW}
    incident = Incident.objects.create(**{**facts, **place, **changed})
    IncidentCase.objects.bulk_create(IncidentCase(incident=incident, case=case, at=NOW) for case in members)
    return incident


def test_an_incident_is_confirmed_and_all_its_guests_are_answered_from_the_pages(desk):
    made = [desk.ticket(7), desk.ticket("visitor")]
    incident = an_incident(*made)
    screen = Screen(desk.lead)
    assert "77001" in screen.client.get("/desk/incidents/").content.decode()
    assert screen.form(f"incidents/{incident.pk}/confirm/").status_code == 302
    assert screen.form(f"incidents/{incident.pk}/reject/").status_code == 409
    assert f'value="{incident.pk}" selected' in screen.client.get(f"/desk/mass/?incident={incident.pk}").content.decode()
    answer = screen.form("mass/make/", which="incident", incident=incident.pk, kind="answer", text="{guest}, чиним")
    job = MassJob.objects.get()
    assert answer.headers["Location"] == f"/desk/mass/{job.pk}/"
    assert screen.client.get(f"/desk/mass/{job.pk}/").headers["Refresh"] == "3"
    mass.carry_on(now=NOW)
    page = screen.client.get(f"/desk/mass/{job.pk}/")
    assert "Refresh" not in page.headers
    assert screen.form(f"mass/{job.pk}/start/").status_code == 302
    mass.carry_on(now=NOW)
    assert MassJob.objects.get().done == 2
    assert screen.form(f"incidents/{incident.pk}/nonsense/").status_code == 404


def test_a_wrong_form_says_so_and_keeps_what_was_filled_in(desk):
    screen = Screen(desk.lead)
    answer = screen.form("mass/make/", which="numbers", numbers="5, 6", kind="close", cause="solved")
    assert answer.status_code == 404
    assert "5, 6" in answer.content.decode()
    assert "«5» не найдено" in answer.content.decode()
    assert screen.form("mass/make/", which="", kind="close").status_code == 400
    assert screen.form("mass/make/", which="incident", kind="answer", text="x").status_code == 400
    assert not MassJob.objects.exists()


def test_bulk_changes_by_numbers_and_by_list(desk):
    made = [desk.ticket(number) for number in range(3)]
    screen = Screen(desk.lead)
    screen.form("mass/make/", which="numbers", numbers=" ".join(case.number for case in made), kind="owner", owner="ivanova")
    screen.form("mass/make/", which="list", tab="all", channel="telegram", kind="close", cause="explained")
    for job in MassJob.objects.order_by("pk"):
        mass.carry_on(now=NOW)
        screen.form(f"mass/{job.pk}/start/")
        while mass.carry_on(now=NOW):
            pass
    assert {(case.owner_id, case.cause) for case in Case.objects.all()} == {(desk.operator.pk, "explained")}


def test_the_api_makes_starts_and_tells_of_jobs_and_incidents(desk):
    made = [desk.ticket(7), desk.ticket("visitor")]
    incident = an_incident(*made)
    screen = Screen(desk.lead)
    assert set(screen.api("incidents").json()[0]["cases"]) == {case.pk for case in made}
    assert screen.api(f"incidents/{incident.pk}/confirm", {}).json()["state"] == "open"
    job = screen.api("mass", {"kind": "answer", "incident": incident.pk, "text": "Чиним"})
    assert job.status_code == 201
    mass.carry_on(now=NOW)
    shown = screen.api(f"mass/{job.json()['id']}").json()
    assert (shown["state"], shown["channels"]) == ("ready", {"telegram": 1, "webchat": 1})
    assert screen.api(f"mass/{shown['id']}/start", {}).json()["state"] == "running"
    assert screen.api(f"mass/{shown['id']}/nonsense", {}).status_code == 404
    assert screen.api("mass").json()[0]["id"] == shown["id"]


def test_a_confirmed_incident_shows_its_own_ticket_and_ends_with_its_parts(desk, two):
    incident = an_incident(*two)
    screen = Screen(desk.lead)
    assert "Собственное обращение" not in screen.client.get("/desk/incidents/").content.decode()
    assert screen.form(f"incidents/{incident.pk}/confirm/").status_code == 302
    page = screen.client.get("/desk/incidents/").content.decode()
    line = page.split("Собственное обращение")[1].split("</p>")[0]
    own = screen.api("incidents").json()[0]["main"]
    assert own not in {case.pk for case in two}
    assert f"/desk/case/{own}/" in line
    assert "решение: " in line
    assert screen.form(f"incidents/{incident.pk}/close/", cause="because").status_code == 400
    ended = screen.form(f"incidents/{incident.pk}/close/", cause="explained", members="1", text="Починили")
    job = MassJob.objects.get()
    assert (ended.status_code, ended.url) == (302, f"/desk/mass/{job.pk}/")
    while mass.carry_on(now=NOW):
        pass
    found = Case.objects.filter(pk__in=[own, *(case.pk for case in two)]).values_list("state", "cause")
    assert list(found) == [("closed", "explained")] * 3


def test_what_was_chosen_in_the_list_comes_into_the_form(desk):
    made = [desk.ticket(number) for number in range(3)]
    screen = Screen(desk.lead)
    ids = ",".join(str(case.pk) for case in made[:2])
    page = screen.client.post("/desk/mass/chosen/", {"cases": ids, "tab": "", "channel": ""}).content.decode()
    assert f'name="cases" value="{ids}"' in page
    assert "2" in page.split('value="choice"')[0].rsplit("<label", 1)[1] + page.split('value="choice"')[1].split("</label>")[0]
    answer = screen.form("mass/make/", which="choice", cases=ids, kind="close", cause="solved")
    job = MassJob.objects.get()
    assert answer.headers["Location"] == f"/desk/mass/{job.pk}/"
    mass.carry_on(now=NOW)
    assert set(job.items.values_list("case", flat=True)) == {case.pk for case in made[:2]}
    page = screen.client.post("/desk/mass/chosen/", {"cases": "", "tab": "mine", "channel": "telegram"}).content.decode()
    assert '<option value="mine" selected>' in page
    assert 'value="choice"' not in page
    assert screen.form("mass/make/", which="choice", cases="x,,-1", kind="close", cause="solved").status_code == 400
    assert screen.form("mass/make/", which="list", tab="mine", kind="close", cause="solved").status_code == 302


def test_without_the_right_there_is_no_mass_work(desk):
    incident = an_incident(desk.ticket(7))
    screen = Screen(desk.operator)
    assert screen.client.get("/desk/mass/").status_code == 403
    assert screen.form(f"incidents/{incident.pk}/confirm/").status_code == 403
    assert screen.api("mass", {"kind": "close", "cases": [1]}).status_code == 403
    assert Incident.objects.get().state == "draft"
