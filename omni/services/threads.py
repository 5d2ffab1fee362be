"""Which conversation an inbound item answers."""

from collections.abc import Iterator

from django.db.models import QuerySet

from core.text import storable
from customers.models import Identity
from omni.channels.contract import Inbound
from omni.channels.email.threading import read_key
from omni.models import ChannelAccount, Message, Session
from omni.services import conversations

MOST_REFERENCES = 20


def find(*, account: ChannelAccount, identity: Identity, item: Inbound) -> Session | None:
    """The conversation that the item names, locked, in whatever state; None when it names none in which this identity takes part.

    Verified tokens come first, then ids of messages that both sides have. A token or an id never opens a stranger's conversation:
    who quotes it must be the one who takes part (GHSA-6r38-6mcf-2ww3).
    """
    if not item.thread_keys and not item.extra.get("references"):
        return None
    own = Session.objects.filter(account=account, identity=identity)
    for candidates in _candidates(own, item):
        session_id = candidates.order_by("-opened_at").values_list("pk", flat=True).first()
        if session_id is not None:
            return conversations.lock(session_id)
    return None


def _candidates(own: "QuerySet[Session]", item: Inbound) -> "Iterator[QuerySet[Session]]":
    for key in item.thread_keys:
        number = _session_number(key)
        yield own.filter(pk=number) if number else _holding(own, key)
    for reference in list(item.extra.get("references", ()))[:MOST_REFERENCES]:
        yield _holding(own, str(reference))


def _holding(own: "QuerySet[Session]", external_id: str) -> "QuerySet[Session]":
    return own.filter(messages__in=Message.objects.filter(external_id=storable(external_id)[:255])) if external_id else own.none()


def _session_number(key: str) -> int:
    """The session in a signed token; 0 for any other key."""
    try:
        written = read_key(key).session
    except ValueError:
        return 0
    return int(written) if written.isascii() and written.isdigit() and len(written) < 19 else 0
