"""How the Bot API words its errors, and accepted messages as the control plane shows them."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from tests.providers.faults import GARBAGE_BODY, Fault, FaultKind
from tests.providers.frame import Reply, json_reply
from tests.providers.telegram_rules import Upload


def refusal(fault: Fault) -> Reply:
    """A queued fault in Telegram's words; nothing was accepted."""
    if fault.kind is FaultKind.THROTTLED:
        seconds = int(fault.seconds)
        return error_reply(429, f"Too Many Requests: retry after {seconds}", retry_after=seconds)
    if fault.kind is FaultKind.SERVER_ERROR:
        return error_reply(fault.status or 500, "Internal Server Error")
    if fault.kind is FaultKind.BLOCKED:
        return error_reply(403, "Forbidden: bot was blocked by the user")
    if fault.kind is FaultKind.TOKEN_REVOKED:
        return error_reply(401, "Unauthorized")
    return Reply(fault.status or 200, GARBAGE_BODY, "text/html")


def error_reply(code: int, description: str, **parameters: Any) -> Reply:
    body: dict[str, Any] = {"ok": False, "error_code": code, "description": description}
    return json_reply(body | ({"parameters": parameters} if parameters else {}), code)


def journal_entry(method: str, message: Mapping[str, Any], uploads: Sequence[Upload]) -> dict[str, Any]:
    """An accepted message as the control plane shows it."""
    files = [
        {"name": upload.name, "mime": upload.mime, "size": len(upload.data), "sha256": hashlib.sha256(upload.data).hexdigest()}
        for upload in uploads
    ]
    return {
        "method": method,
        "chat_id": message["chat"]["id"],
        "message_id": message["message_id"],
        "text": message.get("text") or message.get("caption", ""),
        "files": files,
        "reply_to": message.get("reply_to_message", {}).get("message_id"),
        "album": message.get("media_group_id", ""),
        "reply_markup": message.get("reply_markup"),
        "date": message["date"],
    }
