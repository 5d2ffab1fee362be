"""The chat of our own sites: the guest's browser is the wire, so a stored message is a sent one."""

import hashlib
import json
import re
from collections.abc import Sequence
from datetime import UTC
from typing import Any

from django.core.files.storage import default_storage

from core.text import storable
from omni.channels.contract import (
    AccountConfig,
    AttachmentGone,
    AttachmentKind,
    AttachmentTooLarge,
    Capabilities,
    Inbound,
    InboundAttachment,
    InboundKind,
    Outgoing,
    RawEvent,
    Sent,
    Unreadable,
)
from omni.channels.keyboards import Keyboard
from omni.channels.webchat.account import FORM
from omni.chat.identity import ANONYMOUS

TEXT_LIMIT = 4000
FILE_LIMIT = 10 * 1024 * 1024
FILES_AT_ONCE = 5
# Where the chat API keeps uploads, by digest; a ref outside it is nobody's upload.
_STORED = re.compile(r"files/[0-9a-f]{2}/[0-9a-f]{64}")


def is_upload(ref: str) -> bool:
    """Whether the reference is a place where the chat API keeps uploads."""
    return bool(_STORED.fullmatch(ref))


class WebChatAdapter:
    """Implements omni.channels.contract.Adapter. The event is the JSON that the chat API writes after checking the guest's token:

    {"client_id": uuid, "visitor": id, "name": text, "text": text, "phone": E.164 the guest's site vouches for,
     "page_url": address, "form": the answers before the chat in words, "answers": the same by the questions' names,
     "uploads": [{"ref": place in the storage, "name": text, "mime": type, "size": bytes}],
     "facts": what an app says of itself (omni.chat.facts) and its user agent}
    """

    kind = "webchat"
    form = FORM
    capabilities = Capabilities(
        private=True,
        text_limit=TEXT_LIMIT,
        attachments=True,
        attachment_bytes=FILE_LIMIT,
        attachments_per_message=FILES_AT_ONCE,
        typing=True,
        keyboards=(Keyboard(12),),
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
            uploads = [_upload(file) for file in body.get("uploads") or []]
        except (ValueError, TypeError, KeyError, AttributeError) as fault:
            raise Unreadable(f"not an event of the web chat: {fault!r}") from fault
        return [
            Inbound(
                kind=InboundKind.MESSAGE,
                external_id=f"{visitor}:{client_id}",
                guest_external_id=visitor,
                guest_name=str(body.get("name") or ""),
                text=str(body.get("text") or ""),
                phone=str(body.get("phone") or ""),
                signed=not visitor.startswith(ANONYMOUS),
                attachments=uploads,
                sent_at=event.received_at.astimezone(UTC),
                extra={"page_url": str(body.get("page_url") or ""), "form": str(body.get("form") or ""), "facts": _facts(body)},
            )
        ]

    def fetch(self, attachment: InboundAttachment, account: AccountConfig, *, limit: int) -> bytes:
        if not is_upload(attachment.ref) or not default_storage.exists(attachment.ref):
            raise AttachmentGone(attachment.ref)
        if default_storage.size(attachment.ref) > limit:
            raise AttachmentTooLarge(attachment.ref)
        with default_storage.open(attachment.ref) as file:
            data: bytes = file.read()
        return data

    def send(self, outgoing: Outgoing, account: AccountConfig) -> Sent:
        return Sent(external_ids=[f"out:{outgoing.key}"])


def _facts(body: dict[str, Any]) -> dict[str, str]:
    facts = body.get("facts")
    return {str(name): storable(str(value)) for name, value in facts.items()} if isinstance(facts, dict) else {}


def _upload(file: dict[str, Any]) -> InboundAttachment:
    mime = str(file.get("mime") or "")
    return InboundAttachment(
        kind=AttachmentKind.IMAGE if mime.startswith("image/") else AttachmentKind.DOCUMENT,
        ref=str(file["ref"]),
        name=str(file.get("name") or ""),
        mime=mime,
        size=file.get("size"),
    )
