"""Guests whom no event names: asked for at the provider, over the wire, and shown everywhere."""

import pytest
from django.utils import timezone

from customers.models import Identity
from omni.channels.facebook.tests.conftest import SECRETS, facebook_frame, server, settings_of  # noqa: F401  fixtures
from omni.services import naming
from tests import builders as b
from tests import channel_checks as checks
from tests.providers.faults import Fault, FaultKind
from worklist.models import Item

pytestmark = pytest.mark.django_db


@pytest.fixture
def account(facebook_frame, server):  # noqa: F811  fixtures
    return b.an_account("facebook", settings=settings_of(facebook_frame, read_timeout=1), **SECRETS)


@pytest.fixture
def asked(monkeypatch):
    """The tasks that were called for."""
    calls = []
    monkeypatch.setattr("omni.dispatch._send", lambda task, arguments, *_rest: calls.append((task, arguments)))
    return calls


def hear(client, account, events):
    for event in events:
        checks.deliver(client, account, event.body, headers=event.headers)
    checks.process_all(timezone.now())


def names_due(asked):
    return [arguments["identity_id"] for task, arguments in asked if task == "omni.tasks.name_guest"]


def test_a_guest_is_named_after_the_first_message(client, server, account, asked, django_capture_on_commit_callbacks):  # noqa: F811
    with django_capture_on_commit_callbacks(execute=True):
        hear(client, account, server.guest_says("Где кефир?", name="Анна Демо"))
    identity = Identity.objects.get()
    assert (identity.display_name, names_due(asked)) == ("", [identity.pk])
    assert naming.name_guest(identity.pk, now=timezone.now()) == "Анна Демо"
    identity.refresh_from_db()
    assert (identity.display_name, identity.guest.name, identity.is_verified) == ("Анна Демо", "Анна Демо", False)
    assert Item.objects.get().guest_name == "Анна Демо"
    assert naming.name_guest(identity.pk, now=timezone.now()) == "", "nobody asks twice"
    assert server.violations.after() == []


def test_a_provider_that_does_not_say_is_asked_again_with_the_next_message(
    client,
    server,  # noqa: F811
    account,
    asked,
    django_capture_on_commit_callbacks,
):
    with django_capture_on_commit_callbacks(execute=True):
        hear(client, account, server.guest_says("Где кефир?", name="Анна Демо"))
    identity = Identity.objects.get()
    server.faults.add(Fault(FaultKind.SERVER_ERROR))
    assert naming.name_guest(identity.pk, now=timezone.now()) == ""
    with django_capture_on_commit_callbacks(execute=True):
        hear(client, account, server.guest_says("Алло?"))
    assert names_due(asked) == [identity.pk, identity.pk]


def test_channels_that_name_their_guests_are_not_asked(asked, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        naming.ask_for(Identity(display_name="", pk=1), b.an_account("telegram"))
        naming.ask_for(Identity(display_name="Анна", pk=1), b.an_account("vk", settings={"group_id": "1"}))
    assert names_due(asked) == []
