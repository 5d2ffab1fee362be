"""Secrets at rest: encrypted with a key derived from SECRET_KEY; older keys still open what they closed."""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from functools import cache, lru_cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings


class SecretLost(Exception):
    """The stored secret was closed with a key that is no longer known (SECRET_KEY changed without a fallback)."""


@cache
def _box() -> MultiFernet:
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return MultiFernet([Fernet(base64.urlsafe_b64encode(derived_key("secrets at rest", key))) for key in keys])


def derived_key(purpose: str, key: str | None = None) -> bytes:
    """32 bytes for one purpose, derived from SECRET_KEY (HMAC-SHA256, RFC 2104)."""
    return hmac.new((key or settings.SECRET_KEY).encode(), purpose.encode(), hashlib.sha256).digest()


def close(values: Mapping[str, str]) -> str:
    """The values as one opaque string for the database."""
    return _box().encrypt(json.dumps(dict(values)).encode()).decode() if values else ""


def open_box(closed: str) -> dict[str, str]:
    """What `close` was given. Raises SecretLost."""
    if not closed:
        return {}
    try:
        return dict(_opened(closed, settings.SECRET_KEY))
    except InvalidToken:
        raise SecretLost("The stored secret cannot be opened: SECRET_KEY has changed.") from None


@lru_cache(maxsize=256)
def _opened(closed: str, _key: str) -> dict[str, str]:
    """Kept for a while: each webhook of an account asks for the same."""
    opened: dict[str, str] = json.loads(_box().decrypt(closed.encode()))
    return opened
