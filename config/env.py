"""Settings from the environment. A wrong value stops the start with one sentence."""

import json
import os
import secrets
from pathlib import Path
from urllib.parse import unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured


def text(name: str, default: str = "") -> str:
    return os.environ.get(name, "").strip() or default


def flag(name: str, *, default: bool = False) -> bool:
    value = text(name).lower()
    if value in {"", "1", "true", "yes", "on", "0", "false", "no", "off"}:
        return default if not value else value in {"1", "true", "yes", "on"}
    raise ImproperlyConfigured(f"{name} must be yes or no, not {value!r}.")


def number(name: str, default: int) -> int:
    value = text(name)
    try:
        return int(value) if value else default
    except ValueError:
        raise ImproperlyConfigured(f"{name} must be a whole number, not {value!r}.") from None


def listed(name: str, default: str = "") -> list[str]:
    return [part.strip() for part in text(name, default).split(",") if part.strip()]


def running_servers(var: Path) -> dict[str, str]:
    """Addresses of the servers that `manage.py up` runs for this checkout; empty when it does not run."""
    try:
        found = json.loads((var / "servers.json").read_text())
    except (OSError, ValueError):
        return {}
    return {key: str(value) for key, value in found.items()} if isinstance(found, dict) else {}


def secret_key(var: Path) -> str:
    """SECRET_KEY, or a key made at the first start and kept in var/ (readable by its owner only)."""
    given = text("SECRET_KEY")
    if given:
        return given
    path = var / "secret_key"
    try:
        return path.read_text()
    except FileNotFoundError:
        var.mkdir(parents=True, exist_ok=True)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text()
    with os.fdopen(handle, "w") as file:
        made = secrets.token_urlsafe(50)
        file.write(made)
    return made


def database(url: str) -> dict[str, object]:
    """Django's database settings from `postgres://user:password@host:port/name`."""
    parts = urlsplit(url)
    if parts.scheme not in {"postgres", "postgresql"} or not parts.path.strip("/"):
        raise ImproperlyConfigured("DATABASE_URL must look like postgres://user:password@host:port/name.")
    return {
        "ENGINE": "core.postgres",
        "NAME": parts.path.strip("/"),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": parts.hostname or "",
        "PORT": str(parts.port or 5432),
        # Pages run in a fixed pool of threads (docs/adr/0002), so a kept connection is never lost to a dead thread.
        "CONN_MAX_AGE": 300,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {"connect_timeout": 5, "application_name": "otklik"},
    }
