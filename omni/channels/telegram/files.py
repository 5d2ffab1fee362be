"""A guest's file by its file_id (https://core.telegram.org/bots/api#getfile): the bot may fetch up to 20 MB."""

from urllib.parse import quote

import httpx

from omni.channels.contract import AccountConfig, AttachmentGone, AttachmentTooLarge, InboundAttachment
from omni.channels.json_fields import integer_at, object_at, text_at
from omni.channels.telegram.client import Answer, call, client_for
from omni.channels.telegram.errors import said

ADDRESSES = ("geo:", "tel:")
"""Attachments that are an address and have no file."""


class TelegramUnavailable(httpx.TransportError):
    """The Bot API could not answer now (throttled, 5xx, token refused): the fetch may be tried again."""


def fetch(attachment: InboundAttachment, account: AccountConfig, *, limit: int) -> bytes:
    """The file's bytes, at most `limit`. Raises AttachmentTooLarge, AttachmentGone, httpx.TransportError."""
    if attachment.ref.startswith(ADDRESSES):
        raise AttachmentGone(f"{attachment.kind} has no file")
    if attachment.size is not None and attachment.size > limit:
        raise AttachmentTooLarge(f"{attachment.size} bytes, at most {limit} are taken")
    return download(locate(attachment.ref, account, limit=limit), account, limit=limit)


def locate(file_id: str, account: AccountConfig, *, limit: int) -> str:
    """Where the file lies below the file address; the link is good for an hour, so it is asked for each time."""
    answer = call(account, "getFile", {"file_id": file_id})
    if not answer.accepted:
        raise refused(answer)
    file = object_at({"file": answer.result}, "file")
    path = text_at(file, "file_path")
    if (integer_at(file, "file_size") or 0) > limit:
        raise AttachmentTooLarge(f"{integer_at(file, 'file_size')} bytes, at most {limit} are taken")
    if not path or ".." in path.split("/"):
        raise AttachmentGone("no path to the file")
    return path


def refused(answer: Answer) -> Exception:
    if answer.status == 400 and "too big" in answer.description.lower():
        return AttachmentTooLarge(said(answer))
    if answer.status == 400:
        return AttachmentGone(said(answer))
    return TelegramUnavailable(said(answer))


def download(path: str, account: AccountConfig, *, limit: int) -> bytes:
    with client_for(account).stream("GET", f"/file/{quote(path)}") as response:
        if response.status_code == 404:
            raise AttachmentGone("the link to the file has expired")
        if response.status_code != 200:
            raise TelegramUnavailable(f"HTTP {response.status_code} for a file")
        return capped(response, limit)


def capped(response: httpx.Response, limit: int) -> bytes:
    """The body, given up as soon as it is over the limit, whatever its announced length."""
    data = bytearray()
    for chunk in response.iter_raw(64 * 1024):
        data += chunk
        if len(data) > limit:
            raise AttachmentTooLarge(f"over {limit} bytes")
    return bytes(data)
