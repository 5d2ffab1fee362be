"""A guest's file by its media id (Cloud API, media): the id is good for days, the address behind it for minutes."""

import re

import httpx

from omni.channels.contract import AccountConfig, AttachmentGone, AttachmentTooLarge, InboundAttachment
from omni.channels.json_fields import integer_at, text_at
from omni.channels.meta.files import fetch_address
from omni.channels.meta.graph import Answer, get


class MediaUnavailable(httpx.TransportError):
    """The file cannot be had now (throttled, 5xx, token refused): the fetch may be tried again."""


def fetch(attachment: InboundAttachment, account: AccountConfig, *, limit: int) -> bytes:
    """The file's bytes, at most `limit`. Raises AttachmentTooLarge, AttachmentGone, httpx.TransportError."""
    if not re.fullmatch(r"\w{1,64}", attachment.ref, re.ASCII):
        raise AttachmentGone(f"{attachment.kind} has no file")
    answer = get(account, f"/{attachment.ref}")
    if not answer.accepted or answer.body is None:
        raise refused(answer)
    if (integer_at(answer.body, "file_size") or 0) > limit:
        raise AttachmentTooLarge(f"{integer_at(answer.body, 'file_size')} bytes, at most {limit} are taken")
    return fetch_address(text_at(answer.body, "url"), account, limit=limit, signed=True)


def refused(answer: Answer) -> Exception:
    # 100 with the subcode 33: no such object, or not ours.
    if answer.status == 404 or answer.code in (100, 131052):
        return AttachmentGone(answer.said)
    return MediaUnavailable(answer.said)
