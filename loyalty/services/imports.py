"""Imports carried on, whoever carried them before: one process at a time for each, resumed where its rows say."""

import time
from collections.abc import Callable, Iterator
from datetime import datetime

from django.utils import timezone
from django.utils.translation import gettext as _t

from core.locks import only_one
from loyalty.import_rules import FORMATS, NoHeader, Wrong
from loyalty.models import Import, ImportReject
from loyalty.services import import_steps
from loyalty.services.checking import check_portion, finish_check
from loyalty.services.loading import finish_load, load_portion
from loyalty.states import ImportState

Told = Callable[[Import], None]


def carry_on(*, import_id: int, seconds: float, told: Told | None = None) -> bool:
    """Check or load for at most so many seconds; True when it has come to a rest (checked, done, stopped).

    `told` hears of each portion. False as well when another process is at it.
    """
    with only_one(f"loyalty import {import_id}") as alone:
        return _carry_on(import_id, time.monotonic() + seconds, told) if alone else False


def _carry_on(import_id: int, deadline: float, told: Told | None) -> bool:
    while time.monotonic() < deadline:
        work = Import.objects.select_related("chain").get(pk=import_id)
        if work.state not in import_steps.ACTIVE:
            return True
        _portion(work, timezone.now())
        if told is not None:
            told(Import.objects.get(pk=import_id))
    return False


def _portion(work: Import, now: datetime) -> None:
    """One step of the work: a portion, or what comes when there is no more."""
    if work.state == ImportState.LOADING:
        if not load_portion(work, now=now):
            finish_load(work, now=now)
        return
    try:
        if not check_portion(work, now=now):
            finish_check(work, now=now)
    except NoHeader as fault:
        missing = _t("The first line must name these columns: %(names)s.") % {"names": fault}
        reason = missing if fault.args[0] not in FORMATS else _t("The file must be CSV in UTF-8.")
        import_steps.stop(work=work, by=None, now=now, reason=reason)


def unfinished() -> list[int]:
    return list(Import.objects.filter(state__in=import_steps.ACTIVE).order_by("pk").values_list("pk", flat=True))


def share_done(work: Import) -> float:
    """How far the present stage is, 0 to 1."""
    done, total = (work.loaded_rows, work.good_rows) if work.state == ImportState.LOADING else (work.bytes_read, work.bytes_total)
    if work.state in (ImportState.CHECKED, ImportState.DONE, ImportState.WRONG):
        return 1.0
    return min(1.0, done / total) if total else 0.0


def rejects_of(work: Import) -> Iterator[tuple[int, str, str]]:
    """Line, reason and the row itself of everything that was not taken, in the order of the file."""
    texts = {choice.value: str(choice.label) for choice in Wrong}
    rows = ImportReject.objects.filter(owner=work).order_by("line").values_list("line", "code", "raw")
    for line, code, raw in rows.iterator(chunk_size=5000):
        yield line, texts.get(code, code), raw
