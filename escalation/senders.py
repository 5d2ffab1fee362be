"""Who carries a notice out of the house: filled by apps above, or by escalation itself for calls of other systems.

A channel without a sender loses nothing: its notices wait as rows, and go out once somebody registers.
"""

from dataclasses import dataclass, field
from typing import Any, Protocol

from escalation.states import DeliveryState


@dataclass(frozen=True)
class Letter:
    """One notice, or several to the same address in one. `key` is the same at each try.

    `address` is the channel's: a mailbox, an E.164 number, a token, `telegram:12345`; for errands what the step names.
    `details` hold what a program wants: run, subject, line, level.
    """

    key: str
    channel: str
    address: str
    heading: str
    text: str
    details: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Outcome:
    """What became of a try. `state` None = it could not be said: try again, perhaps it did arrive (`unknown`).

    `after` seconds as the other side asked, None = our own back-off.
    """

    state: DeliveryState | None
    external_id: str = ""
    error: str = ""
    after: float | None = None
    unknown: bool = False


class Sender(Protocol):
    def send(self, letter: Letter) -> Outcome | None:
        """Hand the letter over. None = nothing is set up to send it (no account): it waits. Never raises for the other side's faults."""


_senders: dict[str, Sender] = {}


def register(channel: str, sender: Sender) -> None:
    """One sender a channel; a later one takes its place."""
    _senders[str(channel)] = sender


def sender_of(channel: str) -> Sender | None:
    return _senders.get(str(channel))
