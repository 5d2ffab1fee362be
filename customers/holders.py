"""Who above customers keeps rows that belong to a guest through an identity: they move inside the merge's own transaction.

Registered in AppConfig.ready, in the order of the house's locks: what belongs to a dialogue before what belongs to a ticket.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from customers.models import Guest


class Holder(Protocol):
    """Keeps rows of guests. `place` is its number in the order of locks (dialogues 10, tickets 20)."""

    place: int

    def count(self, identity_ids: Sequence[int]) -> Mapping[str, int]:
        """How many rows of each kind hang on these identities: what a merge would move."""

    def move(self, identity_ids: Sequence[int], *, guest: Guest, now: datetime) -> Mapping[str, int]:
        """Give all rows of these locked identities to the guest; how many of each kind. Called inside a transaction."""

    def namesakes(self, guest: Guest, *, limit: int) -> Mapping[int, str]:
        """Other guests of the same name who have to do with the same place: guest's id -> the place in words."""


_holders: list[Holder] = []


def register(holder: Holder) -> None:
    if not any(type(known) is type(holder) for known in _holders):
        _holders.append(holder)
        _holders.sort(key=lambda one: one.place)


def holders() -> tuple[Holder, ...]:
    return tuple(_holders)
