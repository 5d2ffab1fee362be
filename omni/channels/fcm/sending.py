"""One push out: one token, one call (https://firebase.google.com/docs/reference/fcm/rest/v1/projects.messages)."""

import hashlib
import json
import time
from collections.abc import Mapping
from typing import Any

import httpx

from omni.channels.asking import Answer, refusal, verdict
from omni.channels.contract import AccountConfig, Capabilities, Failed, Outgoing, Reason, Retry, SendResult, Sent
from omni.channels.fcm.client import call, code_of, project_of
from omni.channels.http import unanswered
from omni.channels.json_fields import object_at, text_at

TEXT_LIMIT, PAYLOAD_BYTES, TTL_SECONDS = 1000, 4096, 24 * 3600
CAPABILITIES = Capabilities(text_limit=TEXT_LIMIT, subject=True, notices_only=True)

PERMANENT: Mapping[str, tuple[str, Reason]] = {
    "UNREGISTERED": ("token_gone", Reason.CONTACT_GONE),
    "SENDER_ID_MISMATCH": ("foreign_token", Reason.CONTACT_GONE),
    "INVALID_ARGUMENT": ("bad_message", Reason.REJECTED),
    "THIRD_PARTY_AUTH_ERROR": ("apns_key_broken", Reason.ACCOUNT_REFUSED),
}
"""https://firebase.google.com/docs/reference/fcm/rest/v1/ErrorCode"""


def thread_of(outgoing: Outgoing) -> str:
    """What the telephone shows only the newest notice of; at most 64 bytes, as Apple takes it."""
    return hashlib.sha256((outgoing.token or outgoing.key).encode("utf-8", "replace")).hexdigest()[:32]


def message_of(outgoing: Outgoing) -> dict[str, Any]:
    """The message object: a notice that is shown at once, on Android and Apple's devices."""
    thread = thread_of(outgoing)
    notice = {"body": outgoing.text} | ({"title": outgoing.subject} if outgoing.subject else {})
    return {
        "token": outgoing.recipient,
        "notification": notice,
        "data": {name: str(value) for name, value in outgoing.data.items()},
        "android": {"priority": "HIGH", "ttl": f"{TTL_SECONDS}s", "collapse_key": thread, "notification": {"tag": thread}},
        "apns": {
            "headers": {"apns-priority": "10", "apns-collapse-id": thread, "apns-expiration": str(int(time.time()) + TTL_SECONDS)},
            "payload": {"aps": {"sound": "default", "thread-id": thread}},
        },
    }


def payload_bytes(message: Mapping[str, Any]) -> int:
    """What counts against FCM's limit: the notice and the data, keys and values."""
    return len(json.dumps([message["notification"], message["data"]], ensure_ascii=False).encode())


def send(outgoing: Outgoing, account: AccountConfig) -> SendResult:
    """Hand one push over. The recipient is a registration token."""
    failed = refusal(outgoing, CAPABILITIES) or _unready(account)
    if failed:
        return failed
    message = message_of(outgoing)
    if (size := payload_bytes(message)) > PAYLOAD_BYTES:
        return Failed("too_large", f"{size} bytes, at most {PAYLOAD_BYTES} are allowed", Reason.TOO_LONG)
    try:
        answer = call(account, {"message": message})
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return unanswered(error)
    if not answer.accepted:
        return _fault(answer)
    name = text_at(answer.object, "name")
    return Sent((name,)) if name else Retry("garbled_answer", "accepted, but the answer cannot be read", unknown=True)


def _unready(account: AccountConfig) -> Failed | None:
    if not account.secrets.get("service_account"):
        return Failed("key_missing", "the service account is missing", Reason.ACCOUNT_REFUSED)
    if not project_of(account):
        return Failed("project_missing", "the project is missing", Reason.ACCOUNT_REFUSED)
    return None


def _fault(answer: Answer) -> Retry | Failed:
    code = code_of(answer)
    text = text_at(object_at(answer.object, "error"), "message") or answer.said
    if code == "QUOTA_EXCEEDED":
        return Retry("throttled", text, after=answer.after, whole_account=True)
    if code == "INVALID_ARGUMENT" and "registration token" in text.lower():
        return Failed("bad_token", text, Reason.CONTACT_GONE)
    if code in PERMANENT:
        name, reason = PERMANENT[code]
        return Failed(name, text, reason)
    if answer.status in (403, 404):
        return Failed("project_refused", text, Reason.ACCOUNT_REFUSED)
    return verdict(answer)
