"""The desk's form, the API and the admin's pages ask for suggestions."""

import uuid
from datetime import timedelta

import pytest
from django.db.models import F
from django.test import Client
from django.urls import reverse

from accounts.rights import Right
from core.models import AuditEntry
from suggestions.admin import share
from suggestions.models import ModelVersion, Suggestion, SuggestionRules, VersionState
from suggestions.services import choosing, current, training
from suggestions.tasks import retrain_topics
from suggestions.tests.conftest import NOW
from tests import builders as b
from tests.admin.conftest import an_administrator, browser
from tickets.models import Case

pytestmark = pytest.mark.django_db
BACKEND = "accounts.backends.StaffBackend"


def signed_in(staff):
    client = Client()
    client.force_login(staff, backend=BACKEND)
    return client


def ask(client, session_id):
    return client.post(f"/suggestions/session/{session_id}/", headers={"Accept": "application/json"})


def test_the_form_is_offered_topics_in_words_and_percent(tree, operator, write):
    session = write("Заказ опаздывает, заказ опаздывает")
    answer = ask(signed_in(operator), session.pk)
    assert answer.status_code == 200
    first = answer.json()["found"][0]
    assert (first["id"], first["name"], first["path"]) == (tree["late"].pk, "Заказ опаздывает", "Заказ опаздывает")
    assert first["words"] in {"вероятно", "возможно", "не точно"}
    assert 1 <= first["percent"] <= 99
    assert Suggestion.objects.get().shown_at is not None


def test_a_stranger_and_a_lesser_role_see_nothing(tree, operator, write):
    session = write("Заказ опаздывает")
    assert ask(signed_in(b.a_person("stranger", groups=[b.a_group("other", "Другая")])), session.pk).status_code == 404
    reader = b.a_person("reader", groups=[b.a_group()], role=b.a_role("reader", [Right.DESK]))
    assert ask(signed_in(reader), session.pk).status_code == 403
    assert not Suggestion.objects.exists()


def test_the_desk_opens_the_ticket_with_the_suggested_topic(tree, operator, write, django_capture_on_commit_callbacks):
    session = write("Заказ опаздывает, заказ опаздывает")
    client = signed_in(operator)
    [first, *_rest] = ask(client, session.pk).json()["found"]
    headers = {"Accept": "application/json", "Idempotency-Key": str(uuid.uuid4())}
    with django_capture_on_commit_callbacks(execute=True):
        answer = client.post(f"/desk/session/{session.pk}/ticket/", {"topic": first["id"]}, headers=headers)
    assert answer.status_code == 200, answer.content
    suggestion = Suggestion.objects.get()
    assert (suggestion.case, suggestion.chosen) == (Case.objects.get(), tree["late"])


def api(client, body):
    return client.post("/api/v1/topics/suggested", body, content_type="application/json")


def test_the_api_suggests_for_a_dialogue_and_for_a_text(tree, operator, write):
    session, client = write("Заказ опаздывает"), signed_in(operator)
    by_session = api(client, {"session": session.pk}).json()
    assert (by_session["version"], by_session["topics"][0]["topic"]) == (None, "late")
    before = Suggestion.objects.count()
    by_text = api(client, {"text": "грубость сотрудника"}).json()
    assert by_text["topics"][0]["topic"] == "rude"
    assert set(by_text["topics"][0]) == {"topic", "path", "store_required", "confidence", "words"}
    assert Suggestion.objects.count() == before


@pytest.mark.parametrize(
    ("body", "status"), [({}, 400), ({"session": 1, "text": "x"}, 400), ({"session": 10**12}, 404), ({"session": "x"}, 400), ([1], 400)]
)
def test_a_wrong_question_is_refused(tree, operator, body, status):
    answer = api(signed_in(operator), body)
    assert (answer.status_code, bool(answer.json()["message"])) == (status, True)


@pytest.mark.parametrize("text", ["\x00", "👍", "a" * 20_000, "'; drop table --", "<b>"])
def test_any_text_is_answered(tree, operator, text):
    assert api(signed_in(operator), {"text": text}).status_code in {200, 400}


def test_switched_off_it_answers_with_nothing(tree, operator, write):
    session = write("Заказ опаздывает")
    SuggestionRules.objects.create(pk=1, is_on=False)
    client = signed_in(operator)
    assert ask(client, session.pk).json() == {"found": []}
    assert api(client, {"session": session.pk}).json() == {"topics": [], "version": None}


def versions_page():
    return reverse("admin:suggestions_modelversion_changelist")


@pytest.mark.usefixtures("quick_training")
def test_the_page_shows_the_hit_rates_and_returns_to_the_version_before(tree, history):
    history(3)
    person = an_administrator()
    client = browser(person)
    SuggestionRules.objects.create(pk=1, least_cases=1, tolerated_loss=1)
    choosing.note_missed(now=NOW + timedelta(minutes=2))
    made = [training.retrain(by=person, now=NOW) for _time in range(2)]
    page = client.get(versions_page()).content.decode()
    assert "Обучить сейчас" in page
    hit = Suggestion.objects.filter(chosen_id=F("topics__0")).count() / Suggestion.objects.count()
    assert share(hit) in page
    assert f"№ {made[1].pk}" in page
    client.post(reverse("admin:suggestions_go_back"))
    assert ModelVersion.objects.get(state=VersionState.IN_USE) == made[0]
    assert AuditEntry.objects.filter(action="topic_model.gone_back", by=person).exists()


def test_the_buttons_need_the_right_to_configure(tree):
    reader = an_administrator("reader", [Right.ADMIN, Right.REPORTS])
    client = browser(reader)
    assert "Обучить сейчас" not in client.get(versions_page()).content.decode()
    for address in ("suggestions_retrain", "suggestions_go_back"):
        assert client.post(reverse(f"admin:{address}")).status_code == 403
        assert client.get(reverse(f"admin:{address}")).status_code == 405


def test_the_button_calls_the_training(tree, monkeypatch):
    person, called = an_administrator(), []
    monkeypatch.setattr("suggestions.admin.retrain_topics.delay", lambda **named: called.append(named))
    browser(person).post(reverse("admin:suggestions_retrain"))
    assert called == [{"by_id": person.pk}]


@pytest.mark.usefixtures("quick_training")
def test_the_night_trains_when_the_rules_say_so(tree, history):
    history(3)
    SuggestionRules.objects.create(pk=1, least_cases=1, is_retrained=False)
    retrain_topics()
    assert not ModelVersion.objects.exists()
    SuggestionRules.objects.update(is_retrained=True)
    current.forget()
    retrain_topics()
    assert ModelVersion.objects.get().made_by is None


def test_changed_rules_count_at_once_and_are_in_the_audit(tree, operator):
    SuggestionRules.objects.create(pk=1)
    client = browser(an_administrator())
    url = reverse("admin:suggestions_suggestionrules_change", args=[1])
    form = client.get(url).context["adminform"].form
    data = {name: form[name].value() for name in form.fields if form[name].value() not in (False, None)}
    del data["is_on"]
    assert client.post(url, data).status_code == 302
    assert current.rules().is_on is False
    assert AuditEntry.objects.get(action="suggestionrules.changed").details == {"is_on": "False"}
