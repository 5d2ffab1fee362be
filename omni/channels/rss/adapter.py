"""Review sources that publish RSS or Atom as a channel: read only."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from django.utils.translation import gettext as _

from omni.channels.asking import findings
from omni.channels.contract import (
    AccountConfig,
    AttachmentGone,
    Capabilities,
    Failed,
    Finding,
    Inbound,
    InboundAttachment,
    Outgoing,
    Polled,
    RawEvent,
    SendResult,
    Unverified,
)
from omni.channels.rss import reading
from omni.channels.rss.account import FORM


class RssAdapter:
    """One feed for each account.

    Settings of an account: `feed` (address), `source` (name), `poll_seconds`, `inner_host` (address), `proxy`, `read_timeout` (seconds).
    """

    kind = "rss"
    form = FORM
    capabilities = Capabilities(text_limit=0)
    poll_seconds = 900.0

    def verify(self, event: RawEvent, account: AccountConfig) -> None:
        """Nobody posts here."""
        raise Unverified("this channel has no webhook")

    def event_key(self, event: RawEvent) -> str:
        """`entry:<id>:<version>`."""
        return reading.key_of(event)

    def parse(self, event: RawEvent, account: AccountConfig) -> Sequence[Inbound]:
        """One entry: its id is the message's, the guest's and the conversation's."""
        return reading.items_of(event)

    def poll(self, account: AccountConfig, cursor: Mapping[str, Any], *, now: datetime) -> Polled:
        """The position is the feed's `etag` and `modified`, and the versions `seen`."""
        return reading.poll(account, cursor, now=now)

    def fetch(self, attachment: InboundAttachment, account: AccountConfig, *, limit: int) -> bytes:
        """Entries have no files."""
        raise AttachmentGone("entries of a feed have no files")

    def send(self, outgoing: Outgoing, account: AccountConfig) -> SendResult:
        """A feed cannot be answered."""
        return Failed("cannot_be_answered", _("This source cannot be answered from here; the answer must be written on its own site."))

    def check(self, account: AccountConfig, address: str) -> Sequence[Finding]:
        """Whether the feed opens and is one."""
        return findings(lambda: reading.poll(account, {}, now=datetime.now(UTC)), _("The feed opens."))
