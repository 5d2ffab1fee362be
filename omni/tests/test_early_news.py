"""News of a message that is not here yet: a deletion waits for it, a status is kept for a while."""

from datetime import timedelta

import pytest
from django.utils import timezone

from omni.channels.facebook.tests.conftest import SECRETS, facebook_frame, server, settings_of  # noqa: F401  fixtures
from omni.models import EarlyStatus, InboundEvent, Message
from omni.services import journal, sending
from omni.states import EventState
from tests import builders as b
from tests import channel_checks as checks

pytestmark = pytest.mark.django_db


@pytest.fixture
def account(facebook_frame, server):  # noqa: F811  fixtures
    return b.an_account("facebook", settings=settings_of(facebook_frame), **SECRETS)


@pytest.fixture
def said_and_taken_back(server, account):  # noqa: F811
    [said] = server.guest_says("Где кефир?", comment=True)
    [item] = journal.adapter_for("facebook").parse(_raw(said), account.config())
    [taken_back] = server.guest_says(remove=item.external_id)
    return said, taken_back


def _raw(event):
    return journal.RawEvent(event.body, {name.lower(): value for name, value in event.headers.items()}, timezone.now())


def deliver(client, account, event):
    assert checks.deliver(client, account, event.body, headers=event.headers).status_code == 200
    return InboundEvent.objects.latest("pk")


def test_a_deletion_waits_for_its_message(client, account, said_and_taken_back):
    said, taken_back = said_and_taken_back
    now = timezone.now()
    early = deliver(client, account, taken_back)
    assert journal.process(early.pk, now=now) == EventState.RECEIVED
    early.refresh_from_db()
    assert (early.next_at, early.tries) == (now + timedelta(seconds=5), 1)
    assert journal.find_left_behind(now=now + timedelta(seconds=4), older_than=timedelta(0)) == []
    journal.process(deliver(client, account, said).pk, now=now)
    later = timezone.now() + timedelta(seconds=6)
    assert journal.find_left_behind(now=later, older_than=timedelta(0)) == [early.pk]
    assert journal.process(early.pk, now=later) == EventState.PROCESSED
    assert Message.objects.get().deleted_at == later


def test_a_deletion_of_what_never_came_ends(client, account, said_and_taken_back):
    early = deliver(client, account, said_and_taken_back[1])
    ended = [journal.process(early.pk, now=timezone.now()) for _try in range(len(journal.RETRY_AFTER) + 1)]
    assert ended == [EventState.RECEIVED] * len(journal.RETRY_AFTER) + [EventState.PROCESSED]
    assert journal.process(early.pk, now=timezone.now(), again=True) == EventState.PROCESSED, "a replay does not begin to wait again"
    assert Message.objects.count() == 0


def test_statuses_of_nothing_are_forgotten_after_a_week(account):
    now = timezone.now()
    for days in (6, 8):
        sending.apply_status(account=account, external_id=f"m{days}", state="delivered", error="", now=now - timedelta(days=days))
    assert sending.forget_early(now=now) == 1
    assert EarlyStatus.objects.get().external_id == "m6"
