"""The demo day shows what is called out: somebody is asked, the ticket's history says so, nothing goes out."""

import pytest
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from demo.services import addresses, day
from escalation.models import Delivery, Run
from escalation.states import OPEN, DeliveryState, EventKind
from tickets.models import CaseStep
from tickets.states import Step

WHERE = addresses.Addresses("http://127.0.0.1:8000", "http://127.0.0.1:8001", 2525, 1143)


@pytest.fixture
def loaded(django_db_setup, django_db_blocker):
    with django_db_blocker.unblock():
        connection.ensure_connection()
        day.load(addresses=WHERE, now=timezone.now(), share=0.3)
        yield
        call_command("flush", interactive=False, verbosity=0)


def test_a_ladder_runs_and_reaches_the_shift_lead(loaded):
    running = Run.objects.filter(state__in=OPEN, subject__startswith="case:")
    assert running.exists()
    told = running.filter(events__kind=EventKind.STEP).first()
    assert told is not None
    assert told.events.get(kind=EventKind.STEP).details["to"] == ["Светлана Орлова"]
    assert CaseStep.objects.filter(step=Step.ESCALATED).count() >= running.count()
    assert not Delivery.objects.exclude(state=DeliveryState.SENT).exists()
