"""Calls of Mango Office (API of the virtual exchange): signed notices in, commands out."""

from collections.abc import Sequence

from omni.channels.contract import AccountConfig, Failed, Finding, Inbound, InboundAttachment, RawEvent, Retry, Sent
from omni.channels.mango import commands, signing
from omni.channels.mango.account import FORM
from omni.channels.mango.events import items_of, key_of
from omni.channels.telephony.account import region_of
from omni.channels.telephony.exchange import Exchange


class MangoAdapter(Exchange):
    """Mango puts `events/call`, `events/summary` ... behind the address it is given. Secrets: `vpbx_api_key`, `vpbx_api_salt`."""

    kind = "mango"
    form = FORM

    def verify(self, event: RawEvent, account: AccountConfig) -> None:
        signing.verify(event, account)

    def event_key(self, event: RawEvent) -> str:
        return key_of(event.body)

    def parse(self, event: RawEvent, account: AccountConfig) -> Sequence[Inbound]:
        return items_of(event.body, event.received_at, region=region_of(account))

    def fetch(self, attachment: InboundAttachment, account: AccountConfig, *, limit: int) -> bytes:
        """`ref` is a recording_id."""
        return commands.recording(account, attachment.ref, limit=limit)

    def call_back(self, account: AccountConfig, *, extension: str, number: str, key: str) -> Sent | Retry | Failed:
        return commands.call_back(account, extension=extension, number=number, key=key)

    def check(self, account: AccountConfig, address: str) -> Sequence[Finding]:
        return commands.findings(account)
