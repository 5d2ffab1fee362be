"""Who above omni takes part in a conversation, inside the same transaction (registered in AppConfig.ready)."""

from datetime import datetime
from typing import Protocol

from omni.models import Message, Session


class Follower(Protocol):
    """Takes part in conversations: is told of each message before the commit, so nothing is lost between two apps."""

    def holds(self, session: Session) -> bool:
        """Whether the guest's next message belongs to this follower instead of the operators' queue."""

    def on_inbound(self, session: Session, message: Message, *, now: datetime) -> None:
        """A guest's message has joined the session."""

    def on_answered(self, session: Session, message: Message, *, now: datetime) -> None:
        """A person's answer has been written to the guest."""

    def on_sent(self, session: Session, message: Message, *, now: datetime) -> None:
        """The channel has taken the answer."""

    def on_unanswered(self, session: Session, message: Message, *, now: datetime) -> None:
        """The answer never reached the guest, who waits again since `session.waiting_since`."""

    def on_parked(self, session: Session, *, now: datetime) -> None:
        """The operator has left the conversation to this follower; `session.waiting_since` tells whether the guest waits."""

    def on_returned(self, session: Session, *, now: datetime) -> None:
        """The guest's first word of a dialogue that has begun anew; whoever takes it up parks the session."""

    def on_reopened(self, session: Session, *, now: datetime) -> None:
        """A closed session goes on because the guest came back."""


_followers: list[Follower] = []


def register(follower: Follower) -> None:
    if follower not in _followers:
        _followers.append(follower)


def followers() -> tuple[Follower, ...]:
    return tuple(_followers)
