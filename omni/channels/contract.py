"""What a channel is to the rest of omni: its abilities, what comes in, what goes out.

Pure types: no ORM, no network. One adapter per folder implements `Adapter`; `registry` maps a channel's kind to it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol

from omni.channels.account_form import KindForm
from omni.channels.keyboards import Keyboard


@dataclass(frozen=True)
class Capabilities:
    """What a channel can do. Sizes in bytes, texts in characters, None = no limit known."""

    text_limit: int | None = None
    caption_limit: int | None = None
    attachments: bool = False
    attachment_bytes: int | None = None
    attachments_per_message: int = 1
    reply_window: timedelta | None = None
    templates: bool = False
    """`Outgoing.template` is understood."""
    edits: bool = False
    typing: bool = False
    delivery_receipts: bool = False
    read_receipts: bool = False
    idempotent_send: bool = False
    """The provider recognises a repeated send by our key, so a retry after an unknown outcome is safe."""
    tells_our_key: bool = False
    """The provider tells of a send under `Outgoing.key` (`our_key` in the `extra` of a STATUS), also when its answer never came."""
    subject: bool = False
    per_second: float | None = None
    """Sends that the provider allows for one account; the account's own setting overrides it."""
    per_chat_per_second: float | None = None
    """The same towards one guest: 1 = a message a second, 0.2 = one in five seconds."""
    undo_seconds: int = 0
    """How long a send is held back so that the operator can take it back."""
    private: bool = False
    """Whatever is said here stays between the guest and us: no comment under a post, no review. Machines talk nowhere else.
    Channels that hear both implement `abilities.PartlyPublic`."""
    keyboards: Sequence[Keyboard] = ()
    """The forms in which ready answers are shown as buttons, the best first; where none fits they are written as numbered lines."""
    asks_phone: bool = False
    """A button can ask the guest to share the own telephone number, which the channel then vouches for."""
    notices_only: bool = False
    """Nobody can write to us here: only `omni.services.notices` sends, and what may have been taken is never sent again."""


class InboundKind(StrEnum):
    """What an inbound item does to the conversation."""

    MESSAGE = "message"
    EDIT = "edit"
    DELETE = "delete"
    OUTSIDE = "outside"
    """An answer that somebody of ours gave in the provider's own pages; `guest_external_id` is whom it was given to."""
    STATUS = "status"
    READ_UNTIL = "read_until"
    """The guest has read all that had been sent to him until `sent_at`; no message is named."""
    BLOCKED = "blocked"
    UNBLOCKED = "unblocked"
    MOVED = "moved"
    """The channel says that the guest has another number: `phone`, `conversation`, and `extra["moved_to"]` if the id went with it."""
    CALL = "call"
    """A step of a telephone call; `call` says which."""
    TEMPLATE = "template"
    """A text for when the window is over got another state: `external_id` names it, `extra` has `language`, `fate`, `reason`."""
    AUTO_REPLY = "auto_reply"
    BOUNCE = "bounce"
    IGNORED = "ignored"


class AttachmentKind(StrEnum):
    IMAGE = "image"
    VIDEO = "video"
    AUDIO = "audio"
    VOICE = "voice"
    DOCUMENT = "document"
    STICKER = "sticker"
    LOCATION = "location"
    CONTACT = "contact"


@dataclass(frozen=True)
class InboundAttachment:
    """A file of an inbound message. `ref` is the provider's file id or an address; `data` is set when the bytes came along."""

    kind: AttachmentKind
    ref: str
    name: str = ""
    mime: str = ""
    size: int | None = None
    data: bytes | None = None
    content_id: str = ""


class DeliveryState(StrEnum):
    SENT = "sent"
    DELIVERED = "delivered"
    READ = "read"
    FAILED = "failed"


