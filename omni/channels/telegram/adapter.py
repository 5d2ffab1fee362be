"""Telegram as a channel (https://core.telegram.org/bots/api)."""

import hmac
from collections.abc import Sequence

from omni.channels.contract import AccountConfig, Finding, Inbound, InboundAttachment, Outgoing, RawEvent, SendResult, Unverified
from omni.channels.telegram import actions, files, sending, setup
from omni.channels.telegram.account import FORM
from omni.channels.telegram.planning import CAPABILITIES
from omni.channels.telegram.updates import items_of, key_of

SECRET_HEADER = "x-telegram-bot-api-secret-token"  # noqa: S105 - the header's name


class TelegramAdapter:
    """The Bot API: webhook in, methods out.

    Settings of an account: `api_base` (address, default https://api.telegram.org), `proxy` (address), `read_timeout` (seconds).
    Secrets: `bot_token`, `webhook_secret`.
    """

    kind = "telegram"
    form = FORM
    capabilities = CAPABILITIES

    def verify(self, event: RawEvent, account: AccountConfig) -> None:
        """The secret given to setWebhook must come back in its header. Without a configured secret nothing is believed."""
        expected = account.secrets.get("webhook_secret", "")
        given = event.headers.get(SECRET_HEADER, "")
        if not expected or not hmac.compare_digest(given.encode("utf-8", "replace"), expected.encode("utf-8", "replace")):
            raise Unverified("wrong secret token")

    def event_key(self, event: RawEvent) -> str:
        """`update:<update_id>`, else a digest of the body."""
        return key_of(event.body)

    def parse(self, event: RawEvent, account: AccountConfig) -> Sequence[Inbound]:
        """Ids of messages are `<chat id>:<message id>`, of pressed buttons `callback:<id>`, of all else `update:<id>:<kind>`."""
        return items_of(event.body, event.received_at)

    def fetch(self, attachment: InboundAttachment, account: AccountConfig, *, limit: int) -> bytes:
        """`ref` is a file_id; attachments of the kinds location and contact have no file and raise AttachmentGone."""
        return files.fetch(attachment, account, limit=limit)

    def send(self, outgoing: Outgoing, account: AccountConfig) -> SendResult:
        """Plain text and files; a message with both may take several calls (see `planning.plan`)."""
        return sending.send(outgoing, account)

    def awaits(self, item: Inbound) -> bool:
        """A pressed button turns until it is answered."""
        return bool(item.extra.get("callback_query_id"))

    def acknowledge(self, item: Inbound, account: AccountConfig) -> bool:
        """answerCallbackQuery."""
        return actions.answer_callback(account, str(item.extra["callback_query_id"]))

    def check(self, account: AccountConfig, address: str) -> Sequence[Finding]:
        """The bot's name, where its webhook leads, how the last delivery went."""
        return setup.findings(account, address)

    def connect(self, account: AccountConfig, address: str) -> None:
        """setWebhook with the account's secret. Raises ConnectFault."""
        setup.set_webhook(account, address)
