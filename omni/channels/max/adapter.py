"""MAX as a channel: a bot's webhook in, methods out (https://dev.max.ru/docs-api)."""

import hmac
from collections.abc import Sequence

from omni.channels.contract import AccountConfig, Finding, Inbound, InboundAttachment, Outgoing, RawEvent, SendResult, Unverified
from omni.channels.max import actions, sending, setup, videos
from omni.channels.max.account import FORM
from omni.channels.max.updates import items_of, key_of

SECRET_HEADER = "x-max-bot-api-secret"  # noqa: S105 - the header's name


class MaxAdapter:
    """The MAX Bot API.

    Settings of an account: `api_base`, `proxy`, `read_timeout` (seconds). Secrets: `bot_token`, `webhook_secret`.
    """

    kind = "max"
    form = FORM
    capabilities = sending.CAPABILITIES

    def verify(self, event: RawEvent, account: AccountConfig) -> None:
        """The secret given at the subscription must come back in its header. Without a configured secret nothing is believed."""
        expected, given = account.secrets.get("webhook_secret", ""), event.headers.get(SECRET_HEADER, "")
        if not expected or not hmac.compare_digest(given.encode("utf-8", "replace"), expected.encode("utf-8", "replace")):
            raise Unverified("wrong secret")

    def event_key(self, event: RawEvent) -> str:
        """Type, message and time, else a digest of the body."""
        return key_of(event.body)

    def parse(self, event: RawEvent, account: AccountConfig) -> Sequence[Inbound]:
        """Ids of messages are MAX's own, of all else the event's key."""
        return items_of(event.body, event.received_at)

    def fetch(self, attachment: InboundAttachment, account: AccountConfig, *, limit: int) -> bytes:
        """`ref` is an address or `video:<token>`; cards and places raise AttachmentGone."""
        return videos.fetch(attachment, account, limit=limit)

    def send(self, outgoing: Outgoing, account: AccountConfig) -> SendResult:
        """Text and files; a message with several files may take several calls (see `sending.plan`)."""
        return sending.send(outgoing, account)

    def awaits(self, item: Inbound) -> bool:
        """A pressed button waits until it is answered."""
        return bool(item.extra.get("callback_id"))

    def acknowledge(self, item: Inbound, account: AccountConfig) -> bool:
        """POST /answers: what was chosen is shown to the guest for a moment, since a press leaves nothing in the chat."""
        return actions.answer_callback(account, str(item.extra["callback_id"]), item.text)

    def check(self, account: AccountConfig, address: str) -> Sequence[Finding]:
        """The bot's name, where its events go."""
        return setup.findings(account, address)

    def connect(self, account: AccountConfig, address: str) -> None:
        """Subscribe our address with the account's secret. Raises ConnectFault."""
        setup.subscribe(account, address)

    def renew(self, account: AccountConfig, address: str) -> bool:
        """After 8 hours of failures MAX drops a subscription. Raises ConnectFault."""
        return setup.renew(account, address)
