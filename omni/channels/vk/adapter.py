"""VK as a channel: the Callback API of a community in, methods out (https://dev.vk.com/ru/api/callback/getting-started)."""

import hmac
from collections.abc import Sequence

import httpx
import structlog

from omni.channels.contract import (
    AccountConfig,
    ConnectFault,
    Finding,
    Inbound,
    InboundAttachment,
    Outgoing,
    RawEvent,
    SendResult,
    Unverified,
    WebhookReply,
)
from omni.channels.json_fields import JsonObject, identifier_at, read_object_or_none, text_at
from omni.channels.social import files
from omni.channels.vk import sending, setup
from omni.channels.vk.account import FORM
from omni.channels.vk.client import DEFAULT_BASE, call
from omni.channels.vk.ids import PUBLIC
from omni.channels.vk.updates import first_names, items_of, key_of

log = structlog.get_logger(__name__)


class VkAdapter:
    """A community's messages, and what people say in public on its pages.

    Settings of an account: `group_id`, `confirmation`, `api_base`, `proxy`, `read_timeout`. Secrets: `access_token`, `secret`.
    """

    kind = "vk"
    form = FORM
    capabilities = sending.CAPABILITIES

    def verify(self, event: RawEvent, account: AccountConfig) -> None:
        """The body must carry our secret and our community's number. Without a configured secret nothing is believed."""
        body = read_object_or_none(event.body) or {}
        if not _is_ours(body, account) or not _has_secret(body, account):
            raise Unverified("wrong secret or community")

    def greet(self, event: RawEvent, method: str, account: AccountConfig) -> WebhookReply | None:
        """The confirmation string for the type `confirmation`, which may come without the secret; None for all else."""
        body = read_object_or_none(event.body) or {} if method == "POST" else {}
        if text_at(body, "type") != "confirmation":
            return None
        if not _is_ours(body, account) or ("secret" in body and not _has_secret(body, account)):
            raise Unverified("wrong secret or community")
        try:
            return WebhookReply(200, setup.confirmation(account).encode(), "text/plain")
        except ConnectFault as fault:
            log.warning("the confirmation string could not be had", account=account.id, reason=str(fault))
            return WebhookReply(503, b"", "text/plain")

    def reply(self, event: RawEvent, account: AccountConfig) -> WebhookReply:
        """Exactly `ok`: anything else counts as a failure, and the event comes again."""
        return WebhookReply(200, b"ok", "text/plain")

    def event_key(self, event: RawEvent) -> str:
        """`event:<event_id>`, else a digest of the body."""
        return key_of(event.body)

    def parse(self, event: RawEvent, account: AccountConfig) -> Sequence[Inbound]:
        """Ids of messages are `<peer>:<number>`, of buttons `button:<id>`, of comments as `ids.Place` writes them."""
        return items_of(event.body, event.received_at)

    def is_private(self, guest_external_id: str) -> bool:
        """Who comments has an id of `comments:`, never the one of his messages to the community."""
        return not guest_external_id.startswith(PUBLIC)

    def fetch(self, attachment: InboundAttachment, account: AccountConfig, *, limit: int) -> bytes:
        """`ref` is an address of VK's file servers, good for some days; places on the map raise AttachmentGone."""
        return files.fetch(attachment, account, base=DEFAULT_BASE, limit=limit)

    def send(self, outgoing: Outgoing, account: AccountConfig) -> SendResult:
        """A message, or a comment if `recipient` is a place; a repeated key is recognised by VK (`random_id`, `guid`)."""
        return sending.send(outgoing, account)

    def check(self, account: AccountConfig, address: str) -> Sequence[Finding]:
        """The community's name, the state of our address there."""
        return setup.findings(account, address)

    def connect(self, account: AccountConfig, address: str) -> None:
        """Register our address with the account's secret. Raises ConnectFault."""
        setup.connect(account, address)

    def name_of(self, guest_external_id: str, account: AccountConfig) -> str:
        """The person's name, which events do not tell; empty if VK does not say. Asks the API."""
        number = guest_external_id.removeprefix(PUBLIC)
        if not number.isascii() or not number.isdigit():
            return ""
        try:
            return first_names(call(account, "users.get", {"user_ids": number}).response)
        except (httpx.HTTPError, httpx.InvalidURL):
            return ""


def _is_ours(body: JsonObject, account: AccountConfig) -> bool:
    group = setup.group_of(account)
    return bool(group) and identifier_at(body, "group_id") == group


def _has_secret(body: JsonObject, account: AccountConfig) -> bool:
    expected, given = account.secrets.get("secret", ""), text_at(body, "secret")
    return bool(expected) and hmac.compare_digest(given.encode("utf-8", "replace"), expected.encode("utf-8", "replace"))
