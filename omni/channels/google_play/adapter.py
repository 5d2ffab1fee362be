"""Reviews in Google Play as a channel (https://developers.google.com/android-publisher/reply-to-reviews)."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from omni.channels.asking import findings, needs_settings, page
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
from omni.channels.google_play import reading, sending
from omni.channels.google_play.account import FORM
from omni.channels.google_play.client import call


class GooglePlayAdapter:
    """Reviews of the last week are asked for; the store delivers nothing.

    Settings of an account: `package`, `poll_seconds`, `api_base`, `token_address` (addresses), `proxy`, `read_timeout` (seconds).
    Secret: `service_account` (its JSON).
    """

    kind = "google_play"
    form = FORM
    capabilities = sending.CAPABILITIES
    poll_seconds = 1800.0

    def verify(self, event: RawEvent, account: AccountConfig) -> None:
        """Nobody posts here."""
        raise Unverified("this channel has no webhook")

    def event_key(self, event: RawEvent) -> str:
        """`review:<reviewId>:<seconds of the last change>`."""
        return reading.key_of(event)

    def parse(self, event: RawEvent, account: AccountConfig) -> Sequence[Inbound]:
        """One review: its id is the message's, the guest's and the conversation's."""
        return reading.items_of(event)

    def poll(self, account: AccountConfig, cursor: Mapping[str, Any], *, now: datetime) -> Polled:
        """The position is the page's `token` and the versions `seen`."""
        return reading.poll(account, cursor, now=now)

    def fetch(self, attachment: InboundAttachment, account: AccountConfig, *, limit: int) -> bytes:
        """Reviews here have no files."""
        raise AttachmentGone("reviews have no files")

    def send(self, outgoing: Outgoing, account: AccountConfig) -> SendResult:
        """The developer's answer; HTML in it is taken out by the store."""
        return sending.send(outgoing, account)

    def check(self, account: AccountConfig, address: str) -> Sequence[Finding]:
        """Whether the app's reviews open with our key."""

        def question() -> None:
            needs_settings(account, "package")
            page(lambda: call(account, "GET", "", params={"maxResults": 1}))

        return findings(question, _("The reviews of the app open."))
