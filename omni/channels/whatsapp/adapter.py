"""WhatsApp as a channel (Cloud API, https://developers.facebook.com/docs/whatsapp/cloud-api)."""

from collections.abc import Sequence

from omni.channels.contract import AccountConfig, Finding, Inbound, InboundAttachment, Outgoing, RawEvent, SendResult, WebhookReply
from omni.channels.meta.webhooks import handshake, key_of, verify_signature
from omni.channels.templates import ListedTemplate
from omni.channels.whatsapp import files, sending, setup, templates
from omni.channels.whatsapp.account import FORM
from omni.channels.whatsapp.planning import CAPABILITIES
from omni.channels.whatsapp.updates import items_of


class WhatsAppAdapter:
    """The Cloud API: webhook in, Graph API out.

    Settings of an account: `phone_number_id`, `business_account_id`, `api_version`, `api_base`, `proxy`, `read_timeout` (seconds).
    Secrets: `access_token`, `app_secret`, `verify_token`.
    """

    kind = "whatsapp"
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
        """Ids of messages and statuses are WhatsApp's own (`wamid.`); the guest's is the business-scoped user id, else wa_id."""
        return items_of(event.body, event.received_at, str(account.settings.get("phone_number_id") or ""))

    def fetch(self, attachment: InboundAttachment, account: AccountConfig, *, limit: int) -> bytes:
        """`ref` is a media id; attachments of the kinds location and contact have no file and raise AttachmentGone."""
        return files.fetch(attachment, account, limit=limit)

    def send(self, outgoing: Outgoing, account: AccountConfig) -> SendResult:
        """A text, files (each a message of its own) or a template; statuses come with `biz_opaque_callback_data` = `key`."""
        return sending.send(outgoing, account)

    def list_templates(self, account: AccountConfig) -> Sequence[ListedTemplate]:
        """GET of the business account's message_templates, page by page. Raises PollFault."""
        return templates.listed(account)

    def check(self, account: AccountConfig, address: str) -> Sequence[Finding]:
        """The number's name, where its webhook leads, its quality."""
        return setup.findings(account, address)

    def connect(self, account: AccountConfig, address: str) -> None:
        """Subscribe the app and set the number's own webhook address. Raises ConnectFault."""
        setup.connect(account, address)
