"""Signed tokens in addresses that open without a sign-in: `purpose` and an id, signed by us; nobody can make or change one."""

import base64
import hashlib
import hmac
import uuid
from collections.abc import Iterator

from django.conf import settings

from core.secrets import derived_key

_SIGNATURE = 20


def token_of(purpose: str, public_id: uuid.UUID) -> str:
    """The token of an object; the same at every call while SECRET_KEY stays."""
    return _written(public_id, next(_signatures(purpose, public_id)))


def token_with(purpose: str, public_id: uuid.UUID, *, digest: str) -> str:
    """The token whose digest was kept, also when it was made with an older key."""
    made = [_written(public_id, signature) for signature in _signatures(purpose, public_id)]
    return next((token for token in made if digest_of(token) == digest), made[0])


def read(purpose: str, token: str) -> uuid.UUID | None:
    """The id in a token of ours for this purpose (older keys included); None = forged, cut, or made for something else."""
    try:
        raw = base64.urlsafe_b64decode(token.encode("ascii") + b"=" * (-len(token) % 4))
        public_id = uuid.UUID(bytes=raw[:16])
    except (ValueError, UnicodeEncodeError):
        return None
    # The one spelling only: trailing bits would make a second token of the same object.
    known = any(hmac.compare_digest(token, _written(public_id, signature)) for signature in _signatures(purpose, public_id))
    return public_id if known else None


def digest_of(token: str) -> str:
    """What may be stored of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


def _signatures(purpose: str, public_id: uuid.UUID) -> Iterator[bytes]:
    for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS):
        yield hmac.new(derived_key(f"link: {purpose}", key), public_id.bytes, hashlib.sha256).digest()[:_SIGNATURE]


def _written(public_id: uuid.UUID, signature: bytes) -> str:
    return base64.urlsafe_b64encode(public_id.bytes + signature).rstrip(b"=").decode()
