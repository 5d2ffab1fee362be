"""The unprivileged user that runs PostgreSQL when we are root: PostgreSQL refuses root."""

import hashlib
import os
import pwd
import shutil
import stat
from dataclasses import dataclass
from pathlib import Path

from core.embedded.errors import StartError

REFUGE_PARENT = Path("/var/tmp")  # noqa: S108 - the folder made there is proved to be ours


@dataclass(frozen=True)
class Account:
    name: str
    uid: int
    gid: int

    def own(self, path: Path) -> None:
        os.chown(path, self.uid, self.gid)


def server_account() -> Account | None:
    """Who runs PostgreSQL: None (we ourselves) for an ordinary user; for root `postgres`, else `nobody`."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            found = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(name, found.pw_uid, found.pw_gid)
    raise StartError(
        "PostgreSQL does not run as root and this system has neither a user postgres nor a user nobody: start as an ordinary user."
    )


def can_enter(folder: Path, account: Account) -> bool:
    """Whether the account can reach what lies in `folder`: every folder on the way must let it through."""
    return all(_lets_through(part.stat(), account) for part in (folder, *folder.parents))


def _lets_through(status: os.stat_result, account: Account) -> bool:
    if status.st_uid == account.uid:
        return bool(status.st_mode & stat.S_IXUSR)
    if status.st_gid == account.gid:
        return bool(status.st_mode & stat.S_IXGRP)
    return bool(status.st_mode & stat.S_IXOTH)


def refuge(home: Path) -> Path:
    """A folder outside `home` for what the account must reach when `home` is closed to it (a checkout under /root).

    The same folder for the same home at every start. Raises StartError when someone else made it first.
    """
    folder = REFUGE_PARENT / f"otklik-{hashlib.sha256(os.fsencode(home.resolve())).hexdigest()[:16]}"
    folder.mkdir(mode=0o755, exist_ok=True)
    status = folder.lstat()
    if status.st_uid != os.geteuid() or not stat.S_ISDIR(status.st_mode):
        raise StartError(f"{folder} belongs to someone else: remove it, or move the checkout out of a closed folder.")
    folder.chmod(0o755)
    return folder


def reachable_copy(programs: Path, into: Path) -> Path:
    """The copy in `into` of `programs` (a `bin` folder) with the folders beside it, which it needs; made at the first call."""
    version = (programs / "postgres").stat()
    copy = into / f"programs-{version.st_size}-{version.st_mtime_ns}"
    installation = programs.parent
    if not copy.exists():
        unfinished = into / f"unfinished-{os.getpid()}"
        _copy_open(installation, unfinished / installation.parent.name / installation.name)
        # A wheel's programs look for the libraries it brings beside its package: ../../../PACKAGE.libs.
        libraries = installation.parent.with_name(f"{installation.parent.name}.libs")
        if libraries.is_dir():
            _copy_open(libraries, unfinished / libraries.name)
        unfinished.chmod(0o755)
        unfinished.rename(copy)
    return copy / installation.parent.name / installation.name / programs.name


def _copy_open(source: Path, target: Path) -> None:
    """Copy a folder so that everybody may read it and run what is a program."""
    shutil.copytree(source, target, symlinks=True)
    for path in (target.parent, target, *target.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or os.access(path, os.X_OK) else 0o644)
