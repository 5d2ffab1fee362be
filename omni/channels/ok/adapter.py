"""Odnoklassniki as a channel: a group's messages (https://apiok.ru/dev/graph_api/)."""

import hmac
from collections.abc import Sequence

from omni.channels.contract import AccountConfig, Finding, Inbound, InboundAttachment, Outgoing, RawEvent, SendResult, Unverified
from omni.channels.ok import sending, setup
from omni.channels.ok.account import FORM
from omni.channels.ok.client import DEFAULT_BASE
from omni.channels.ok.updates import items_of, key_of
from omni.channels.social import files


class OkAdapter:
    """The graph API of a group. The vendor gives a webhook 5 seconds; keeping the event is all that is done in them.

    Settings of an account: `api_base`, `proxy`, `read_timeout`, `upload_pause` (seconds). Secrets: `access_token`, `webhook_secret`.
    """

    kind = "ok"
    form = FORM
    capabilities = sending.CAPABILITIES

    def verify(self, event: RawEvent, account: AccountConfig) -> None:
        """The vendor signs nothing: our secret in the address must be the account's. Without a configured one nothing is believed."""
        expected, given = account.secrets.get("webhook_secret", ""), event.query.get(setup.SECRET_FIELD, "")
        if not expected or not hmac.compare_digest(given.encode("utf-8", "replace"), expected.encode("utf-8", "replace")):
            raise Unverified("wrong secret")

    def event_key(self, event: RawEvent) -> str:
        """Type and message or button, else a digest of the body."""
        return key_of(event.body)

    def parse(self, event: RawEvent, account: AccountConfig) -> Sequence[Inbound]:
        """Ids of messages are the vendor's own, of all else the event's key."""
        return items_of(event.body, event.received_at)

    def fetch(self, attachment: InboundAttachment, account: AccountConfig, *, limit: int) -> bytes:
        """`ref` is an address; cards and places raise AttachmentGone."""
        return files.fetch(attachment, account, base=DEFAULT_BASE, limit=limit)

    def send(self, outgoing: Outgoing, account: AccountConfig) -> SendResult:
        """One message with its files."""
        return sending.send(outgoing, account)

    def check(self, account: AccountConfig, address: str) -> Sequence[Finding]:
        """Whether the key is good and events come to our address."""
        return setup.findings(account, address)

    def connect(self, account: AccountConfig, address: str) -> None:
        """Subscribe our address with its secret; after 8 hours of failures the vendor may forget it. Raises ConnectFault."""
        setup.subscribe(account, address)

    def renew(self, account: AccountConfig, address: str) -> bool:
        """After 8 hours of failures Odnoklassniki may forget a subscription. Raises ConnectFault."""
        return setup.renew(account, address)
