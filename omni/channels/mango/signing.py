"""Mango's signature: SHA-256 of key, JSON as it stands, salt (API of the virtual exchange, "Signature")."""

import hashlib
import hmac

from omni.channels.contract import AccountConfig, RawEvent, Unreadable, Unverified
from omni.channels.telephony.items import form_of


def signature(key: str, json_text: str, salt: str) -> str:
    return hashlib.sha256(f"{key}{json_text}{salt}".encode("utf-8", "surrogateescape")).hexdigest()


def verify(event: RawEvent, account: AccountConfig) -> None:
    """Raises Unverified; without key and salt nothing is believed."""
    key, salt = account.secrets.get("vpbx_api_key", ""), account.secrets.get("vpbx_api_salt", "")
    try:
        fields = form_of(event.body)
    except Unreadable as error:
        raise Unverified("not Mango's form") from error
    expected = signature(key, fields.get("json", ""), salt)
    given = fields.get("sign", "").strip().lower()
    ours = hmac.compare_digest(fields.get("vpbx_api_key", "").encode("utf-8", "replace"), key.encode("utf-8", "replace"))
    if not key or not salt or not ours or not hmac.compare_digest(given.encode("utf-8", "replace"), expected.encode()):
        raise Unverified("wrong signature")
