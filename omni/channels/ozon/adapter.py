"""Ozon as a channel: chats with buyers (https://docs.ozon.ru/api/seller)."""

import hmac
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from django.utils.translation import gettext as _

from omni.channels.addressed_files import fetch_address
from omni.channels.asking import findings, needs
from omni.channels.contract import (
    AccountConfig,
    Finding,
    Inbound,
    InboundAttachment,
    Outgoing,
    Polled,
    RawEvent,
    SendResult,
    Unverified,
    WebhookReply,
)
from omni.channels.ozon import polling, sending
from omni.channels.ozon.account import FORM
from omni.channels.ozon.client import BASE, NAMES, keys_of
from omni.channels.ozon.events import is_ping, items_of, key_of
from omni.channels.polled_events import octets


class OzonAdapter:
    """Chats are asked for; notifications, where they are set up, bring the same messages at once.

    Settings of an account: `poll_seconds`, `api_base` (address), `proxy`, `read_timeout` (seconds).
    Secrets: `client_id`, `api_key`, `push_key`.
    """

    kind = "ozon"
    form = FORM
    capabilities = sending.CAPABILITIES
    poll_seconds = 30.0

    def verify(self, event: RawEvent, account: AccountConfig) -> None:
        """Ozon signs nothing: the key stands in the address it was given, as `?key=`."""
        expected, given = account.secrets.get("push_key", ""), event.query.get("key", "")
        if not expected or not hmac.compare_digest(given.encode("utf-8", "replace"), expected.encode("utf-8", "replace")):
            raise Unverified("wrong key of the notifications")

    def reply(self, event: RawEvent, account: AccountConfig) -> WebhookReply:
        """`{"result": true}`, to a ping who we are and our time."""
        told: dict[str, Any] = {"result": True}
        if is_ping(event):
            told = {"version": "1.0", "name": "Otklik", "time": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")}
        return WebhookReply(body=octets(told))

    def event_key(self, event: RawEvent) -> str:
        """`history:<chat>:<first>-<last>:<count>`, `push:<type>:<ids>`."""
        return key_of(event)

    def parse(self, event: RawEvent, account: AccountConfig) -> Sequence[Inbound]:
        """Ids of messages are `<chat>:<message id>`, however the message came."""
        return items_of(event)

    def poll(self, account: AccountConfig, cursor: Mapping[str, Any], *, now: datetime) -> Polled:
        """Open chats with unread messages, each read from where we stopped."""
        return polling.poll(account, cursor, now=now)

    def fetch(self, attachment: InboundAttachment, account: AccountConfig, *, limit: int) -> bytes:
        """The provider's own pictures are asked for with our keys."""
        return fetch_address(account, attachment.ref, base=BASE, keys=keys_of(account), limit=limit)

    def send(self, outgoing: Outgoing, account: AccountConfig) -> SendResult:
        """Files and text, one call each."""
        return sending.send(outgoing, account)

    def check(self, account: AccountConfig, address: str) -> Sequence[Finding]:
        """Whether the list of chats opens with our keys."""

        def question() -> None:
            needs(account, *NAMES)
            polling.listed(account, "")

        return findings(question, _("The list of chats opens."))
