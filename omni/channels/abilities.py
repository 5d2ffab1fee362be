"""What a channel may be able to do besides its `Adapter`: one protocol for each, asked for with isinstance."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol, runtime_checkable

from omni.channels.contract import AccountConfig, Finding, Inbound, Outgoing, Polled, RawEvent, WebhookReply


@runtime_checkable
class Greeting(Protocol):
    """A provider that makes sure of our address before it delivers there."""

    def greet(self, event: RawEvent, method: str, account: AccountConfig) -> WebhookReply | None:
        """The answer to a handshake; None = an ordinary event. Raises Unverified. `method` is GET or POST."""


@runtime_checkable
class Replying(Protocol):
    """A provider that wants more than an empty 200 for an event that was kept."""

    def reply(self, event: RawEvent, account: AccountConfig) -> WebhookReply:
        """The answer to a verified and kept event. Never raises."""


@runtime_checkable
class Acknowledging(Protocol):
    """A provider that waits for a small call once some of its items were taken (a pressed button that spins until then)."""

    def awaits(self, item: Inbound) -> bool:
        """Whether the provider waits for a call about this item."""

    def acknowledge(self, item: Inbound, account: AccountConfig) -> bool:
        """Make the call; whether the provider took it. Nothing depends on it, so it is not tried again. Never raises."""


@runtime_checkable
class PartlyPublic(Protocol):
    """A channel whose account hears private dialogues as well as what people say in public."""

    def is_private(self, guest_external_id: str) -> bool:
        """Whether what is said with this guest stays between him and us: who speaks in public has an id of another make."""


@runtime_checkable
class PartlyAnswerable(Protocol):
    """A channel whose account hears what it cannot answer from here besides what it can."""

    def is_answerable(self, guest_external_id: str) -> bool:
        """Whether this guest can be answered: who cannot has an id of another make."""


@runtime_checkable
class Forgetting(Protocol):
    """A provider that gives our address up when deliveries fail for long, and says nothing of it."""

    def renew(self, account: AccountConfig, address: str) -> bool:
        """Tell it the address again if it has none of ours; whether it had to be told. Raises ConnectFault."""


@runtime_checkable
class Polling(Protocol):
    """A provider that must be asked. What it says goes through the journal like a webhook's event."""

    poll_seconds: float
    """How often to ask; the account's setting `poll_seconds` overrides it."""

    def poll(self, account: AccountConfig, cursor: Mapping[str, Any], *, now: datetime) -> Polled:
        """What is new since `cursor` (plain JSON, {} at first). Repeats are harmless. Raises PollFault."""


@runtime_checkable
class Tracking(Protocol):
    """A provider that can be asked what became of one send: whose status got lost, or who never answered."""

    def reference(self, outgoing: Outgoing, account: AccountConfig) -> str:
        """Our own id of the send, under which the provider tells of it even when its answer never came."""

    def track(self, external_ids: Sequence[str], recipient: str, account: AccountConfig) -> Inbound | None:
        """The STATUS item of a send; None = the provider knows nothing new. Raises PollFault."""


@runtime_checkable
class Naming(Protocol):
    """A provider whose events do not tell who the guest is, but who can be asked."""

    def name_of(self, guest_external_id: str, account: AccountConfig) -> str:
        """The guest's name as the provider shows it; empty if it does not say. Never raises."""


@runtime_checkable
class Waking(Protocol):
    """A provider whose events only say that there is something to ask for (`Polling`)."""

    def wakes(self, event: RawEvent, account: AccountConfig) -> bool:
        """Whether the provider is to be asked now, because of a verified and kept event. Never raises."""


@runtime_checkable
class Checking(Protocol):
    """A channel whose connection can be tried."""

    def check(self, account: AccountConfig, address: str) -> Sequence[Finding]:
        """Try the account; nothing is changed at the provider. `address` is our webhook's. Faults are findings, none is raised."""


@runtime_checkable
class Connecting(Protocol):
    """A provider that can be told by a call where to deliver."""

    def connect(self, account: AccountConfig, address: str) -> None:
        """Have the provider deliver to `address`. Raises ConnectFault."""
