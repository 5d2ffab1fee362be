"""A guest's video: its addresses are asked for by its token (https://dev.max.ru/docs-api/methods/GET/videos/-videoToken-)."""

from dataclasses import replace

import httpx

from omni.channels.contract import AccountConfig, AttachmentGone, InboundAttachment
from omni.channels.json_fields import object_at, text_at
from omni.channels.max.client import DEFAULT_BASE, call
from omni.channels.max.content import VIDEO
from omni.channels.max.errors import words
from omni.channels.social import files

SIZES = ("mp4_1080", "mp4_720", "mp4_480", "mp4_360", "mp4_240", "mp4_144")
"""The best first."""


def fetch(attachment: InboundAttachment, account: AccountConfig, *, limit: int) -> bytes:
    """The bytes of a file, of a video its best recording. Raises AttachmentTooLarge, AttachmentGone, httpx.TransportError."""
    if attachment.ref.startswith(VIDEO):
        attachment = replace(attachment, ref=_address(attachment.ref.removeprefix(VIDEO), account))
    return files.fetch(attachment, account, base=DEFAULT_BASE, limit=limit)


def _address(token: str, account: AccountConfig) -> str:
    answer = call(account, "GET", f"/videos/{token}")
    if answer.status in (403, 404):
        raise AttachmentGone(words(answer))
    if not answer.accepted:
        raise httpx.TransportError(words(answer))
    urls = object_at(answer.body or {}, "urls")
    address = next((url for size in SIZES if (url := text_at(urls, size))), "")
    if not address:
        raise AttachmentGone("the video has no recording to download")
    return address
