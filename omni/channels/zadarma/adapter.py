"""Calls of Zadarma (https://zadarma.com/en/support/api/): signed notices in, signed questions out."""

from collections.abc import Sequence

from omni.channels.contract import AccountConfig, Failed, Finding, Inbound, InboundAttachment, RawEvent, Retry, Sent, WebhookReply
from omni.channels.telephony.exchange import Exchange
from omni.channels.zadarma import api, signing
from omni.channels.zadarma.account import FORM
from omni.channels.zadarma.events import Reading, items_of, key_of

LONGEST_ECHO = 256


class ZadarmaAdapter(Exchange):
    """Settings: `time_zone` of the exchange's clock, `extension_digits`. Secrets: `api_key`, `api_secret`."""

    kind = "zadarma"
    form = FORM

    def greet(self, event: RawEvent, method: str, account: AccountConfig) -> WebhookReply | None:
        """`?zd_echo=x` is answered with x before the first notice."""
        echo = event.query.get("zd_echo", "")
        if method != "GET" or not echo:
            return None
        # As text: nobody may have a page of ours show what he wrote.
        return WebhookReply(body=echo[:LONGEST_ECHO].encode("utf-8", "replace"), content_type="text/plain; charset=utf-8")

    def verify(self, event: RawEvent, account: AccountConfig) -> None:
        signing.verify(event, account)

    def event_key(self, event: RawEvent) -> str:
        return key_of(event.body)

    def parse(self, event: RawEvent, account: AccountConfig) -> Sequence[Inbound]:
        return items_of(event.body, Reading.of(account, event.received_at))

    def fetch(self, attachment: InboundAttachment, account: AccountConfig, *, limit: int) -> bytes:
        """`ref` is a call_id_with_rec."""
        return api.recording(account, attachment.ref, limit=limit)

    def call_back(self, account: AccountConfig, *, extension: str, number: str, key: str) -> Sent | Retry | Failed:
        return api.call_back(account, extension=extension, number=number, key=key)

    def check(self, account: AccountConfig, address: str) -> Sequence[Finding]:
        return api.findings(account)
