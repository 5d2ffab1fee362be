"""The chat of our own sites: the guest's browser is the wire, so a stored message is a sent one."""

import hashlib
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from omni.channels.contract import (
    AccountConfig,
    AttachmentGone,
    AttachmentKind,
    Capabilities,
    Inbound,
    InboundAttachment,
    InboundKind,
    Outgoing,
    RawEvent,
    Sent,
    Unreadable,
)

TEXT_LIMIT = 4000
FILE_LIMIT = 10 * 1024 * 1024


class WebChatAdapter:
    """Implements omni.channels.contract.Adapter. The event is the JSON that the chat API writes after checking the guest's token:

    {"client_id": uuid, "visitor": id, "name": text, "text": text, "phone": E.164 the guest's site vouches for,
     "uploads": [{"ref": id, "name": text, "mime": type, "size": bytes}]}
    """

    kind = "webchat"
    capabilities = Capabilities(
        text_limit=TEXT_LIMIT,
        attachments=True,
        attachment_bytes=FILE_LIMIT,
        attachments_per_message=5,
        typing=True,
        delivery_receipts=True,
        read_receipts=True,
        idempotent_send=True,
    )

    def verify(self, event: RawEvent, account: AccountConfig) -> None:
        """The chat API checks the guest's token before it writes the event; no provider posts here."""

    def event_key(self, event: RawEvent) -> str:
        try:
            body = json.loads(event.body)
            return f"{body['visitor']}:{body['client_id']}"
        except (ValueError, TypeError, KeyError):
            return f"digest:{hashlib.sha256(event.body).hexdigest()}"

    def parse(self, event: RawEvent, account: AccountConfig) -> Sequence[Inbound]:
        try:
            body: dict[str, Any] = json.loads(event.body)
            visitor, client_id = str(body["visitor"]), str(body["client_id"])
        except (ValueError, TypeError, KeyError) as fault:
            raise Unreadable(f"not an event of the web chat: {fault}") from fault
        uploads = [
            InboundAttachment(
                kind=AttachmentKind.IMAGE if str(file.get("mime", "")).startswith("image/") else AttachmentKind.DOCUMENT,
                ref=str(file["ref"]),
                name=str(file.get("name", "")),
                mime=str(file.get("mime", "")),
                size=file.get("size"),
            )
            for file in body.get("uploads", [])
        ]
        return [
            Inbound(
                kind=InboundKind.MESSAGE,
                external_id=f"{visitor}:{client_id}",
                guest_external_id=visitor,
                guest_name=str(body.get("name", "")),
                text=str(body.get("text", "")),
                phone=str(body.get("phone", "")),
                attachments=uploads,
                sent_at=_time(event, body),
            )
        ]

    def fetch(self, attachment: InboundAttachment, account: AccountConfig, *, limit: int) -> bytes:
        raise AttachmentGone(attachment.ref)

    def send(self, outgoing: Outgoing, account: AccountConfig) -> Sent:
        return Sent(external_ids=[f"out:{outgoing.key}"])


def _time(event: RawEvent, body: dict[str, Any]) -> datetime:
    return event.received_at.astimezone(UTC)
