"""Yandex Market as a channel: chats with buyers (https://yandex.ru/dev/market/partner-api)."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from django.utils.translation import gettext as _

from omni.channels.addressed_files import fetch_address
from omni.channels.asking import findings
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
from omni.channels.json_fields import identifier_at, read_object_or_none
from omni.channels.polled_events import octets
from omni.channels.yandex_market import polling, sending
from omni.channels.yandex_market.account import FORM
from omni.channels.yandex_market.client import BASE, business_of, keys_of
from omni.channels.yandex_market.events import ABOUT_CHATS, items_of, key_of, kind_of


class YandexMarketAdapter:
    """Chats are asked for; a notification has ids only, so all it does is to have us ask at once.

    Settings of an account: `business_id` (number), `poll_seconds`, `api_base` (address), `proxy`, `read_timeout` (seconds).
    Secret: `api_key`.
    """

    kind = "yandex_market"
    form = FORM
    capabilities = sending.CAPABILITIES
    poll_seconds = 30.0

    def verify(self, event: RawEvent, account: AccountConfig) -> None:
        """Nothing is signed, and nothing in a notification is believed; one that names another business is not for this account."""
        body = read_object_or_none(event.body) or {}
        business = identifier_at(body, "businessId")
        if not kind_of(event) or not business_of(account) or business not in ("", business_of(account)):
            raise Unverified("no notification of this business")

    def reply(self, event: RawEvent, account: AccountConfig) -> WebhookReply:
        """Who we are and our time."""
        return WebhookReply(body=octets({"version": "1.0.0", "name": "Otklik", "time": datetime.now(UTC).isoformat(timespec="seconds")}))

    def wakes(self, event: RawEvent, account: AccountConfig) -> bool:
        """Every notification about chats does."""
        return kind_of(event) in ABOUT_CHATS

    def event_key(self, event: RawEvent) -> str:
        """`history:<chat>:<first>-<last>:<count>`, `push:<type>:<digest>`."""
        return key_of(event)

    def parse(self, event: RawEvent, account: AccountConfig) -> Sequence[Inbound]:
        """Ids of messages are `<chat>:<message id>`."""
        return items_of(event)

    def poll(self, account: AccountConfig, cursor: Mapping[str, Any], *, now: datetime) -> Polled:
        """Chats that wait for us, each read from where we stopped."""
        return polling.poll(account, cursor, now=now)

    def fetch(self, attachment: InboundAttachment, account: AccountConfig, *, limit: int) -> bytes:
        """The provider's own files are asked for with our key."""
        return fetch_address(account, attachment.ref, base=BASE, keys=keys_of(account), limit=limit)

    def send(self, outgoing: Outgoing, account: AccountConfig) -> SendResult:
        """Files and text, one call each."""
        return sending.send(outgoing, account)

    def check(self, account: AccountConfig, address: str) -> Sequence[Finding]:
        """Whether the list of chats opens with our key."""

        def question() -> None:
            polling.ready(account)
            polling.listed(account, "")

        return findings(question, _("The list of chats opens."))
