"""What omni tells, after commit."""

from dataclasses import dataclass


@dataclass(frozen=True)
class MessageReceived:
    message_id: int
    session_id: int
    guest_id: int


@dataclass(frozen=True)
class SessionClosed:
    session_id: int


@dataclass(frozen=True)
class SendFailed:
    """A message to a guest will not be sent; `author_id` should know."""

    message_id: int
    author_id: int | None
