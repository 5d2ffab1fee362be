"""Files that visitors put up before their message, and files of messages that visitors fetch."""

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.core.files.storage import default_storage
from django.utils.translation import gettext_lazy as _

from core.refusal import Refusal
from customers.models import Identity
from omni.channels.webchat.adapter import FILE_LIMIT
from omni.models import Attachment, ChatToken, ChatUpload
from omni.services import files
from omni.states import Direction, FileState

UNUSED_KEPT = timedelta(days=1)
# By the first bytes. What can carry a script or a program is not taken.
TAKEN = frozenset(
    {
        "application/pdf",
        "application/zip",
        "application/msword",
        "application/vnd.ms-excel",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "application/vnd.oasis.opendocument.text",
        "application/rtf",
        "text/rtf",
        "text/plain",
        "text/csv",
        "audio/mpeg",
        "audio/ogg",
        "audio/wav",
        "audio/x-wav",
        "image/gif",
        "image/heic",
        "image/heif",
        "image/jpeg",
        "image/png",
        "image/webp",
        "video/mp4",
        "video/quicktime",
        "video/webm",
    }
)


def take(*, token: ChatToken, name: str, data: bytes, now: datetime) -> ChatUpload:
    """Keep a file. Raises Refusal: empty, too large, or of a type that is not taken."""
    if not data:
        raise Refusal("file_empty", _("The file is empty."), status=400)
    if len(data) > FILE_LIMIT:
        raise too_large()
    mime = files.sniff(data)
    if mime not in TAKEN or _is_markup(data):
        raise Refusal("file_type", _("Files of this type are not taken. A photo, a PDF or a document will do."), status=415)
    return ChatUpload.objects.create(
        account=token.account,
        visitor=token.visitor,
        name=files.safe_name(name),
        mime=mime,
        size=len(data),
        path=files.put(data),
        created_at=now,
    )


def too_large() -> Refusal:
    limit = _("The file is too large: at most %(megabytes)d MB.")
    return Refusal("file_too_large", limit % {"megabytes": FILE_LIMIT // 1024 // 1024}, status=413)


def _is_markup(data: bytes) -> bool:
    """HTML, SVG and XML look like plain text to a sniffer."""
    start = data[:512].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    return start.startswith((b"<!", b"<?", b"<html", b"<svg", b"<script"))


def shown(row: ChatUpload) -> dict[str, Any]:
    return {"id": str(row.public_id), "name": row.name, "mime": row.mime, "size": row.size}


def find_own(*, token: ChatToken, ids: Sequence[uuid.UUID]) -> list[ChatUpload]:
    """The visitor's own files in the order asked for. Raises Refusal when one is not there."""
    rows = {row.public_id: row for row in ChatUpload.objects.filter(account=token.account, visitor=token.visitor, public_id__in=ids)}
    if len(rows) != len(set(ids)):
        raise Refusal("file_unknown", _("A file is no longer there. Please attach it again."), status=400)
    return [rows[key] for key in dict.fromkeys(ids)]


def mark_used(rows: Sequence[ChatUpload], *, now: datetime) -> None:
    ChatUpload.objects.filter(pk__in=[row.pk for row in rows], used_at__isnull=True).update(used_at=now)


def find_file(*, identity: Identity | None, token: ChatToken, public_id: uuid.UUID, now: datetime) -> Attachment:
    """A stored file of the visitor's own dialogue; one that waits to be taken over is taken over now. Raises Refusal (404)."""
    visible = Attachment.objects.filter(
        message__session__identity=identity,
        message__session__account=token.account,
        message__direction__in=[Direction.IN, Direction.OUT],
        message__deleted_at__isnull=True,
        public_id=public_id,
    )
    row = visible.first() if identity else None
    if row is not None and row.state == FileState.PENDING:
        files.fetch(row.pk, now=now)
        row.refresh_from_db()
    if row is None or row.state != FileState.STORED:
        raise Refusal("not_found", _("There is no such file."), status=404)
    return row


def purge(*, now: datetime) -> int:
    """Remove files that no message has named within a day; returns how many. Bytes that something else uses stay."""
    unused = ChatUpload.objects.filter(used_at__isnull=True, created_at__lt=now - UNUSED_KEPT)
    rows = list(unused.order_by("pk")[:500])
    ChatUpload.objects.filter(pk__in=[row.pk for row in rows]).delete()
    for path in {row.path for row in rows}:
        if not Attachment.objects.filter(path=path).exists() and not ChatUpload.objects.filter(path=path).exists():
            default_storage.delete(path)
    return len(rows)
