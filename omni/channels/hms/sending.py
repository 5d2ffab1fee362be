"""One push out to one token of Huawei's Push Kit v1."""

import json
from collections.abc import Mapping
from typing import Any

import httpx

from omni.channels.asking import Answer, refusal, verdict
from omni.channels.contract import AccountConfig, Capabilities, Failed, Outgoing, Reason, Retry, SendResult, Sent
from omni.channels.fcm.sending import thread_of
from omni.channels.hms.client import app_of, call, code_of, told_in
from omni.channels.http import unanswered
from omni.channels.json_fields import text_at

TEXT_LIMIT, PAYLOAD_BYTES, TTL_SECONDS = 1000, 4096, 24 * 3600
CAPABILITIES = Capabilities(text_limit=TEXT_LIMIT, subject=True, notices_only=True)
SUCCESS, PARTLY = "80000000", "80100000"
LONGEST_ID = 200

PERMANENT: Mapping[str, tuple[str, Reason]] = {
    "80100001": ("bad_parameters", Reason.REJECTED),
    "80100003": ("bad_message", Reason.REJECTED),
    "80100004": ("bad_lifetime", Reason.REJECTED),
    "80200001": ("key_refused", Reason.ACCOUNT_REFUSED),
    "80200003": ("key_refused", Reason.ACCOUNT_REFUSED),
    "80300002": ("no_right", Reason.ACCOUNT_REFUSED),
    "80300007": ("token_gone", Reason.CONTACT_GONE),
    "80300008": ("too_large", Reason.TOO_LONG),
    "80300010": ("token_count", Reason.REJECTED),
}
TEMPORARY = frozenset({"81000001", "80600003"})
"""An error of the provider's own: inside, and on the way to its keys."""


def message_of(outgoing: Outgoing, account: AccountConfig) -> dict[str, Any]:
    """The message object: a notice that is shown at once; `data` is a JSON text for the app."""
    action = str(account.settings.get("click_action") or "").strip()
    click = {"type": 1, "action": action} if action else {"type": 3}
    notice = {"title": outgoing.subject or " ", "body": outgoing.text}
    message: dict[str, Any] = {
        "notification": notice,
        "android": {"urgency": "HIGH", "ttl": f"{TTL_SECONDS}s", "notification": {"click_action": click, "tag": thread_of(outgoing)}},
        "token": [outgoing.recipient],
    }
    return message | ({"data": json.dumps(dict(outgoing.data), ensure_ascii=False)} if outgoing.data else {})


def send(outgoing: Outgoing, account: AccountConfig) -> SendResult:
    """Hand one push over. The recipient is a token of the app."""
    failed = refusal(outgoing, CAPABILITIES) or _unready(account)
    if failed:
        return failed
    message = message_of(outgoing, account)
    size = len(json.dumps({**message, "token": []}, ensure_ascii=False).encode())
    if size > PAYLOAD_BYTES:
        return Failed("too_large", f"{size} bytes, at most {PAYLOAD_BYTES} are allowed", Reason.TOO_LONG)
    try:
        answer = call(account, {"validate_only": False, "message": message})
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return unanswered(error)
    return _meaning(answer)


def _unready(account: AccountConfig) -> Failed | None:
    if not app_of(account):
        return Failed("app_missing", "the number of the app is missing", Reason.ACCOUNT_REFUSED)
    if not account.secrets.get("app_secret"):
        return Failed("key_missing", "the secret of the app is missing", Reason.ACCOUNT_REFUSED)
    return None


def _meaning(answer: Answer) -> SendResult:
    code = code_of(answer)
    text = text_at(answer.object, "msg") or answer.said
    if code == SUCCESS:
        return Sent((text_at(answer.object, "requestId")[:LONGEST_ID] or SUCCESS,))
    if code == PARTLY:  # of our one token: it is among the illegal ones
        return Failed("token_gone", f"{len(told_in(answer).get('illegal_tokens') or ())} illegal tokens", Reason.CONTACT_GONE)
    if code in TEMPORARY:
        return Retry(f"hms_{code}", text, after=answer.after)
    if code in PERMANENT:
        name, reason = PERMANENT[code]
        return Failed(name, f"{code}: {text}", reason)
    if answer.status == 503:
        return Retry("throttled", text, after=answer.after, whole_account=True)
    if code and answer.accepted:
        return Failed(f"hms_{code}", text)
    return verdict(answer)
