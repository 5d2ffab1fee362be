"""Viber as a channel (https://developers.viber.com/docs/api/rest-bot-api)."""

import hashlib
import hmac
import json
from collections.abc import Sequence

import httpx

from omni.channels.contract import (
    AccountConfig,
    AttachmentGone,
    AttachmentTooLarge,
    Finding,
    Inbound,
    InboundAttachment,
    Outgoing,
    RawEvent,
    SendResult,
    Unverified,
    WebhookReply,
)
from omni.channels.http import download, own_host
from omni.channels.json_fields import read_object_or_none
from omni.channels.viber import sending, setup
from omni.channels.viber.account import FORM
from omni.channels.viber.client import BASE, client_of
from omni.channels.viber.updates import items_of, key_of

SIGNATURE_HEADER = "x-viber-content-signature"


class ViberAdapter:
    """The REST bot API: callbacks in, methods out.

    Settings of an account: `sender_name`, `sender_avatar`, `welcome`, `file_days`, `api_base`, `proxy`, `read_timeout` (seconds).
    Secret: `auth_token`, which also signs the callbacks.
    """

    kind = "viber"
    form = FORM
    capabilities = sending.CAPABILITIES

    def verify(self, event: RawEvent, account: AccountConfig) -> None:
        """Hex HMAC-SHA256 of the raw body under the token. Without a configured token nothing is believed."""
        token = account.secrets.get("auth_token", "")
        expected = hmac.new(token.encode(), event.body, hashlib.sha256).hexdigest()
        given = event.headers.get(SIGNATURE_HEADER, "")
        if not token or not hmac.compare_digest(given.encode("utf-8", "replace"), expected.encode()):
            raise Unverified("wrong signature")

    def event_key(self, event: RawEvent) -> str:
        """`<event>:<message_token>`, for receipts with the guest's id too."""
        return key_of(event.body)

    def reply(self, event: RawEvent, account: AccountConfig) -> WebhookReply:
        """The welcome to a guest who opens the chat for the first time; nothing else may be said in an answer."""
        text = str(account.settings.get("welcome") or "").strip()
        callback = read_object_or_none(event.body) or {}
        if not text or callback.get("event") != "conversation_started" or callback.get("subscribed") is True:
            return WebhookReply()
        welcome = {"sender": sending.sender_of(account), "type": "text", "text": text[: sending.TEXT_LIMIT]}
        return WebhookReply(body=json.dumps(welcome).encode())

    def parse(self, event: RawEvent, account: AccountConfig) -> Sequence[Inbound]:
        """Ids of messages are their tokens as text, of all else `<event>:<token>`."""
        return items_of(event.body, event.received_at)

    def fetch(self, attachment: InboundAttachment, account: AccountConfig, *, limit: int) -> bytes:
        """`ref` is an address that Viber keeps for about an hour."""
        if not attachment.ref.startswith(("https://", "http://")):
            raise AttachmentGone(f"{attachment.kind} has no file")
        if attachment.size is not None and attachment.size > limit:
            raise AttachmentTooLarge(f"{attachment.size} bytes, at most {limit} are taken")
        allow = own_host(str(account.settings.get("api_base") or BASE))
        try:
            return download(client_of(account), attachment.ref, limit=limit, allow=allow)
        except httpx.InvalidURL as fault:
            raise AttachmentGone("the address of the file is none") from fault

    def send(self, outgoing: Outgoing, account: AccountConfig) -> SendResult:
        """Text and files, each file a message of its own that Viber fetches from our signed address."""
        return sending.send(outgoing, account)

    def check(self, account: AccountConfig, address: str) -> Sequence[Finding]:
        """The bot's name and where its webhook leads."""
        return setup.findings(account, address)

    def connect(self, account: AccountConfig, address: str) -> None:
        """set_webhook with all kinds of callbacks. Raises ConnectFault."""
        setup.connect(account, address)
