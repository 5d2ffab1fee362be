"""Who the site's server says the visitor is: pure checks of signatures.

Two forms. A hash: HMAC-SHA256 (RFC 2104) of the customer's id under the site's identity key, in hex; it has no end, so it suits
apps and trusted pages. A signed token: a JSON Web Token (RFC 7519) with HS256 under the same key and the claims `sub` customer's
id, `aud` site key, `iat` issued, `exp` at most ten minutes later, `jti` a nonce that is taken once; `name` and `phone` (E.164)
are optional.
"""

import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
from django.utils.translation import gettext_lazy as _

from core.refusal import Refusal

ANONYMOUS = "visitor:"
LONGEST = timedelta(minutes=10)
CLOCK_SKEW = timedelta(seconds=60)
_CLAIMS = ["sub", "aud", "iat", "exp", "jti"]
_PHONE = re.compile(r"\+[1-9]\d{6,14}")


@dataclass(frozen=True)
class Identified:
    """A customer whom the site vouches for. `nonce` is empty for a hash; `expires_at` is when the nonce may be forgotten."""

    external_id: str
    name: str = ""
    phone: str = ""
    nonce: str = ""
    expires_at: datetime | None = None


def wrong() -> Refusal:
    return Refusal("identity_wrong", _("The site could not prove who you are. You can go on without signing in."), status=403)


def _expired() -> Refusal:
    return Refusal("identity_expired", _("The proof of who you are has expired. Please reload the page."), status=403)


def hash_of(key: str, external_id: str) -> str:
    """HMAC-SHA256 in hex of a customer's id, as the site's server makes it."""
    return hmac.new(key.encode(), external_id.encode(), hashlib.sha256).hexdigest()


def check(given: Any, *, key: str, site_key: str, now: datetime) -> Identified:
    """The customer whom `given` ({"external_id", "hash"} or {"token"}) proves. Raises Refusal: off, wrong, expired."""
    if not key:
        raise Refusal("identity_off", _("This site has no identity key; nobody can be signed in."), status=403)
    if not isinstance(given, dict):
        raise wrong()
    found = _read_token(given["token"], key=key, site_key=site_key, now=now) if "token" in given else _read_hash(given, key)
    if not 0 < len(found.external_id) <= 200 or found.external_id.startswith(ANONYMOUS) or not found.external_id.isprintable():
        raise wrong()
    return found


def _read_hash(given: dict[str, Any], key: str) -> Identified:
    external_id, proof = given.get("external_id"), given.get("hash")
    if not isinstance(external_id, str) or not isinstance(proof, str):
        raise wrong()
    if not hmac.compare_digest(hash_of(key, external_id).encode(), proof.lower().encode()):
        raise wrong()
    return Identified(external_id=external_id)


def _read_token(token: Any, *, key: str, site_key: str, now: datetime) -> Identified:
    # Its own look at the clock is switched off: `now` is given.
    options = {"require": _CLAIMS, "verify_exp": False, "verify_iat": False, "verify_nbf": False}
    try:
        claims = jwt.decode(str(token), key, algorithms=["HS256"], audience=site_key, options=options)  # type: ignore[arg-type]
        issued, expires = (datetime.fromtimestamp(float(claims[name]), UTC) for name in ("iat", "exp"))
    except (jwt.InvalidTokenError, ValueError, TypeError, OverflowError, OSError):
        raise wrong() from None
    nonce, phone = str(claims["jti"]), str(claims.get("phone") or "")
    if expires - issued > LONGEST or issued > now + CLOCK_SKEW or not 8 <= len(nonce) <= 64:
        raise wrong()
    if expires <= now:
        raise _expired()
    return Identified(
        external_id=str(claims["sub"]),
        name=str(claims.get("name") or "")[:160],
        phone=phone if _PHONE.fullmatch(phone) else "",
        nonce=nonce,
        expires_at=expires,
    )
