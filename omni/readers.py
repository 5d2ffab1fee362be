"""Who above omni may know a guest's message for the answer to something it asked (registered in AppConfig.ready)."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from customers.models import Identity
from omni.models import ChannelAccount, Message, Session


@dataclass(frozen=True)
class Reading:
    """What a message is. `keep` is called with it in its transaction.

    `session` = the dialogue in which it was asked, locked: the answer stays there and gives nobody work. None = it is for people, too,
    and goes the way of every message.
    """

    keep: Callable[[Message], None]
    session: Session | None = None


class Reader(Protocol):
    def read(self, *, identity: Identity, account: ChannelAccount, text: str, now: datetime) -> Reading | None:
        """What the text is; None = a message like any other. Called for each word of a guest, under the identity's lock: be quick."""


_readers: list[Reader] = []


def register(reader: Reader) -> None:
    if reader not in _readers:
        _readers.append(reader)


def read(*, identity: Identity, account: ChannelAccount, text: str, now: datetime) -> Reading | None:
    """The first reader's word."""
    for reader in _readers:
        if found := reader.read(identity=identity, account=account, text=text, now=now):
            return found
    return None
