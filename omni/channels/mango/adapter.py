"""Calls of Mango Office (API of the virtual exchange): signed notices in, commands out."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from omni.channels.contract import AccountConfig, Failed, Finding, Inbound, InboundAttachment, Polled, RawEvent, Retry, Sent
from omni.channels.mango import commands, history, signing
from omni.channels.mango.account import FORM
from omni.channels.mango.events import items_of, key_of
from omni.channels.telephony import history as telephony_history
from omni.channels.telephony.account import region_of
from omni.channels.telephony.exchange import Exchange


class MangoAdapter(Exchange):
    """Mango puts `events/call`, `events/summary` ... behind the address it is given. Secrets: `vpbx_api_key`, `vpbx_api_salt`."""

    kind = "mango"
    form = FORM
    poll_seconds = telephony_history.POLL_SECONDS

    def verify(self, event: RawEvent, account: AccountConfig) -> None:
        signing.verify(event, account)

    def event_key(self, event: RawEvent) -> str:
        return telephony_history.key_of(event.body) or key_of(event.body)

    def parse(self, event: RawEvent, account: AccountConfig) -> Sequence[Inbound]:
        if (told := telephony_history.call_of(event.body)) is not None:
            return telephony_history.items(history.steps_of(told, account))
        return items_of(event.body, event.received_at, region=region_of(account))

    def poll(self, account: AccountConfig, cursor: Mapping[str, Any], *, now: datetime) -> Polled:
        """Calls that we may not have heard of."""
        return telephony_history.polled(account, cursor, now=now, ask=history.remembered)

    def fetch(self, attachment: InboundAttachment, account: AccountConfig, *, limit: int) -> bytes:
        """`ref` is a recording_id."""
        return commands.recording(account, attachment.ref, limit=limit)

    def call_back(self, account: AccountConfig, *, extension: str, number: str, key: str) -> Sent | Retry | Failed:
        return commands.call_back(account, extension=extension, number=number, key=key)

    def check(self, account: AccountConfig, address: str) -> Sequence[Finding]:
        return commands.findings(account)
