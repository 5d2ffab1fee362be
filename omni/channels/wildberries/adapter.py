"""Wildberries as a channel: chats with buyers, reviews of goods and questions about them (https://dev.wildberries.ru)."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from omni.channels.addressed_files import fetch_address
from omni.channels.asking import findings, needs, page
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
from omni.channels.wildberries import polling, sending
from omni.channels.wildberries.account import FORM
from omni.channels.wildberries.client import CHATS, call, chats, keys_of
from omni.channels.wildberries.events import DOWNLOAD, items_of, key_of


class WildberriesAdapter:
    """The provider delivers nothing: events of chats, reviews and questions are asked for.

    Settings of an account: `reviews`, `questions` (flags), `poll_seconds`, `api_base`, `feedbacks_base` (addresses), `proxy`,
    `read_timeout` (seconds).
    Secret: `token`.
    """

    kind = "wildberries"
    form = FORM
    capabilities = sending.CAPABILITIES
    poll_seconds = 30.0

    def verify(self, event: RawEvent, account: AccountConfig) -> None:
        """Nobody posts here."""
        raise Unverified("this channel has no webhook")

    def event_key(self, event: RawEvent) -> str:
        """`event:<eventID>`, `feedback:<id>:<version>`."""
        return key_of(event)

    def parse(self, event: RawEvent, account: AccountConfig) -> Sequence[Inbound]:
        """Ids of messages are `<chatID>:<eventID>`, of reviews `feedback:<id>`, of questions `question:<id>`."""
        return items_of(event)

    def poll(self, account: AccountConfig, cursor: Mapping[str, Any], *, now: datetime) -> Polled:
        """The position is `next` of the events, `skip` and `seen` of the reviews, `skip_questions` and `seen_questions`."""
        return polling.poll(account, cursor, now=now)

    def fetch(self, attachment: InboundAttachment, account: AccountConfig, *, limit: int) -> bytes:
        """By the file's id with our key, by an address without it."""
        ref = attachment.ref
        address = f"/api/v1/seller/download/{ref.removeprefix(DOWNLOAD)}" if ref.startswith(DOWNLOAD) else ref
        return fetch_address(account, address, base=CHATS, keys=keys_of(account), limit=limit)

    def send(self, outgoing: Outgoing, account: AccountConfig) -> SendResult:
        """A message of a chat, or the answer to a review (`feedback:<id>`) or to a question (`question:<id>`)."""
        return sending.send(outgoing, account)

    def check(self, account: AccountConfig, address: str) -> Sequence[Finding]:
        """Whether the list of chats opens with our key."""

        def question() -> None:
            needs(account, "token")
            page(lambda: call(chats(account), "GET", polling.CHATS_PATH))

        return findings(question, _("The list of chats opens."))
