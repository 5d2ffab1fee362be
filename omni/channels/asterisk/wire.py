"""A connection to an exchange as its listener uses it, whichever interface it is."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Protocol

from omni.channels.asterisk.account import AMI
from omni.channels.asterisk.ami import AmiWire
from omni.channels.asterisk.ari import AriWire
from omni.channels.asterisk.faults import ExchangeFault
from omni.channels.contract import AccountConfig
from omni.channels.http import Allow

__all__ = ["Allow", "ExchangeFault", "Wire", "open_wire"]


class Wire(Protocol):
    """Every method raises ExchangeFault."""

    def next(self, seconds: float) -> bytes | None:
        """The next event as it came; None when none came in time."""

    def seen(self) -> Mapping[str, bytes]:
        """The channels there are now, each with an event that tells of it."""

    def gone(self, leg: str, call: str, at: datetime) -> bytes:
        """An event that says that this channel of this call is no longer there."""


def open_wire(account: AccountConfig) -> AbstractContextManager[Wire]:
    """The account's interface, connected while entered. Entering raises ExchangeFault."""
    return AmiWire(account) if account.settings.get("interface") == AMI else AriWire(account)
