"""Tickets to ask about: of a guest of the web chat, in a store that has a mailbox."""

from omni.models import Session
from omni.services import conversations
from tests import builders as b
from tickets.services import opening, topics


def a_mailed_store(number="4217", email="m4217@lukoshko.example"):
    store = b.a_store(number)
    store.email = email
    store.save()
    return store


def a_session(operator, *, now, text="Кефир просрочен, мой номер +7 916 123-45-67", visitor="visitor-1", account=None):
    """A dialogue of the operator with a guest."""
    b.receive(account or b.an_account("webchat"), b.webchat_event(visitor=visitor, text=text), now=now)
    session = Session.objects.latest("pk")
    conversations.take(session_id=session.pk, by=operator, now=now)
    return session


def a_store_case(operator, *, now, store=None, parked=True, **session):
    """A ticket that waits for its store."""
    at_store = b.a_topic("store-matter", store_involved=True, store_required=True)
    topics.forget()
    opened = a_session(operator, now=now, **session)
    case = opening.open_ticket(session_id=opened.pk, topic=at_store, by=operator, store=store or a_mailed_store(), now=now)
    if parked:
        conversations.close(session_id=opened.pk, by=operator, now=now)
    return case