@dataclass(frozen=True)
class Inbound:
    """One thing an event turns into. `external_id` is unique within the channel account.

    `sent_at` is the provider's time (aware UTC), of an EDIT that of the message it changes (`edited_at` = when it was changed),
    `sequence` orders items of one instant, `album` joins parts of one post,
    `thread_keys` are our own outgoing message ids or tokens the item refers to, most trusted first.
    For STATUS items `external_id` is the provider's id of our message and `state`, `error` tell its fate.
    """

    kind: InboundKind
    external_id: str
    guest_external_id: str
    sent_at: datetime
    guest_name: str = ""
    text: str = ""
    attachments: Sequence[InboundAttachment] = ()
    sequence: int = 0
    album: str = ""
    reply_to: str = ""
    subject: str = ""
    html: str = ""
    visible_text: str = ""
    """The text without quotes and signature; empty = the whole text."""
    thread_keys: Sequence[str] = ()
    state: DeliveryState | None = None
    error: str = ""
    phone: str = ""
    """A telephone number the provider vouches for (E.164), else empty."""
    email: str = ""
    """The sender's address as the item says it. Anybody can write any sender: it verifies nobody."""
    signed: bool = False
    """The site's own server has signed who the guest is (`guest_external_id` is its customer's id)."""
    machine: str | None = None
    edited_at: datetime | None = None
    conversation: str = ""
    """Where to answer: chat id, address. Empty = guest_external_id."""
    call: "CallStep | None" = None
    extra: Mapping[str, Any] = field(default_factory=dict)


class CallKind(StrEnum):
    """The steps of a call, in the words of every telephone exchange."""

    RINGING = "ringing"
    QUEUED = "queued"
    ANSWERED = "answered"
    HOLD = "hold"
    TRANSFER = "transfer"
    ENDED = "ended"
    MISSED = "missed"
    RECORDING_READY = "recording_ready"
    DTMF = "dtmf"


@dataclass(frozen=True)
class CallStep:
    """One step of a telephone call. `call_key` names the whole call, `leg_key` one leg of it; a lower `sequence` of a leg is out of date.

    Numbers are E.164, empty when withheld; `duration`, `wait` in seconds; `recording` is the exchange's reference, the sound stays there.
    """

    kind: CallKind
    call_key: str
    leg_key: str
    sequence: int
    at: datetime
    inbound: bool = True
    caller: str = ""
    called: str = ""
    extension: str = ""
    """The operator's telephone in the exchange."""
    queue: str = ""
    duration: int | None = None
    wait: int | None = None
    reason: str = ""
    recording: str = ""
    digits: str = ""
    reconciled: bool = False
    """Told by the exchange's own history, not by its notice: it fills what was never heard, and changes no call whose end is known."""


@dataclass(frozen=True)
class RawEvent:
    """An event as it arrived: exact bytes, lower-case header names."""

    body: bytes
    headers: Mapping[str, str]
    received_at: datetime
    query: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class AccountConfig:
    """What an adapter may know of its channel account. `settings` are open values, `secrets` are decrypted ones."""

    id: str
    kind: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)


class Unverified(Exception):
    """The signature or secret of an event is wrong: answer 403, keep nothing as the guest's word."""


class Unreadable(Exception):
    """The event cannot be understood (not JSON, wrong shape): it is kept in the journal with this reason."""


@dataclass(frozen=True)
class OutgoingFile:
    name: str
    mime: str
    data: bytes


@dataclass(frozen=True)
class Template:
    """A text that the provider has approved beforehand: it may be sent when the reply window is over.

    `language` as the provider codes it (`ru`, `en_US`); `parameters` fill the places in the text, in their order.
    """

    name: str
    language: str
    parameters: Sequence[str] = ()


@dataclass(frozen=True)
class Outgoing:
    """One message to a guest. `key` identifies the message for ever: the same key is the same message.

    `recipient` is where to answer (chat id, address); `reply_to` the provider's id of the message answered.
    With a `template` that is what goes out; `text` is then only what our own feed shows of it.
    """

    key: str
    recipient: str
    text: str
    files: Sequence[OutgoingFile] = ()
    reply_to: str = ""
    subject: str = ""
    references: Sequence[str] = ()
    token: str = ""
    automatic: bool = False
    already_sent: Sequence[str] = ()
    """The provider's ids of parts that an earlier attempt got through (`Retry.sent`); they are not sent again."""
    template: Template | None = None
    choices: Sequence[str] | None = None
    """Ready answers to show as buttons; none = buttons shown before go away, None = they stay as they are."""
    asks_phone: bool = False
    """Show a button by which the guest shares the own telephone number."""
    data: Mapping[str, str] = field(default_factory=dict)
    """What an app is to open when its owner touches a push notice; other channels have no place for it."""


