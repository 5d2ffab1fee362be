"""A new model is trained in a process of its own, compared with the one in use, and takes over unless it is worse."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import structlog
from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.models import Staff
from core import audit
from core.locks import only_one, serialise
from core.refusal import Refusal
from suggestions.models import ModelVersion, SuggestionRules, VersionState
from suggestions.rules import Hits, is_worse
from suggestions.services import current, words

log = structlog.get_logger(__name__)
LOCK = "suggestions.training"
# Below the task's own limit.
MOST_SECONDS = 240
_ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONHASHSEED": "0"}


class Failed(Exception):
    """The training process ended badly; the text is its last line."""


def retrain(*, by: Staff | None, now: datetime) -> ModelVersion | None:
    """Train on the choices made so far. None when another training runs, or there are fewer cases than the rules want.

    The row tells what came of it: taken over, rejected for finding less than the version before, or failed. `by` None = the night.
    """
    with only_one(LOCK) as mine:
        if not mine:
            return None
        rules = SuggestionRules.objects.first() or SuggestionRules()
        chosen = words.choices(rules)
        if len(chosen.train) + len(chosen.held_out) < rules.least_cases:
            return None
        return _train(rules, chosen, by=by, now=now)


def _train(rules: SuggestionRules, chosen: words.Choices, *, by: Staff | None, now: datetime) -> ModelVersion:
    before = ModelVersion.objects.filter(state=VersionState.IN_USE).first()
    version = ModelVersion(folder=uuid4(), made_at=now, made_by=by, before=before, cases=len(chosen.train), held_out=len(chosen.held_out))
    task = {"documents": words.documents(), "train": chosen.train, "held_out": chosen.held_out, "before": _readable(before)}
    try:
        report = _run(task, version.folder)
    except Failed as fault:
        log.warning("the topic model was not trained", fault=str(fault))
        version.state, version.reason = VersionState.FAILED, str(fault)
        version.save()
        return version
    new, old = Hits(**report["new"]), Hits(**report["before"])
    version.topics, version.seconds = report["topics"], round(report["seconds"], 1)
    version.first, version.third, version.before_first, version.before_third = new.first, new.third, old.first, old.third
    if is_worse(new, old, tolerated=rules.tolerated_loss, least=rules.least_held_out):
        return _reject(version)
    take_over(version, by=by, now=now)
    _remove_old(rules.kept_versions)
    return version


def _readable(version: ModelVersion | None) -> str | None:
    folder = current.folder_of(version.folder) if version else None
    return str(folder) if folder and folder.exists() else None


def _run(task: Mapping[str, Any], name: UUID) -> Any:
    """Train into the version's folder; it appears there whole or not at all. Raises Failed."""
    folder = current.folder_of(name)
    making = folder.with_suffix(".making")
    making.mkdir(parents=True)
    try:
        done = subprocess.run(  # noqa: S603  our own module with a folder of ours
            [sys.executable, "-m", "suggestions.fit", str(making)],
            input=json.dumps(task).encode(),
            capture_output=True,
            timeout=MOST_SECONDS,
            cwd=Path(settings.BASE_DIR),
            env={**os.environ, **_ONE_THREAD},
        )
        if done.returncode:
            raise Failed((done.stderr.decode("utf-8", "replace").strip().splitlines() or [f"exit {done.returncode}"])[-1][:500])
        report = json.loads(done.stdout)
        making.rename(folder)
        return report
    except subprocess.TimeoutExpired:
        raise Failed(gettext("It took longer than %(seconds)d seconds.") % {"seconds": MOST_SECONDS}) from None
    finally:
        shutil.rmtree(making, ignore_errors=True)


def _reject(version: ModelVersion) -> ModelVersion:
    shutil.rmtree(current.folder_of(version.folder), ignore_errors=True)
    version.state = VersionState.REJECTED
    version.reason = gettext("It finds fewer topics among its first three than the version before, on the same cases.")
    version.save()
    return version


@transaction.atomic
def take_over(version: ModelVersion, *, by: Staff | None, now: datetime) -> None:
    """This version suggests from now on; other processes follow within seconds."""
    serialise(LOCK)
    ModelVersion.objects.filter(state=VersionState.IN_USE).update(state=VersionState.KEPT)
    version.state = VersionState.IN_USE
    version.save()
    audit.record(action="topic_model.taken_over", by=by, subject=version, now=now, details={"cases": version.cases})
    transaction.on_commit(current.forget)


@transaction.atomic
def go_back(*, by: Staff, now: datetime) -> ModelVersion | None:
    """Return to the newest kept version older than the one in use; None = to the words of the topic tree. Raises Refusal."""
    serialise(LOCK)
    used = ModelVersion.objects.select_for_update().filter(state=VersionState.IN_USE).first()
    if used is None:
        raise Refusal("no_version", _("There is no earlier version: topics are found by the words of the topic tree."))
    older = ModelVersion.objects.filter(state=VersionState.KEPT, pk__lt=used.pk).order_by("-pk").first()
    ModelVersion.objects.filter(pk=used.pk).update(state=VersionState.KEPT)
    if older is not None:
        ModelVersion.objects.filter(pk=older.pk).update(state=VersionState.IN_USE)
    details = {"from": used.pk, "to": older.pk if older else None}
    audit.record(action="topic_model.gone_back", by=by, subject=used, now=now, details=details)
    transaction.on_commit(current.forget)
    return older


def _remove_old(kept: int) -> None:
    """Files of the oldest versions go; what they scored stays."""
    for version in ModelVersion.objects.filter(state=VersionState.KEPT).order_by("-pk")[kept:]:
        version.state = VersionState.REMOVED
        version.save(update_fields=["state"])
        shutil.rmtree(current.folder_of(version.folder), ignore_errors=True)
