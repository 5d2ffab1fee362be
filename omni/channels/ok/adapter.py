"""Odnoklassniki as a channel: a group's messages (https://apiok.ru/dev/graph_api/)."""

import hmac
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

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
)
from omni.channels.ok import comments, sending, setup
from omni.channels.ok.account import FORM
from omni.channels.ok.client import DEFAULT_BASE
from omni.channels.ok.updates import items_of, key_of
from omni.channels.social import files


class OkAdapter:
    """The graph API of a group. The vendor gives a webhook 5 seconds; keeping the event is all that is done in them.

    Comments under the group's topics are asked for where the account has a key for them; they are read only.
    Settings of an account: `api_base`, `proxy`, `read_timeout`, `upload_pause` (seconds), `group_id`, `application_key`, `poll_seconds`.
    Secrets: `access_token`, `webhook_secret`, `comments_token`, `application_secret`.
    """

    kind = "ok"
    form = FORM
    capabilities = sending.CAPABILITIES
    poll_seconds = comments.POLL_SECONDS

    def verify(self, event: RawEvent, account: AccountConfig) -> None:
        """The vendor signs nothing: our secret in the address must be the account's. Without a configured one nothing is believed."""
        expected, given = account.secrets.get("webhook_secret", ""), event.query.get(setup.SECRET_FIELD, "")
        if not expected or not hmac.compare_digest(given.encode("utf-8", "replace"), expected.encode("utf-8", "replace")):
            raise Unverified("wrong secret")

    def event_key(self, event: RawEvent) -> str:
        """Type and message or button, `comment:<topic>:<comment>`, else a digest of the body."""
        told = comments.told_in(event)
        return (comments.key_of(told) if told else "") or key_of(event.body)

    def parse(self, event: RawEvent, account: AccountConfig) -> Sequence[Inbound]:
        """Ids of messages are the vendor's own, of all else the event's key."""
        told = comments.told_in(event)
        return [comments.item_of(told, event.received_at)] if told else items_of(event.body, event.received_at)

    def is_private(self, guest_external_id: str) -> bool:
        """Who comments has an id of `comments:`, never the one of his messages to the group."""
        return not guest_external_id.startswith(comments.PUBLIC)

    def is_answerable(self, guest_external_id: str) -> bool:
        """Comments are read only: no method to write one for a group is documented."""
        return self.is_private(guest_external_id)

    def poll(self, account: AccountConfig, cursor: Mapping[str, Any], *, now: datetime) -> Polled:
        """New comments under the group's topics. Raises PollFault."""
        return comments.poll(account, cursor, now=now)

    def name_of(self, guest_external_id: str, account: AccountConfig) -> str:
        """Who comments, which comments do not tell; messages do. Asks the API."""
        return comments.name_of(guest_external_id, account)

    def fetch(self, attachment: InboundAttachment, account: AccountConfig, *, limit: int) -> bytes:
        """`ref` is an address; cards and places raise AttachmentGone."""
        return files.fetch(attachment, account, base=DEFAULT_BASE, limit=limit)

    def send(self, outgoing: Outgoing, account: AccountConfig) -> SendResult:
        """One message with its files; comments cannot be answered."""
        return sending.send(outgoing, account)

    def check(self, account: AccountConfig, address: str) -> Sequence[Finding]:
        """Whether the key is good, events come to our address, and comments can be read if they are to be."""
        return [*setup.findings(account, address), *comments.findings(account)]

    def connect(self, account: AccountConfig, address: str) -> None:
        """Subscribe our address with its secret; after 8 hours of failures the vendor may forget it. Raises ConnectFault."""
        setup.subscribe(account, address)

    def renew(self, account: AccountConfig, address: str) -> bool:
        """After 8 hours of failures Odnoklassniki may forget a subscription. Raises ConnectFault."""
        return setup.renew(account, address)
