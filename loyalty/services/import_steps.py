"""Imports from state to state."""

import hashlib
from datetime import datetime
from typing import BinaryIO, cast

from django.core.files import File
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from accounts.models import Staff
from core import audit
from core.refusal import Refusal
from loyalty.models import Import
from loyalty.states import IMPORT_TRANSITIONS, ImportState

ACTIVE = (ImportState.CHECKING, ImportState.LOADING)


def move(work: Import, state: ImportState, *, now: datetime, by: Staff | None = None) -> None:
    """Compare-and-set with an audit row. Call inside a transaction. Raises Refusal `wrong_state` when another was first."""
    if state not in IMPORT_TRANSITIONS[work.state]:
        raise _wrong_state()
    ended = {"finished_at": now} if state in (ImportState.DONE, ImportState.WRONG) else {}
    if not Import.objects.filter(pk=work.pk, state=work.state).update(state=state, **ended):
        raise _wrong_state()
    audit.record(action=f"points_import.{state}", by=by, subject=work, now=now)
    work.state = state


def _wrong_state() -> Refusal:
    return Refusal("wrong_state", _("The import has moved on; please look at it again."))


def keep(work: Import, *, by: Staff | None, now: datetime, content: BinaryIO | None = None) -> Import:
    """A new import with its file. `content` = read from there instead of an upload. Raises Refusal `same_file`."""
    source = File(content) if content is not None else cast("File[bytes]", work.file.file)
    work.digest, work.bytes_total = _digest(source), source.size
    work.created_by, work.created_at = by, now
    with transaction.atomic():
        if Import.objects.filter(digest=work.digest, kind=work.kind).exclude(state=ImportState.STOPPED).exists():
            raise Refusal("same_file", _("This very file has been uploaded before."))
        if content is not None:
            work.file.save(work.name, source, save=False)
        work.save()
        audit.record(action="points_import.uploaded", by=by, subject=work, now=now, details={"name": work.name, "sha256": work.digest})
    return work


def _digest(source: "File[bytes]") -> str:
    found = hashlib.sha256()
    for chunk in source.chunks():
        found.update(chunk)
    source.seek(0)
    return found.hexdigest()


def start_check(*, work: Import, by: Staff | None, now: datetime) -> None:
    """The file is read from where it was left. Raises Refusal `wrong_state`."""
    with transaction.atomic():
        if work.state == ImportState.STOPPED and work.proof.get("stopped") == ImportState.LOADING:
            raise _wrong_state()
        move(work, ImportState.CHECKING, now=now, by=by)


def approve(*, work: Import, by: Staff | None, now: datetime) -> None:
    """A second person lets the checked file in (or on, after a stop). Raises Refusal `own`, `wrong_state`, `nothing`."""
    if by is not None and work.created_by_id == by.pk:
        raise Refusal("own", _("Another person than who uploaded the file lets it in."), status=403)
    if work.state == ImportState.STOPPED and work.proof.get("stopped") != ImportState.LOADING:
        raise _wrong_state()
    if not work.good_rows:
        raise Refusal("nothing", _("The file has no good row."))
    with transaction.atomic():
        move(work, ImportState.LOADING, now=now, by=by)
        Import.objects.filter(pk=work.pk).update(approved_by=by)


def stop(*, work: Import, by: Staff | None, now: datetime, reason: str = "") -> None:
    """Nothing more is read or loaded; what is in stays in, and it can go on later. Raises Refusal `wrong_state`."""
    with transaction.atomic():
        stopped = work.state
        move(work, ImportState.STOPPED, now=now, by=by)
        Import.objects.filter(pk=work.pk).update(proof={"stopped": stopped, "reason": reason})
