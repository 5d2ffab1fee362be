"""One SMS out (SMS Aero API v2, sms/send). Each send names an address of its own for its statuses, signed by us."""

import hashlib
import hmac
from collections.abc import Mapping
from urllib.parse import urlencode

import httpx
from django.conf import settings

from omni.channels.asking import Answer, refusal, verdict
from omni.channels.contract import AccountConfig, Capabilities, Failed, Outgoing, Reason, Retry, SendResult, Sent
from omni.channels.http import unanswered
from omni.channels.json_fields import identifier_at, integer_at, object_at
from omni.channels.notice_channel import too_many_parts
from omni.channels.phones import digits_of, without_numbers
from omni.channels.smsaero.client import call, is_success, keyless

SHORTEST, TEXT_LIMIT = 2, 640
CAPABILITIES = Capabilities(text_limit=TEXT_LIMIT, delivery_receipts=True, notices_only=True)
FAILED, REJECTED = 2, 6

SENTENCES: Mapping[str, tuple[str, Reason]] = {
    "auth": ("key_refused", Reason.ACCOUNT_REFUSED),
    "no credits": ("no_money", Reason.ACCOUNT_REFUSED),
    "not enough": ("no_money", Reason.ACCOUNT_REFUSED),
    "incorrect sign": ("bad_sender", Reason.ACCOUNT_REFUSED),
    "incorrect phone": ("bad_number", Reason.CONTACT_GONE),
    "incorrect number": ("bad_number", Reason.CONTACT_GONE),
    "blacklist": ("opted_out", Reason.CONTACT_BLOCKED),
    "ip blocked": ("address_banned", Reason.ACCOUNT_REFUSED),
}
"""Parts of the vendor's sentences in lower case; it gives no codes."""


def signature(key: str, account: AccountConfig) -> str:
    """Proves that the address of a status was ours: hex HMAC-SHA256 of our key; empty without a secret."""
    secret = account.secrets.get("callback_secret", "")
    return hmac.new(secret.encode(), f"{account.id}:{key}".encode("utf-8", "replace"), hashlib.sha256).hexdigest() if secret else ""


def callback_of(key: str, account: AccountConfig) -> str:
    """Where the provider tells of this send."""
    query = urlencode({"k": key, "s": signature(key, account)})
    return f"{settings.PUBLIC_URL}/hooks/{account.kind}/{account.id}/?{query}"


def send(outgoing: Outgoing, account: AccountConfig) -> SendResult:
    """Hand one SMS over. The recipient is an E.164 number."""
    phone = digits_of(outgoing.recipient)
    failed = refusal(outgoing, CAPABILITIES, least=SHORTEST) or keyless(account) or too_many_parts(outgoing.text, account)
    if failed:
        return failed
    if not phone:
        return Failed("bad_number", "this is no telephone number", Reason.CONTACT_GONE)
    sign = str(account.settings.get("sign") or "").strip()
    if not sign:
        return Failed("sender_missing", "the name of the sender is missing", Reason.ACCOUNT_REFUSED)
    fields = {"number": phone, "text": outgoing.text, "sign": sign}
    fields |= {"callbackUrl": callback_of(outgoing.key, account), "callbackFormat": "JSON"} if signature(outgoing.key, account) else {}
    try:
        answer = call(account, "sms/testsend" if account.settings.get("dry_run") else "sms/send", fields)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return unanswered(error)
    return _meaning(answer, outgoing.key)


def _meaning(answer: Answer, key: str) -> SendResult:
    if not is_success(answer):
        return _fault(answer)
    data = object_at(answer.object, "data")
    number, status = identifier_at(data, "id"), integer_at(data, "status")
    if not number:
        return Retry("garbled_answer", "accepted, but the answer has no id", unknown=True)
    if status in (FAILED, REJECTED):
        return Failed("rejected", without_numbers(identifier_at(data, "extendStatus") or f"status {status}"))
    return Sent((key, number))


def _fault(answer: Answer) -> Retry | Failed:
    """A refusal in words, whatever its HTTP status; what is no answer of this API is judged by HTTP's rules."""
    if isinstance(answer.body, dict) and answer.object.get("success") is False and answer.status < 500 and answer.status != 429:
        text = without_numbers(answer.said)
        for part, (code, reason) in SENTENCES.items():
            if part in answer.said.lower():
                return Failed(code, text, reason)
        if answer.status != 401:
            return Failed("refused", text)
    return verdict(answer)
