"""What WhatsApp and Facebook webhooks have in common: signature, handshake, envelope (developers.facebook.com/docs/graph-api/webhooks)."""

import hashlib
import hmac
from collections.abc import Iterator
from datetime import UTC, datetime

from omni.channels.contract import AccountConfig, Inbound, InboundKind, RawEvent, Unreadable, Unverified, WebhookReply
from omni.channels.json_fields import JsonObject, digest_key, identifier_at, objects_at, read_object, text_at

SIGNATURE_HEADER = "x-hub-signature-256"
MILLISECONDS_FROM = 10**11
"""A Unix time this large is in milliseconds: in seconds it would be the year 5138."""


def verify_signature(event: RawEvent, account: AccountConfig) -> None:
    """`sha256=` and the HMAC-SHA256 of the raw body under the app secret. Without a configured secret nothing is believed.

    Raises Unverified.
    """
    secret = account.secrets.get("app_secret", "")
    expected = f"sha256={hmac.new(secret.encode(), event.body, hashlib.sha256).hexdigest()}"
    given = event.headers.get(SIGNATURE_HEADER, "")
    if not secret or not same(given, expected):
        raise Unverified("wrong signature")


def handshake(event: RawEvent, method: str, account: AccountConfig) -> WebhookReply | None:
    """The challenge, word for word, to a GET that knows the verify token; None for a POST. Raises Unverified."""
    if method != "GET":
        return None
    token = account.secrets.get("verify_token", "")
    if not token or event.query.get("hub.mode") != "subscribe" or not same(event.query.get("hub.verify_token", ""), token):
        raise Unverified("wrong verify token")
    return WebhookReply(body=event.query.get("hub.challenge", "").encode(), content_type="text/plain; charset=utf-8")


def same(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "replace"), expected.encode("utf-8", "replace"))


def key_of(body: bytes) -> str:
    """Meta numbers no events, and repeats one with the same bytes. What comes again in another batch is told apart by its items."""
    return digest_key(body)


def entries_of(body: bytes, wanted: str) -> list[JsonObject]:
    """The entries of an event about the object `wanted`. Raises Unreadable."""
    value = read_object(body)
    if value.get("object") != wanted:
        raise Unreadable(f"not about {wanted}: object is {text_at(value, 'object') or 'missing'}")
    if not isinstance(value.get("entry"), list):
        raise Unreadable("entry is not a list")
    return objects_at(value, "entry")


def changes_of(entry: JsonObject) -> Iterator[tuple[str, JsonObject]]:
    """Field and value of each change."""
    for change in objects_at(entry, "changes"):
        value = change.get("value")
        yield text_at(change, "field"), value if isinstance(value, dict) else {}


def meta_time(source: JsonObject, key: str, fallback: datetime) -> datetime:
    """The time at `key`: Unix seconds or milliseconds, as number or as digits, or ISO 8601; `fallback` for anything else."""
    written = identifier_at(source, key)
    try:
        if not (written.isascii() and written.isdecimal()):
            read = datetime.fromisoformat(written)
            return read.astimezone(UTC) if read.tzinfo else fallback
        seconds = int(written) if len(written) < 20 else 0
        return datetime.fromtimestamp(seconds / (1000 if seconds >= MILLISECONDS_FROM else 1), UTC) if seconds else fallback
    except (ValueError, OverflowError, OSError):
        return fallback


def ignored(key: str, reason: str, at: datetime, *, guest: str = "", **extra: object) -> Inbound:
    """An item that is shown in the journal and goes no further."""
    told = {name: value for name, value in extra.items() if value}
    return Inbound(kind=InboundKind.IGNORED, external_id=key, guest_external_id=guest, sent_at=at, text=reason, extra=told)
