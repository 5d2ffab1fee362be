"""What monitoring vendors find on sites without an API, handed to us by a signed webhook: read only."""

import hashlib
import hmac
from collections.abc import Sequence

from django.utils.translation import gettext as _

from omni.channels.contract import (
    AccountConfig,
    AttachmentGone,
    Capabilities,
    Failed,
    Inbound,
    InboundAttachment,
    Outgoing,
    RawEvent,
    SendResult,
    Unverified,
)
from omni.channels.json_fields import digest_key
from omni.channels.reviews_import.account import FORM
from omni.channels.reviews_import.reading import items_of

SIGNATURE = "x-signature"


class ReviewsImportAdapter:
    """A POST of JSON or CSV: {source, url, author, text, rating, published_at, external_id, parent_id}, also `title` and `updated_at`.

    JSON is an array of records, {"items": [...]} or one record; times are ISO 8601, ratings 0-5. A record sent again with other words
    is the review's edit. The header is `X-Signature: sha256=<hex of the HMAC-SHA256 of the body>`.
    Settings of an account: `source` (name). Secret: `secret`.
    """

    kind = "reviews_import"
    form = FORM
    capabilities = Capabilities(text_limit=0)

    def verify(self, event: RawEvent, account: AccountConfig) -> None:
        """The HMAC over the raw body. Without a configured secret nothing is believed."""
        secret = account.secrets.get("secret", "")
        expected = f"sha256={hmac.new(secret.encode(), event.body, hashlib.sha256).hexdigest()}"
        given = event.headers.get(SIGNATURE, "").strip().lower()
        if not secret or not hmac.compare_digest(given.encode("utf-8", "replace"), expected.encode()):
            raise Unverified("wrong signature")

    def event_key(self, event: RawEvent) -> str:
        """A digest of the body: the same import twice is one."""
        return digest_key(event.body)

    def parse(self, event: RawEvent, account: AccountConfig) -> Sequence[Inbound]:
        """Ids of messages are `<source>:<external_id>`; what was written under a review joins its conversation."""
        return items_of(event, str(account.settings.get("source") or ""))

    def fetch(self, attachment: InboundAttachment, account: AccountConfig, *, limit: int) -> bytes:
        """Records have no files."""
        raise AttachmentGone("imported reviews have no files")

    def send(self, outgoing: Outgoing, account: AccountConfig) -> SendResult:
        """The vendor takes no answers."""
        return Failed("cannot_be_answered", _("This source cannot be answered from here; the answer must be written on its own site."))
