"""Static files with hashed names, imports inside ES modules included; style sheets made of parts."""

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.staticfiles.finders import BaseFinder
from django.core.exceptions import ImproperlyConfigured
from django.core.files.storage import FileSystemStorage
from whitenoise.storage import CompressedManifestStaticFilesStorage

_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_IMPORT = re.compile(r'@import "([\w./-]+)";')


class ModuleManifestStorage(CompressedManifestStaticFilesStorage):  # type: ignore[misc]
    support_js_module_import_aggregation = True
    manifest_strict = False
    # Each pass follows the imports a step deeper where a module stands before what it imports; our chain is longer than Django's five.
    max_post_process_passes = 20


def joined(source: Path) -> str:
    """The parts that a style sheet imports, one after another. Raises ImproperlyConfigured: something stands there that is no import."""
    listed = _COMMENT.sub("", source.read_text())
    if _IMPORT.sub("", listed).strip():
        raise ImproperlyConfigured(f"{source} may only import its parts")
    return "\n".join((source.parent / part).read_text() for part in _IMPORT.findall(listed))


class JoinedStyles(BaseFinder):
    """Style sheets that only import their parts (settings.JOINED_STYLES) are served as one file: a page waits for one request, not ten."""

    def __init__(self, *_args: Any, **_kwargs: Any) -> None:
        self.storage = FileSystemStorage(location=settings.JOINED_ROOT)

    def find(self, path: str, find_all: bool = False, **_kwargs: Any) -> Any:
        """The file with the parts of `path`, written anew if one of them changed; empty = it is no such sheet."""
        if path not in settings.JOINED_STYLES:
            return []
        found = str(_written(path, Path(self.storage.path(path))))
        return [found] if find_all else found

    def list(self, ignore_patterns: Iterable[str] | None) -> Iterator[Any]:
        for path in settings.JOINED_STYLES:
            self.find(path)
            yield path, self.storage


def _written(path: str, target: Path) -> Path:
    text = joined(settings.BASE_DIR / "static" / path)
    if not target.exists() or target.read_text() != text:
        target.parent.mkdir(parents=True, exist_ok=True)
        draft = target.with_suffix(f".{os.getpid()}.draft")
        draft.write_text(text)
        draft.replace(target)  # other processes read the old one or the new one
    return target
