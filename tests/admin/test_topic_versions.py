"""A draft of the topics in the admin panel: read in words, tried, changed, published."""

import pytest
from django.urls import reverse
from django.utils import timezone

from tests import builders as b
from tests.admin.conftest import an_administrator, browser
from tickets.models import Detail, RouteRule, RouteTest, TopicVersion
from tickets.services import topics, versions

pytestmark = pytest.mark.django_db


@pytest.fixture
def draft():
    parent = b.a_topic("quality", name="Качество")
    b.a_topic("expired", group=b.a_group("health", "Здоровье"), parent=parent)
    product = Detail.objects.create(code="product", name="Товар")
    parent.details.create(detail=product, need="offered")
    topics.forget()
    yield versions.draft(by=b.a_person("author"), now=timezone.now())
    topics.forget()


def page(client, entry):
    return client.get(reverse("admin:tickets_topicentry_change", args=[entry.pk])).content.decode()


def test_a_topic_of_a_draft_says_in_words_what_holds_and_where_it_comes_from(draft):
    entry = draft.entries.get(code="expired")
    entry.policy = None
    entry.save()
    text = page(browser(an_administrator()), entry)
    assert "<dt>группа</dt><dd>Здоровье</dd>" in text
    assert "<dt>политика SLA</dt><dd>chat (от темы «Качество»)</dd>" in text
    assert "<dt>подробности</dt><dd>Товар (можно заполнить)</dd>" in text
    assert "store_involved:" not in text


@pytest.mark.parametrize("deed", ["change", "delete", "delete_selected"])
def test_a_trial_is_of_the_draft_as_it_is(draft, deed):
    client = browser(an_administrator())
    client.post(reverse("admin:tickets_topicversion_try", args=[draft.pk]))
    assert TopicVersion.objects.get(pk=draft.pk).trial["cases"] == 0
    entry = draft.entries.get(code="expired")
    if deed == "delete_selected":
        chosen = {"action": "delete_selected", "_selected_action": [entry.pk], "post": "yes"}
        client.post(reverse("admin:tickets_topicentry_changelist"), chosen)
    elif deed == "delete":
        client.post(reverse("admin:tickets_topicentry_delete", args=[entry.pk]), {"post": "yes"})
    else:
        no_details = {f"details-{name}_FORMS": 0 for name in ("TOTAL", "INITIAL")}
        fields = {"version": draft.pk, "name": "Иначе", "code": "expired", "position": 0, "is_active": "on", **no_details}
        client.post(reverse("admin:tickets_topicentry_change", args=[entry.pk]), fields)
    assert draft.entries.filter(name=entry.name, code="expired").exists() is False
    assert TopicVersion.objects.get(pk=draft.pk).trial is None


def test_only_topics_of_drafts_are_offered_as_parents(draft):
    asked = {"app_label": "tickets", "model_name": "topicentry", "field_name": "parent", "term": "Качество"}
    found = browser(an_administrator()).get("/admin/autocomplete/", asked).json()["results"]
    assert [one["id"] for one in found] == [str(draft.entries.get(code="quality").pk)]


def test_a_new_rule_is_held_against_the_examples_that_belong_to_no_rule(draft):
    other = b.a_group("delivery", "Доставка")
    RouteTest.objects.create(name="Просрочка у здоровья", topic_code="expired", group=b.a_group("health", "Здоровье"))
    fields = {"name": "Всё в доставку", "position": 1, "is_active": "on", "groups": [other.pk]}
    fields |= {"tests-TOTAL_FORMS": 0, "tests-INITIAL_FORMS": 0}
    answer = browser(an_administrator()).post(reverse("admin:tickets_routerule_add"), fields)
    assert "Просрочка у здоровья" in answer.content.decode()
    assert not RouteRule.objects.exists()
