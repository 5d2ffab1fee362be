"""Who above omni may talk with a guest before a person does, inside the same transaction (registered in AppConfig.ready)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from core.statements import update
from omni.followers import followers
from omni.models import ChannelAccount, Message, Session
from omni.states import SessionState


class Responder(Protocol):
    """Talks with guests by itself. What it says is written later, in transactions of its own (omni.services.attending)."""

    def offered(self, account: ChannelAccount) -> Sequence[tuple[str, str]]:
        """What can be chosen to answer first in the account: code and name of each."""

    def takes(self, session: Session, message: Message, *, now: datetime) -> bool:
        """Whether it answers this word of the guest in the locked session, which no person has; it notes what it has to answer.

        `session.responder` is what talks with the guest already, else empty.
        """

    def on_parted(self, session: Session, *, now: datetime) -> None:
        """A person has the locked session now, or it is parked or closed: nothing more is to be said."""


_responders: list[Responder] = []


def register(responder: Responder) -> None:
    if responder not in _responders:
        _responders.append(responder)


def offered(account: ChannelAccount) -> Sequence[tuple[str, str]]:
    """What can be chosen to answer first in the account: code and name of each."""
    return [one for responder in _responders for one in responder.offered(account)]


def takes(session: Session, message: Message, *, now: datetime) -> bool:
    """Whether a responder answers this word of the guest; `session.responder` then names what does. The session is locked, not saved."""
    if not (session.responder or session.account.answers_first) or session.state != SessionState.WAITING:
        return False
    if any(follower.holds(session) for follower in followers()):
        return False
    for responder in _responders:
        if responder.takes(session, message, now=now):
            session.responder = session.responder or session.account.answers_first
            return True
    part(session, now=now)
    return False


def part(session: Session, *, now: datetime) -> None:
    """The locked session goes on without its responder, if it has one."""
    if not session.responder:
        return
    session.responder = ""
    update(session, "responder")
    for responder in _responders:
        responder.on_parted(session, now=now)
