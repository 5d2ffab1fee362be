"""Zadarma's signatures (API, "Authorization" and "Notifications"): base64 of the HEXADECIMAL HMAC-SHA1, as PHP writes it."""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from urllib.parse import urlencode

from omni.channels.contract import AccountConfig, RawEvent, Unreadable, Unverified
from omni.channels.telephony.items import form_of

SIGNED = {
    "NOTIFY_START": ("caller_id", "called_did", "call_start"),
    "NOTIFY_INTERNAL": ("caller_id", "called_did", "call_start"),
    "NOTIFY_END": ("caller_id", "called_did", "call_start"),
    "NOTIFY_IVR": ("caller_id", "called_did", "call_start"),
    "NOTIFY_ANSWER": ("caller_id", "destination", "call_start"),
    "NOTIFY_OUT_START": ("internal", "destination", "call_start"),
    "NOTIFY_OUT_END": ("internal", "destination", "call_start"),
    "NOTIFY_RECORD": ("pbx_call_id", "call_id_with_rec"),
}
"""The fields that each notice's signature covers, in this order."""


def signature(text: str, secret: str) -> str:
    digest = hmac.new(secret.encode("utf-8", "replace"), text.encode("utf-8", "replace"), hashlib.sha1).hexdigest()
    return base64.b64encode(digest.encode()).decode()


def verify(event: RawEvent, account: AccountConfig) -> None:
    """Raises Unverified; without a secret nothing is believed. A notice of an unknown kind is believed if any known rule fits it."""
    secret, given = account.secrets.get("api_secret", ""), event.headers.get("signature", "").strip()
    try:
        fields = form_of(event.body)
    except Unreadable as error:
        raise Unverified("not Zadarma's form") from error
    kind = fields.get("event", "")
    rules = [SIGNED[kind]] if kind in SIGNED else sorted(set(SIGNED.values()))
    expected = [signature("".join(fields.get(name, "") for name in rule), secret) for rule in rules]
    right = [hmac.compare_digest(given.encode("utf-8", "replace"), one.encode()) for one in expected]
    if not secret or not any(right):
        raise Unverified("wrong signature")


def authorization(path: str, params: Mapping[str, str], key: str, secret: str) -> str:
    """The header `Authorization` of a call to the API: the path, the sorted parameters and their MD5 are signed."""
    query = urlencode(sorted(params.items()))
    return f"{key}:{signature(path + query + hashlib.md5(query.encode(), usedforsecurity=False).hexdigest(), secret)}"
