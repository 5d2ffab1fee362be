import uuid

import pytest
from django.test import Client
from django.utils import timezone

from omni.models import Message, Session
from omni.services import conversations
from tests import builders as b
from worklist.models import Item

BACKEND = "accounts.backends.StaffBackend"


class Desk:
    """A signed-in browser of one person, as its scripts call the server."""

    def __init__(self, staff):
        self.staff = staff
        self.client = Client()
        self.client.force_login(staff, backend=BACKEND)

    def read(self, path, **query):
        return self.client.get(f"/desk/{path}", query, headers={"Accept": "application/json"})

    def command(self, path, key=None, **fields):
        headers = {"Accept": "application/json", "Idempotency-Key": str(key or uuid.uuid4())}
        return self.client.post(f"/desk/{path}", fields, headers=headers)


@pytest.fixture
def now():
    return timezone.now()


@pytest.fixture
def operator(db):
    return b.a_person(groups=[b.a_group()])


@pytest.fixture
def desk(operator):
    return Desk(operator)


@pytest.fixture
def write(db, now):
    """A guest writes in the web chat; the dialogue."""
    chat = b.an_account("webchat")

    def write(text="Здравствуйте!", visitor="visitor-1", name="Мария Котова", account=None):
        b.receive(account or chat, b.webchat_event(visitor, text, name=name), now=now)
        return Session.objects.order_by("-pk").filter(messages__text=text).first()

    return write


@pytest.fixture
def taken(write, operator, now):
    """A dialogue in the operator's hands."""
    session = write()
    return conversations.take(session_id=session.pk, by=operator, now=now)


def item_of(session):
    return Item.objects.get(kind="session", subject_id=session.pk)


def newest():
    return Message.objects.order_by("-pk").first()