@dataclass(frozen=True)
class Sent:
    """The provider took the message. `external_ids` are its ids, the first is the message's own."""

    external_ids: Sequence[str]
    state: DeliveryState = DeliveryState.SENT


@dataclass(frozen=True)
class Retry:
    """A temporary fault. `after` seconds as the provider asked, None = our own back-off.

    `unknown` = the provider may have taken it (time-out after the request was written).
    `sent` = ids of the parts that did get through, when a message takes several calls.
    `whole_account` = the provider throttles the account, not this chat.
    """

    code: str
    text: str
    after: float | None = None
    unknown: bool = False
    whole_account: bool = False
    sent: Sequence[str] = ()


class Reason(StrEnum):
    """Why a send failed for good, in the platform's words."""

    REJECTED = "rejected"
    TOO_LONG = "too_long"
    CONTACT_BLOCKED = "contact_blocked"
    CONTACT_GONE = "contact_gone"
    WINDOW_CLOSED = "window_closed"
    ACCOUNT_REFUSED = "account_refused"
    GAVE_UP = "gave_up"


@dataclass(frozen=True)
class Failed:
    """A permanent fault: the same send would fail again."""

    code: str
    text: str
    reason: Reason = Reason.REJECTED
    sent: Sequence[str] = ()


SendResult = Sent | Retry | Failed


@dataclass(frozen=True)
class WebhookReply:
    """What a provider expects as the answer to its event."""

    status: int = 200
    body: bytes = b"{}"
    content_type: str = "application/json"


@dataclass(frozen=True)
class Finding:
    """One thing that was tried about an account: whether it works, and the sentence for the person."""

    works: bool
    text: str


class ConnectFault(Exception):
    """The provider did not take our webhook's address; the text is fit for the administrator and tells no secret."""


class PollFault(Exception):
    """The provider could not be asked; the text is fit for the administrator and tells no secret.

    `after` seconds as the provider asked, None = our own back-off; `refused` = it no longer knows our keys.
    """

    def __init__(self, text: str, *, after: float | None = None, refused: bool = False) -> None:
        super().__init__(text)
        self.after, self.refused = after, refused


@dataclass(frozen=True)
class Polled:
    """What one question brought: events for the journal, and where to go on. `more` = ask again at once."""

    events: Sequence[RawEvent]
    cursor: Mapping[str, Any]
    more: bool = False
    heals: bool = True
    """A question that worked shows that the account works. False = nobody was asked, or with another key than messages go by."""


class Adapter(Protocol):
    """A channel's wire. Stateless; may be shared between threads. Called with a decrypted account.

    A channel that can do more implements protocols of `abilities` besides: `Greeting`, `Replying`, `Polling`,
    `Waking`, `Checking`, `Connecting`, `Tracking`, `Naming`.
    """

    kind: str
    capabilities: Capabilities
    form: KindForm
    """The settings and secrets of the kind's accounts, as the admin panel asks for them."""

    def verify(self, event: RawEvent, account: AccountConfig) -> None:
        """Check that the event is the provider's own, over the raw bytes. Raises Unverified."""

    def event_key(self, event: RawEvent) -> str:
        """The provider's id of the whole event, for the journal's unique key. Never raises: unreadable bodies get a digest."""

    def parse(self, event: RawEvent, account: AccountConfig) -> Sequence[Inbound]:
        """All items of the event, in their order. Raises Unreadable."""

    def fetch(self, attachment: InboundAttachment, account: AccountConfig, *, limit: int) -> bytes:
        """The bytes of an attachment, at most `limit`. Raises AttachmentTooLarge, AttachmentGone, httpx.TransportError."""

    def send(self, outgoing: Outgoing, account: AccountConfig) -> SendResult:
        """Hand one message to the provider. Never raises for the provider's faults."""


class AttachmentTooLarge(Exception):
    """The file is over the limit; nothing of it was kept."""


class AttachmentGone(Exception):
    """The provider does not have the file any more."""
