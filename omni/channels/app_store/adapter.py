"""Reviews in the App Store as a channel (https://developer.apple.com/documentation/appstoreconnectapi)."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from omni.channels.app_store import reading, sending
from omni.channels.app_store.account import FORM
from omni.channels.asking import findings, needs_settings
from omni.channels.contract import (
    AccountConfig,
    AttachmentGone,
    Finding,
    Inbound,
    InboundAttachment,
    Outgoing,
    Polled,
    RawEvent,
    SendResult,
    Unverified,
)


class AppStoreAdapter:
    """Reviews are asked for; the store delivers nothing.

    Settings of an account: `app_id`, `issuer_id`, `key_id`, `territory`, `poll_seconds`, `api_base` (address), `proxy`, `read_timeout`.
    Secret: `private_key` (the .p8 file).
    """

    kind = "app_store"
    form = FORM
    capabilities = sending.CAPABILITIES
    poll_seconds = 900.0

    def verify(self, event: RawEvent, account: AccountConfig) -> None:
        """Nobody posts here."""
        raise Unverified("this channel has no webhook")

    def event_key(self, event: RawEvent) -> str:
        """`review:<id>:<version>`."""
        return reading.key_of(event)

    def parse(self, event: RawEvent, account: AccountConfig) -> Sequence[Inbound]:
        """One review: its id is the message's, the guest's and the conversation's; then the fate of our response."""
        return reading.items_of(event)

    def poll(self, account: AccountConfig, cursor: Mapping[str, Any], *, now: datetime) -> Polled:
        """The position is the `page`, the versions `seen` and when all pages were looked through last."""
        return reading.poll(account, cursor, now=now)

    def fetch(self, attachment: InboundAttachment, account: AccountConfig, *, limit: int) -> bytes:
        """Reviews here have no files."""
        raise AttachmentGone("reviews have no files")

    def send(self, outgoing: Outgoing, account: AccountConfig) -> SendResult:
        """The developer's response."""
        return sending.send(outgoing, account)

    def check(self, account: AccountConfig, address: str) -> Sequence[Finding]:
        """Whether the app's reviews open with our key."""

        def question() -> None:
            needs_settings(account, *reading.NEEDED)
            reading.asked(account, 1)

        return findings(question, _("The reviews of the app open."))
