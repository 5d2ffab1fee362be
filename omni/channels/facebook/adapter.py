"""A Facebook page as a channel: Messenger and the comments of the page's feed (developers.facebook.com/docs/messenger-platform)."""

from collections.abc import Sequence

from omni.channels.contract import (
    AccountConfig,
    AttachmentGone,
    Finding,
    Inbound,
    InboundAttachment,
    Outgoing,
    RawEvent,
    SendResult,
    WebhookReply,
)
from omni.channels.facebook import feed, sending, setup
from omni.channels.facebook.account import FORM
from omni.channels.facebook.planning import CAPABILITIES
from omni.channels.facebook.updates import items_of
from omni.channels.meta.files import fetch_address
from omni.channels.meta.webhooks import handshake, key_of, verify_signature


class FacebookAdapter:
    """Webhook in, Graph API out.

    Settings of an account: `page_id`, `human_agent`, `api_version`, `api_base`, `proxy`, `read_timeout` (seconds).
    Secrets: `access_token` (the page's), `app_secret`, `verify_token`.
    """

    kind = "facebook"
    form = FORM
    capabilities = CAPABILITIES

    def verify(self, event: RawEvent, account: AccountConfig) -> None:
        """X-Hub-Signature-256 under `app_secret`."""
        verify_signature(event, account)

    def greet(self, event: RawEvent, method: str, account: AccountConfig) -> WebhookReply | None:
        """The handshake of the webhook's address: `hub.challenge` for the one who knows `verify_token`."""
        return handshake(event, method, account)

    def event_key(self, event: RawEvent) -> str:
        """A digest of the body: Meta repeats an event with the same bytes."""
        return key_of(event.body)

    def parse(self, event: RawEvent, account: AccountConfig) -> Sequence[Inbound]:
        """Ids are Facebook's own: `mid` of a message, id of a comment or post; a guest of the feed is `feed:<id>`."""
        return items_of(event.body, event.received_at, str(account.settings.get("page_id") or ""))

    def is_private(self, guest_external_id: str) -> bool:
        """Messenger is private; who comments in the feed has an id of `feed:`."""
        return not guest_external_id.startswith(feed.GUEST)

    def fetch(self, attachment: InboundAttachment, account: AccountConfig, *, limit: int) -> bytes:
        """`ref` is an address that Facebook signed for a while; it needs no token of ours."""
        if not attachment.ref.startswith(("https://", "http://")):
            raise AttachmentGone(f"{attachment.kind} has no file")
        return fetch_address(attachment.ref, account, limit=limit)

    def send(self, outgoing: Outgoing, account: AccountConfig) -> SendResult:
        """A recipient `comment:<id>` gets a public comment under his own, any other a message in Messenger."""
        return sending.send(outgoing, account)

    def check(self, account: AccountConfig, address: str) -> Sequence[Finding]:
        """The page's name and what our app hears of it."""
        return setup.findings(account, address)

    def connect(self, account: AccountConfig, address: str) -> None:
        """Subscribe our app to the page. Raises ConnectFault."""
        setup.connect(account, address)

    def name_of(self, guest_external_id: str, account: AccountConfig) -> str:
        """First and last name of who writes in Messenger; empty for guests of the feed, whom events name themselves. Asks the API."""
        return setup.name_of(guest_external_id, account)
