"""Calls of other systems: a signed POST of JSON."""

import hashlib
import hmac
import json

import httpx

from core.secrets import SecretLost
from escalation.models import Hook
from escalation.senders import Letter, Outcome
from escalation.states import DeliveryState

TIMEOUT = httpx.Timeout(10, connect=4)
SIGNATURE = "X-Otklik-Signature"


def signature(secret: str, body: bytes) -> str:
    """`sha256=<hex>`: HMAC-SHA256 of the raw body (RFC 2104)."""
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


class HookSender:
    """Calls the system of the letter's address. The receiver tells repeats by `key`, which is also the Idempotency-Key header.

    2xx = taken; 408, 425, 429 and 5xx = again later; anything else = refused.
    """

    def send(self, letter: Letter) -> Outcome | None:
        hook = Hook.objects.filter(url=letter.address, is_active=True).order_by("pk").first()
        if hook is None:
            return Outcome(DeliveryState.FAILED, error="this system is switched off")
        body = json.dumps(
            {"key": letter.key, "heading": letter.heading, "text": letter.text, **letter.details}, ensure_ascii=False
        ).encode()
        try:
            headers = {"Content-Type": "application/json", "Idempotency-Key": letter.key, SIGNATURE: signature(hook.secret, body)}
            answer = httpx.post(hook.url, content=body, headers=headers, timeout=TIMEOUT, follow_redirects=False)
        except SecretLost as fault:
            return Outcome(DeliveryState.FAILED, error=str(fault))
        except httpx.ConnectError as fault:
            return Outcome(None, error=type(fault).__name__)
        except httpx.HTTPError as fault:
            return Outcome(None, error=type(fault).__name__, unknown=True)
        return _read(answer)


def _read(answer: httpx.Response) -> Outcome:
    if answer.is_success:
        return Outcome(DeliveryState.DELIVERED)
    error = f"HTTP {answer.status_code}"
    if answer.status_code in {408, 425, 429} or answer.is_server_error:
        wait = answer.headers.get("Retry-After", "")
        return Outcome(None, error=error, after=float(wait) if wait.isdecimal() else None)
    return Outcome(DeliveryState.FAILED, error=error)
