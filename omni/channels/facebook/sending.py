"""One answer out: in Messenger, or as a public comment under the guest's."""

from typing import Any

import httpx

from omni.channels.contract import AccountConfig, Failed, Outgoing, Reason, Retry, SendResult, Sent
from omni.channels.facebook.errors import CODES
from omni.channels.facebook.planning import Part, comment_of, media_type, plan, refusal
from omni.channels.http import unanswered
from omni.channels.json_fields import identifier_at
from omni.channels.meta.errors import verdict
from omni.channels.meta.graph import Answer, Upload, account_refusal, post
from omni.channels.parts import send_parts


def send(outgoing: Outgoing, account: AccountConfig) -> SendResult:
    """Send all parts in order; the first that fails ends it."""
    refused = refusal(outgoing) or account_refusal(account)
    if refused:
        return refused
    call = comment if comment_of(outgoing) else message
    return send_parts(plan(outgoing), outgoing, lambda part, _: call(part, outgoing, account))


def page(account: AccountConfig) -> str:
    """The page's node; its token knows it as `me` too."""
    written = str(account.settings.get("page_id") or "").strip()
    return written if written.isascii() and written.isdecimal() else "me"


def message(part: Part, outgoing: Outgoing, account: AccountConfig) -> SendResult:
    """A message in Messenger. When the 24 hours are over and the page may, again as a human agent's (7 days)."""
    result = send_message(part, outgoing, account, {"messaging_type": "RESPONSE"})
    if isinstance(result, Failed) and result.reason is Reason.WINDOW_CLOSED and account.settings.get("human_agent") is True:
        return send_message(part, outgoing, account, {"messaging_type": "MESSAGE_TAG", "tag": "HUMAN_AGENT"})
    return result


def send_message(part: Part, outgoing: Outgoing, account: AccountConfig, manner: dict[str, str]) -> SendResult:
    # `metadata` comes back in the echo of our message.
    content: dict[str, Any] = {"metadata": outgoing.key}
    if part.file is None:
        content |= {"text": part.text} | quick_replies(part)
    else:
        content["attachment"] = {"type": media_type(part.file), "payload": {"is_reusable": False}}
    fields = {"recipient": {"id": outgoing.recipient}, "message": content, **manner}
    return called(account, f"/{page(account)}/messages", fields, {"filedata": upload(part)} if part.file else {}, "message_id")


def quick_replies(part: Part) -> dict[str, Any]:
    """Buttons that are there until the guest says something: a pressed one says its title."""
    shown = [{"content_type": "text", "title": label, "payload": label} for label in part.choices]
    return {"quick_replies": shown} if shown else {}


def comment(part: Part, outgoing: Outgoing, account: AccountConfig) -> SendResult:
    fields = {"message": part.text} if part.text else {}
    return called(account, f"/{comment_of(outgoing)}/comments", fields, {"source": upload(part)} if part.file else {}, "id")


def upload(part: Part) -> Upload:
    file = part.file
    return (file.name or "file", file.data, file.mime or "application/octet-stream") if file else ("", b"", "")


def called(account: AccountConfig, path: str, fields: dict[str, Any], uploads: dict[str, Upload], key: str) -> SendResult:
    try:
        answer = post(account, path, fields, uploads)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return unanswered(error)
    return taken(answer, key) if answer.accepted else verdict(answer, CODES)


def taken(answer: Answer, key: str) -> SendResult:
    found = identifier_at(answer.body or {}, key)
    return Sent((found,)) if found else Retry("garbled_answer", "accepted, but the answer names no message", unknown=True)
