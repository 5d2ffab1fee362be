"""Waking the visitors of our own chats, on sites and in the app: their sockets and polls read the truth from the database."""

import uuid

from django.db import transaction

from core.live import tell_now
from omni.models import ChannelAccount, Session

KINDS = frozenset({"webchat", "mobile"})
"""Channels whose guests talk to our own API (omni.chat)."""


def contact_id(account_id: uuid.UUID, visitor: str) -> uuid.UUID:
    """The public id of a visitor: the same for ever, known before the first message (a name-based UUID, RFC 9562, 5.5)."""
    return uuid.uuid5(account_id, visitor)


def group_of(account_id: uuid.UUID, visitor: str) -> str:
    """The channel layer's group of a visitor's sockets."""
    return f"visitor.{contact_id(account_id, visitor).hex}"


def wake(session: Session) -> None:
    """After commit, tell the session's visitor to look for news; other channels have no visitors."""
    if session.account.kind in KINDS:
        wake_visitor(account=session.account, visitor=session.identity.external_id)


def wake_visitor(*, account: ChannelAccount, visitor: str) -> None:
    group = group_of(account.public_id, visitor)
    transaction.on_commit(lambda: tell_now(group, {"kind": "wake"}))
