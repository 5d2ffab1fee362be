"""Files of messages: fetched at once, checked by size and by their first bytes, kept by digest, served only as downloads or images."""

import hashlib
import os
import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import PurePosixPath

import puremagic
import structlog
from django.core.files.base import ContentFile, File
from django.core.files.storage import default_storage
from django.db import transaction

from core.live import announce
from core.text import storable
from omni import dispatch
from omni.channels.contract import AttachmentGone, AttachmentKind, AttachmentTooLarge, InboundAttachment, OutgoingFile
from omni.channels.registry import adapter_for
from omni.models import Attachment, Message
from omni.states import FileState

log = structlog.get_logger(__name__)
LIMIT = 50 * 1024 * 1024
# Addresses that file stores sign for a while are long; one that is cut opens nothing.
REF_CHARACTERS = 8000
# Longer than a task may run: whoever fetches a file has it alone.
CLAIM = timedelta(minutes=10)
BACK_OFF = (5, 30, 120, 600, 3600)
# Only these are shown inside a page; everything else is a download (an SVG or HTML file could carry a script).
NO_FILE = frozenset({AttachmentKind.LOCATION, AttachmentKind.CONTACT})
_FETCHED = ("state", "tries", "next_at", "path", "sha256", "size", "mime")
SHOWN_INLINE = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp"})


def sniff(data: bytes) -> str:
    """The type by the first bytes, never by what the sender says."""
    try:
        found = puremagic.from_string(data[:4096], mime=True) if data else ""
    except (puremagic.PureError, ValueError):
        found = ""
    if found:
        return str(found)
    return "text/plain" if data and b"\x00" not in data[:4096] else "application/octet-stream"


def safe_name(name: str, *, fallback: str = "file") -> str:
    """A file name without folders and control characters."""
    last = PurePosixPath(storable(name).replace("\\", "/")).name
    cleaned = "".join(char for char in last if char.isprintable()).strip(". ")
    return cleaned[:200] or fallback


def keep_all(*, message: Message, attachments: Sequence[InboundAttachment], now: datetime) -> None:
    """Rows for a message's files; bytes that came along are stored, the others are fetched by a worker."""
    for item in attachments:
        row = Attachment(
            message=message,
            kind=item.kind.value,
            name=safe_name(item.name) if item.name else "",
            mime=item.mime[:120],
            size=item.size,
            content_id=storable(item.content_id)[:240],
            ref=storable(item.ref)[:REF_CHARACTERS],
            next_at=now,
        )
        if item.data is not None:
            store(row, item.data)
        elif item.kind in NO_FILE:
            row.state, row.next_at = FileState.NO_FILE, None
        row.save()
        if row.state == FileState.PENDING:
            dispatch.after_commit("omni.tasks.fetch_attachment", attachment_id=row.pk)


def store_uploads(*, message: Message, uploads: Sequence[OutgoingFile]) -> None:
    """Keep the files of an answer."""
    for upload in uploads:
        row = Attachment(message=message, kind="document", name=safe_name(upload.name), mime=upload.mime)
        store(row, upload.data)
        row.kind = "image" if row.mime in SHOWN_INLINE else "document"
        row.save()


def store(row: Attachment, data: bytes) -> None:
    """Put the bytes into the storage under their digest; the same bytes are stored once. Does not save the row."""
    if len(data) > LIMIT:
        row.state, row.size = FileState.TOO_LARGE, len(data)
        return
    row.size, row.mime, row.path = len(data), sniff(data), put(data)
    row.sha256 = PurePosixPath(row.path).name
    row.state, row.next_at = FileState.STORED, None


def put(data: bytes) -> str:
    """Keep the bytes and return their place in the storage, `files/<two digits>/<SHA-256>`. It is there whole or not at all."""
    digest = hashlib.sha256(data).hexdigest()
    path = f"files/{digest[:2]}/{digest}"
    if not default_storage.exists(path) or default_storage.size(path) != len(data):
        # Beside it first: a process killed in the middle must not leave half a file under a digest that promises the whole.
        beside = default_storage.save(f"{path}.{uuid.uuid4().hex}", ContentFile(data))
        os.replace(default_storage.path(beside), default_storage.path(path))
    return path


def read(row: Attachment) -> bytes:
    """The stored bytes. Raises FileNotFoundError."""
    with default_storage.open(row.path) as file:
        data: bytes = file.read()
    return data


def open_stored(row: Attachment) -> "File[bytes]":
    """The stored bytes as an open file, to be served piece by piece. Raises FileNotFoundError."""
    return default_storage.open(row.path)


def fetch(attachment_id: int, *, now: datetime) -> None:
    """Bring a file over from its provider; a fault is tried again later, for good reasons only so often.

    Does nothing while another process has the file, or before its next try is due.
    """
    due = Attachment.objects.filter(pk=attachment_id, state=FileState.PENDING, next_at__lte=now)
    if not due.update(next_at=now + CLAIM):
        return
    row = Attachment.objects.select_related("message__account").get(pk=attachment_id)
    _fetch_into(row, now=now)
    fetched = {name: getattr(row, name) for name in _FETCHED}
    with transaction.atomic():
        # A claim may run out: what another process has brought meanwhile stays.
        if Attachment.objects.filter(pk=row.pk, state=FileState.PENDING).update(**fetched):
            _tell(row.message)


def _fetch_into(row: Attachment, *, now: datetime) -> None:
    account = row.message.account
    item = InboundAttachment(kind=AttachmentKind(row.kind), ref=row.ref, name=row.name, mime=row.mime, size=row.size)
    try:
        data = adapter_for(account.kind).fetch(item, account.config(), limit=LIMIT)
    except AttachmentTooLarge:
        row.state = FileState.TOO_LARGE
    except AttachmentGone:
        row.state = FileState.GONE
    except Exception:  # noqa: BLE001  the provider's or the network's fault: tried again
        log.warning("file could not be fetched", attachment_id=row.pk, exc_info=True)
        row.tries += 1
        row.next_at = now + timedelta(seconds=BACK_OFF[min(row.tries, len(BACK_OFF)) - 1])
        row.state = FileState.GONE if row.tries > len(BACK_OFF) else FileState.PENDING
    else:
        store(row, data)


def _tell(message: Message) -> None:
    payload = {"message_id": message.pk, "guest_id": message.guest_id}
    announce(kind="message_changed", payload=payload, topics=[f"guest:{message.guest_id}"])


def find_due(*, now: datetime, limit: int = 200) -> list[int]:
    """Files that still wait to be fetched."""
    due = Attachment.objects.filter(state=FileState.PENDING, next_at__lte=now)
    return list(due.order_by("next_at").values_list("pk", flat=True)[:limit])
