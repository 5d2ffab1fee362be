"""What people chose before two topics were joined teaches the one that goes on."""

import pytest
from django.utils import timezone

from suggestions.models import SuggestionRules
from suggestions.services import words
from tests import builders as b
from tickets.services import joined_topics, opening, topics
from tickets.tests.asking_builders import a_session

pytestmark = pytest.mark.django_db
NOW = timezone.now()


def test_choices_of_the_retired_topic_teach_the_other_one():
    old, new = b.a_topic("refund-card", name="Возврат не дошёл на карту"), b.a_topic("money-not-back", name="Деньги не пришли")
    operator = b.a_person(groups=[b.a_group(), b.a_group("quality", "Качество")])
    opening.open_ticket(session_id=a_session(operator, now=NOW).pk, topic=old, by=operator, now=NOW)
    joined_topics.join("refund-card", "money-not-back")
    topics.forget()
    found = words.choices(SuggestionRules())
    assert [topic for _text, topic in (*found.train, *found.held_out)] == [new.pk]
    topics.forget()
