"""Static files gathered and compressed only when one of them changed: it takes seconds, and a start should not."""

import hashlib
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.contrib.staticfiles.management.commands import collectstatic
from django.core.management import call_command

from core.static import ModuleManifestStorage


def collect_if_changed() -> bool:
    """Fill STATIC_ROOT with the files of all apps under hashed names; False when it is already up to date."""
    root = Path(settings.STATIC_ROOT)
    stamp, fingerprint = root / ".collected-from", _fingerprint()
    if (root / "staticfiles.json").exists() and stamp.exists() and stamp.read_text() == fingerprint:
        return False
    command = collectstatic.Command()
    # The settings choose the hashed names only where such files are already there.
    command.storage = ModuleManifestStorage()
    call_command(command, interactive=False, clear=True, verbosity=0)
    stamp.write_text(fingerprint)
    return True


def _fingerprint() -> str:
    found = hashlib.sha256()
    for finder in get_finders():
        for path, storage in sorted(finder.list([]), key=lambda pair: pair[0]):
            status = Path(storage.path(path)).stat()
            found.update(f"{path} {status.st_size} {status.st_mtime_ns}\n".encode())
    return found.hexdigest()
