"""What is known of an event of the Callback API apart from its object."""

from dataclasses import dataclass
from datetime import datetime

from omni.channels.contract import Inbound, InboundKind


@dataclass(frozen=True)
class Arrival:
    """The event's key, its type, the community's number (0 = not told) and when it came."""

    key: str
    kind: str
    group_id: int
    received_at: datetime


def ignored(arrival: Arrival, reason: str) -> Inbound:
    """An item that is shown in the journal and goes no further."""
    return Inbound(InboundKind.IGNORED, f"{arrival.key}:{arrival.kind}", "", arrival.received_at, text=reason)
