"""The rules and the model that this process suggests with; both follow the database within seconds."""

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Generic, TypeVar

import structlog
from django.conf import settings

from core.statements import Prepared
from suggestions.models import ModelVersion, SuggestionRules, VersionState
from suggestions.services import words

if TYPE_CHECKING:
    from suggestions.scoring import Weights

log = structlog.get_logger(__name__)
T = TypeVar("T")
KEPT_SECONDS = 10.0
TREE_KEPT_SECONDS = 300.0

_RULES = Prepared(lambda: SuggestionRules.objects.all()[:1])
_IN_USE = Prepared(lambda: ModelVersion.objects.filter(state=VersionState.IN_USE).values_list("pk", "folder"))


class _Kept(Generic[T]):
    """A value read at most once in so many seconds."""

    def __init__(self, read: Callable[[], T], seconds: float) -> None:
        self.read, self.seconds = read, seconds
        self.value: tuple[float, T] | None = None

    def get(self) -> T:
        if self.value is None or time.monotonic() - self.value[0] > self.seconds:
            self.value = (time.monotonic(), self.read())
        return self.value[1]

    def forget(self) -> None:
        self.value = None


def _read_rules() -> SuggestionRules:
    return _RULES.first() or SuggestionRules()


def _read_version() -> tuple[int, Path] | None:
    found = _IN_USE.first()
    return (found[0], folder_of(found[1])) if found else None


def _read_tree() -> "Weights":
    from suggestions import scoring  # noqa: PLC0415  numpy is loaded where the first suggestion is made, nowhere else

    return scoring.from_tree(words.documents())


def _read_weights(folder: Path) -> "Weights":
    from suggestions import scoring  # noqa: PLC0415  as above

    return scoring.load(folder)


_rules = _Kept(_read_rules, KEPT_SECONDS)
_version = _Kept(_read_version, KEPT_SECONDS)
_tree = _Kept(_read_tree, TREE_KEPT_SECONDS)
_loaded: dict[int, "_Kept[Weights | None]"] = {}


def rules() -> SuggestionRules:
    """The rules as they are, or were a few seconds ago."""
    return _rules.get()


def folder_of(name: object) -> Path:
    """Where a version's file lies."""
    return Path(settings.TOPIC_MODELS) / str(name)


def model() -> "tuple[int | None, Weights]":
    """The version in use and its model; None and the words of the topic tree while there is none, or its file is missing here."""
    version = _version.get()
    if version is not None:
        weights = _trained(*version)
        if weights is not None:
            return version[0], weights
    return None, _tree.get()


def _trained(pk: int, folder: Path) -> "Weights | None":
    if pk not in _loaded:
        _loaded.clear()
        _loaded[pk] = _Kept(partial(_load_or_say, folder), TREE_KEPT_SECONDS)
    kept = _loaded[pk]
    if kept.value is not None and kept.value[1] is not None:
        return kept.value[1]
    return kept.get()


def _load_or_say(folder: Path) -> "Weights | None":
    try:
        return _read_weights(folder)
    except (OSError, ValueError) as fault:
        log.warning("the topic model cannot be read; topics are found by the tree's words", folder=folder.name, fault=str(fault))
        return None


def forget() -> None:
    """Read everything anew at the next use."""
    for kept in (_rules, _version, _tree):
        kept.forget()
    _loaded.clear()
