"""Calls of Zadarma (https://zadarma.com/en/support/api/): signed notices in, signed questions out."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from omni.channels.contract import (
    AccountConfig,
    Failed,
    Finding,
    Inbound,
    InboundAttachment,
    Polled,
    RawEvent,
    Retry,
    Sent,
    WebhookReply,
)
from omni.channels.telephony import history as telephony_history
from omni.channels.telephony.exchange import Exchange
from omni.channels.zadarma import api, history, signing
from omni.channels.zadarma.account import FORM
from omni.channels.zadarma.events import Reading, items_of, key_of

LONGEST_ECHO = 256


class ZadarmaAdapter(Exchange):
    """Settings: `time_zone` of the exchange's clock, `extension_digits`. Secrets: `api_key`, `api_secret`."""

    kind = "zadarma"
    form = FORM
    poll_seconds = telephony_history.POLL_SECONDS

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
        return telephony_history.key_of(event.body) or key_of(event.body)

    def parse(self, event: RawEvent, account: AccountConfig) -> Sequence[Inbound]:
        reading = Reading.of(account, event.received_at)
        if (told := telephony_history.call_of(event.body)) is not None:
            return telephony_history.items(history.steps_of(told, reading, account))
        return items_of(event.body, reading)

    def poll(self, account: AccountConfig, cursor: Mapping[str, Any], *, now: datetime) -> Polled:
        """Calls that we may not have heard of."""
        return telephony_history.polled(account, cursor, now=now, ask=history.remembered)

    def fetch(self, attachment: InboundAttachment, account: AccountConfig, *, limit: int) -> bytes:
        """`ref` is a call_id_with_rec."""
        return api.recording(account, attachment.ref, limit=limit)

    def call_back(self, account: AccountConfig, *, extension: str, number: str, key: str) -> Sent | Retry | Failed:
        return api.call_back(account, extension=extension, number=number, key=key)

    def check(self, account: AccountConfig, address: str) -> Sequence[Finding]:
        return api.findings(account)
