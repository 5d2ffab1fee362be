"""Reviews in AppGallery as a channel (https://developer.huawei.com/consumer/en/doc/AppGallery-connect-References)."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from django.utils.translation import gettext as _

from omni.channels.appgallery import reading, sending
from omni.channels.appgallery.account import FORM
from omni.channels.asking import findings
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


class AppGalleryAdapter:
    """Reviews are asked for; the store delivers nothing.

    Settings of an account: `app_id`, `countries`, `poll_seconds`, `api_base` (address), `reviews_path`, `fields` (names in the store's
    answer, by our own: id, text, title, rating, author, date), `proxy`, `read_timeout` (seconds). Secrets: `client_id`, `client_secret`.
    """

    kind = "appgallery"
    form = FORM
    capabilities = sending.CAPABILITIES
    poll_seconds = 900.0

    def verify(self, event: RawEvent, account: AccountConfig) -> None:
        """Nobody posts here."""
        raise Unverified("this channel has no webhook")

    def event_key(self, event: RawEvent) -> str:
        """`review:<id>:<digest>`."""
        return reading.key_of(event)

    def parse(self, event: RawEvent, account: AccountConfig) -> Sequence[Inbound]:
        """One review: its id is the message's, the guest's and the conversation's."""
        return reading.items_of(event, account)

    def poll(self, account: AccountConfig, cursor: Mapping[str, Any], *, now: datetime) -> Polled:
        """The position is the moment to `begin` with, the `page` and the versions `seen`."""
        return reading.poll(account, cursor, now=now)

    def fetch(self, attachment: InboundAttachment, account: AccountConfig, *, limit: int) -> bytes:
        """Reviews here have no files."""
        raise AttachmentGone("reviews have no files")

    def send(self, outgoing: Outgoing, account: AccountConfig) -> SendResult:
        """The developer's answer."""
        return sending.send(outgoing, account)

    def check(self, account: AccountConfig, address: str) -> Sequence[Finding]:
        """Whether the app's reviews open with our key."""
        return findings(lambda: reading.poll(account, {}, now=datetime.now(UTC)), _("The reviews of the app open."))
