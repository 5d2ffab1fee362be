"""One message out: its calls, and what their answers make of it."""

from dataclasses import replace
from typing import Any

import httpx

from omni.channels.contract import AccountConfig, Failed, Outgoing, OutgoingFile, Reason, Retry, SendResult, Sent
from omni.channels.http import unanswered
from omni.channels.json_fields import identifier_at, objects_at
from omni.channels.meta.errors import verdict
from omni.channels.meta.graph import Answer, account_refusal, post
from omni.channels.parts import send_parts
from omni.channels.whatsapp.errors import CODES
from omni.channels.whatsapp.planning import Part, content_fields, plan, recipient_fields, refusal, upload_type


class NotUploaded(Exception):
    """The file did not get to the provider; `result` is what that means for the message."""

    def __init__(self, result: Retry | Failed) -> None:
        super().__init__(result.code)
        self.result = result


def send(outgoing: Outgoing, account: AccountConfig) -> SendResult:
    """Send all parts in order; the first that fails ends it. Each part is one message at WhatsApp with an id of its own."""
    refused = refusal(outgoing) or account_refusal(account) or number_refusal(account)
    if refused:
        return refused
    return send_parts(plan(outgoing), outgoing, lambda part, is_first: send_part(part, outgoing, account, is_first=is_first))


def number_refusal(account: AccountConfig) -> Failed | None:
    if phone_number_id(account):
        return None
    return Failed("number_missing", "the channel account has no phone_number_id", Reason.ACCOUNT_REFUSED)


def phone_number_id(account: AccountConfig) -> str:
    written = str(account.settings.get("phone_number_id") or "").strip()
    return written if written.isascii() and written.isdecimal() else ""


def send_part(part: Part, outgoing: Outgoing, account: AccountConfig, *, is_first: bool) -> SendResult:
    try:
        media_id = upload(part.file, account) if part.file else ""
    except NotUploaded as fault:
        return fault.result
    fields: dict[str, Any] = {"messaging_product": "whatsapp", "recipient_type": "individual", **recipient_fields(outgoing.recipient)}
    fields |= content_fields(part, media_id) | {"biz_opaque_callback_data": outgoing.key}
    if is_first and outgoing.reply_to.startswith("wamid."):
        fields["context"] = {"message_id": outgoing.reply_to}
    try:
        answer = post(account, f"/{phone_number_id(account)}/messages", fields)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return unanswered(error)
    return taken(answer) if answer.accepted else verdict(answer, CODES)


def upload(file: OutgoingFile, account: AccountConfig) -> str:
    """The provider's id of the file. A lost answer does no harm here: a file that no message names is never seen. Raises NotUploaded."""
    mime = upload_type(file)
    fields = {"messaging_product": "whatsapp", "type": mime}
    try:
        answer = post(account, f"/{phone_number_id(account)}/media", fields, {"file": (file.name or "file", file.data, mime)})
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise NotUploaded(replace(unanswered(error), unknown=False)) from error
    found = identifier_at(answer.body or {}, "id") if answer.accepted else ""
    if found:
        return found
    result = verdict(answer, CODES)
    raise NotUploaded(replace(result, unknown=False) if isinstance(result, Retry) else result)


def taken(answer: Answer) -> SendResult:
    ids = [key for message in objects_at(answer.body or {}, "messages") if (key := identifier_at(message, "id"))]
    return Sent(tuple(ids[:1])) if ids else Retry("garbled_answer", "accepted, but the answer names no message", unknown=True)
