"""API tokens: made once, shown once, kept as a digest."""

import hashlib
import secrets

from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from accounts.models import ApiToken, Staff
from accounts.selectors import find_token


def new_token() -> tuple[str, str]:
    """A fresh token and its digest."""
    token = f"otk_{secrets.token_urlsafe(32)}"
    return token, digest_of(token)


def digest_of(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


class TokenAuthentication(BaseAuthentication):
    """`Authorization: Bearer <token>` (RFC 6750)."""

    def authenticate(self, request: Request) -> tuple[Staff, ApiToken] | None:
        scheme, _space, token = get_authorization_header(request).decode("latin-1").partition(" ")
        if scheme.lower() != "bearer":
            return None
        found = find_token(digest_of(token.strip()))
        if found is None or not found.staff.is_active or (found.expires_at and found.expires_at <= timezone.now()):
            raise AuthenticationFailed(_("The API token is unknown or has expired."))
        return found.staff, found

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"
