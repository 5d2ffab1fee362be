"""Static files gathered and compressed only when one of them changed: it takes seconds, and a start should not."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.contrib.staticfiles.management.commands import collectstatic
from django.core.management import call_command

from core.static import ModuleManifestStorage

# Extensions nobody loads; one of them imports what its package does not bring, which hashed names refuse. Parts of a joined style sheet.
LEFT_OUT = ("django_htmx/ext/*", *(f"{sheet.removesuffix('.css')}/*" for sheet in settings.JOINED_STYLES))


class _Uncompressed(ModuleManifestStorage):
    """Compressing everything takes half a minute; over the loopback it serves nobody."""

    def post_process_with_compression(self, files: Iterator[Any]) -> Iterator[Any]:
        yield from files


def collect_if_changed(*, compress: bool) -> bool:
    """Fill STATIC_ROOT with the files of all apps under hashed names; False when it is already up to date."""
    root = Path(settings.STATIC_ROOT)
    stamp, fingerprint = root / ".collected-from", _fingerprint(compress)
    if (root / "staticfiles.json").exists() and stamp.exists() and stamp.read_text() == fingerprint:
        return False
    command = collectstatic.Command()
    # The settings choose the hashed names only where such files are already there.
    command.storage = ModuleManifestStorage() if compress else _Uncompressed()
    call_command(command, interactive=False, clear=True, verbosity=0, ignore_patterns=list(LEFT_OUT))
    stamp.write_text(fingerprint)
    return True


def _fingerprint(compress: bool) -> str:
    found = hashlib.sha256(f"{compress} {LEFT_OUT}".encode())
    for finder in get_finders():
        for path, storage in sorted(finder.list([]), key=lambda pair: pair[0]):
            status = Path(storage.path(path)).stat()
            found.update(f"{path} {status.st_size} {status.st_mtime_ns}\n".encode())
    return found.hexdigest()
